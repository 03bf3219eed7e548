package dataset

import (
	"context"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// Object is one of a dataset.
type Object struct {
	cos.Object
	Path string // in the dataset, with its folders
}

// Objects lists the objects with rows, in the order of their keys. Folders for which want is false are not looked into;
// want is asked for each level with its name, as "date=2026-11-27"; nil takes all.
func (d *Dataset) Objects(ctx context.Context, want func(folder string) bool) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		if want == nil {
			d.flat(ctx, d.prefix, yield)
			return
		}
		d.walk(ctx, d.prefix, want, yield)
	}
}

// ObjectsIn lists the objects of a folder as "date=2026-11-27/" and of those in it, in the order of their keys.
func (d *Dataset) ObjectsIn(ctx context.Context, folder string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) { d.flat(ctx, d.prefix+folder, yield) }
}

// flat lists all below a prefix; false where yield was.
func (d *Dataset) flat(ctx context.Context, prefix string, yield func(Object, error) bool) bool {
	for o, err := range d.store.List(ctx, cos.ListOptions{Prefix: prefix}) {
		if err != nil {
			yield(Object{}, err)
			return false
		}
		path := o.Key[len(d.prefix):]
		if strings.HasSuffix(path, suffix) && !hidden(path) && !yield(Object{o, path}, nil) {
			return false
		}
	}
	return true
}

func (d *Dataset) walk(
	ctx context.Context,
	prefix string,
	want func(string) bool,
	yield func(Object, error) bool,
) bool {
	for o, err := range d.store.List(ctx, cos.ListOptions{Prefix: prefix, Delimiter: "/"}) {
		if err != nil {
			yield(Object{}, err)
			return false
		}
		path := o.Key[len(d.prefix):]
		switch {
		case hidden(path):
		case o.Prefix:
			if want(strings.TrimSuffix(o.Key[len(prefix):], "/")) && !d.walk(ctx, o.Key, want, yield) {
				return false
			}
		case strings.HasSuffix(path, suffix) && !yield(Object{o, path}, nil):
			return false
		}
	}
	return true
}

// whole is Objects without those that a merged one stands for.
func (d *Dataset) whole(ctx context.Context, want func(string) bool) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		var folder []Object
		flush := func() bool {
			objects, err := d.unmerged(ctx, folder)
			folder = folder[:0]
			if err != nil {
				yield(Object{}, err)
				return false
			}
			for _, o := range objects {
				if !yield(o, nil) {
					return false
				}
			}
			return true
		}
		for o, err := range d.Objects(ctx, want) {
			if err != nil {
				yield(Object{}, err)
				return
			}
			if len(folder) > 0 && path.Dir(folder[0].Path) != path.Dir(o.Path) && !flush() {
				return
			}
			folder = append(folder, o)
		}
		flush()
	}
}

// unmerged leaves the objects of a folder out that were merged into another one.
func (d *Dataset) unmerged(ctx context.Context, objects []Object) ([]Object, error) {
	if len(objects) < 2 {
		return objects, nil
	}
	var gone []string
	for _, o := range objects {
		if !strings.HasPrefix(path.Base(o.Path), Merged) {
			continue
		}
		sources, err := d.Sources(ctx, o)
		if err != nil {
			return nil, err
		}
		gone = append(gone, sources...)
	}
	if len(gone) == 0 {
		return objects, nil
	}
	return slices.DeleteFunc(objects, func(o Object) bool { return slices.Contains(gone, path.Base(o.Path)) }), nil
}
