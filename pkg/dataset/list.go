package dataset

import (
	"context"
	"iter"
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

func (d *Dataset) walk(ctx context.Context, prefix string, want func(string) bool, yield func(Object, error) bool) bool {
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
