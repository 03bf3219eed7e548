package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
)

// schemas are the versions of a dataset's schema. A version is created once and never changes.
type schemas struct {
	d *dataset.Dataset

	mu      sync.Mutex
	known   map[int]Schema
	last    int // 0: not known
	current *Schema
}

func newSchemas(d *dataset.Dataset) *schemas { return &schemas{d: d, known: map[int]Schema{}} }

func (s *schemas) key(version int) string { return s.d.Key(fmt.Sprintf("_schema/%08d.json", version)) }

// version gives one.
func (s *schemas) version(ctx context.Context, version int) (Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(ctx, version)
}

func (s *schemas) read(ctx context.Context, version int) (Schema, error) {
	if schema, ok := s.known[version]; ok {
		return schema, nil
	}
	text, err := dataset.ReadNote(ctx, s.d.Store(), s.key(version))
	if err != nil {
		return Schema{}, fmt.Errorf("version %d of the schema: %w", version, err)
	}
	var schema Schema
	if err := json.Unmarshal(text, &schema); err != nil {
		return schema, fmt.Errorf("%s is no schema: %w", s.key(version), err)
	}
	if schema.Version != version {
		return schema, fmt.Errorf("%s says that it is version %d", s.key(version), schema.Version)
	}
	if err := schema.Check(); err != nil {
		return schema, fmt.Errorf("%s: %w", s.key(version), err)
	}
	s.known[version] = schema
	return schema, nil
}

// newest gives the last version; false where there is none. It looks for later ones than those that are known.
func (s *schemas) newest(ctx context.Context) (Schema, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	after := s.d.Key("_schema/")
	if s.last > 0 {
		after = strings.TrimSuffix(s.key(s.last), ".json")
	}
	for o, err := range s.d.Store().List(ctx, cos.ListOptions{Prefix: s.d.Key("_schema/"), After: after}) {
		if err != nil {
			return Schema{}, false, err
		}
		var version int
		if n, err := fmt.Sscanf(o.Key[len(s.d.Key("_schema/")):], "%08d.json", &version); n == 1 && err == nil {
			s.last = max(s.last, version)
		}
	}
	if s.last == 0 {
		return Schema{}, false, nil
	}
	schema, err := s.read(ctx, s.last)
	return schema, err == nil, err
}

// create makes the next version; false where another was faster.
func (s *schemas) create(ctx context.Context, schema Schema) (bool, error) {
	if err := schema.Check(); err != nil {
		return false, err
	}
	err := dataset.CreateNote(ctx, s.d.Store(), s.key(schema.Version), encode(schema))
	if errors.Is(err, cos.ErrExists) {
		return false, nil
	}
	return err == nil, err
}

// settle gives the schema to load by: the dataset's, with what the file asks for; where there is neither, one that
// infer gives. It is asked for once, and again after add.
func (s *schemas) settle(ctx context.Context, file *Schema, infer func() (Schema, error)) (Schema, error) {
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	if current != nil {
		return *current, nil
	}
	for {
		schema, found, err := s.newest(ctx)
		if err != nil {
			return schema, err
		}
		next, changed := schema, false
		switch {
		case found && file != nil:
			if next, changed, err = schema.merged(*file); err != nil {
				return schema, err
			}
		case !found && file != nil:
			next, changed = *file, true
		case !found:
			if next, err = infer(); err != nil {
				return schema, err
			}
			changed = true
		}
		if !changed {
			s.mu.Lock()
			s.current = &schema
			s.mu.Unlock()
			return schema, nil
		}
		next.Version = schema.Version + 1
		if _, err := s.create(ctx, next); err != nil {
			return schema, err
		}
	}
}

// add makes a version with columns for what inference has found, unless another has added them meanwhile.
func (s *schemas) add(ctx context.Context, found *inference) error {
	s.mu.Lock()
	s.current = nil
	s.mu.Unlock()
	for {
		schema, _, err := s.newest(ctx)
		if err != nil {
			return err
		}
		missing := newInference()
		for _, name := range found.names {
			if !schema.takes(name) {
				missing.names = append(missing.names, name)
				missing.types[name] = found.types[name]
			}
		}
		fields := missing.fields(schema.Columns)
		if len(fields) == 0 {
			return nil
		}
		schema.Columns = append(schema.Columns[:len(schema.Columns):len(schema.Columns)], fields...)
		schema.Version++
		if ok, err := s.create(ctx, schema); ok || err != nil {
			return err
		}
	}
}

// takes says that a column is made of a member of the record.
func (s Schema) takes(member string) bool {
	for _, f := range s.Columns {
		if f.path()[0] == member {
			return true
		}
	}
	return false
}
