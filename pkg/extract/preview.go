package extract

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/transform"
)

// Previewed is what became of one record of the source.
type Previewed struct {
	Page     string             // of the source
	Position string             // in the page
	Raw      []byte             // as it was there
	Outputs  []transform.Output // none where the rules drop it, or Err is set
	Err      error              // why it would go to the dead letter
}

// Preview reads the first records of a source, from its beginning, and gives emit what
// the rules make of each. Nothing is written anywhere, and no cursor is read or moved.
func Preview(ctx context.Context, f *File, most int, now time.Time, emit func(Previewed) error) error {
	source, err := f.open()
	if err != nil {
		return err
	}
	defer source.close()
	source.begin()
	transformer, number := f.rules.New(), 0
	for state := json.RawMessage(nil); number < most; {
		p, err := source.page(ctx, state)
		if err != nil {
			return err
		}
		for i := 0; i < len(p.items) && number < most; i++ {
			v, err := preview(transformer, p, i, int64(number), now)
			if err != nil {
				return err
			}
			if err := emit(v); err != nil {
				return err
			}
			number++
		}
		if p.last {
			return nil
		}
		state = p.state
	}
	return nil
}

func preview(transformer *transform.Transformer, p page, i int, number int64, now time.Time) (Previewed, error) {
	item := p.items[i]
	v := Previewed{Page: p.name, Position: p.position(i), Raw: item.bytes(), Err: item.err}
	if v.Err != nil {
		return v, nil
	}
	in := transform.Record{Record: batch.Record{Offset: number, Timestamp: now.UnixMilli(), Value: item.value}}
	err := transformer.Transform(in, func(o transform.Output) error {
		v.Outputs = append(v.Outputs, transform.Output{Topic: o.Topic, Record: o.Record.Clone()})
		return nil
	})
	var failed *transform.Error
	if errors.As(err, &failed) {
		v.Err, err = failed, nil
	}
	return v, err
}
