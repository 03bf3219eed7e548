package dataset

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/parquet-go/parquet-go/compress/zstd"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// Dataset is the objects below a prefix. It is safe for concurrent use, as far as its store is.
type Dataset struct {
	// Limits bound what a query takes; a field that is zero has its default.
	Limits Limits

	store  Store
	prefix string // with a slash at its end, or ""
	codec  *zstd.Codec

	contents sync.Pool // of *bytes.Buffer, for objects on their way into the store
}

// Limits bound the memory of a query.
type Limits struct {
	// Groups is how many groups there may be, before OrderBy and Limit (1,000,000 by default).
	Groups int
	// Bytes is about how much the groups with all that is measured of them may take (256 MiB by default).
	Bytes int64
	// RowGroupBytes is how much the columns of a row group that a query reads may have in their object, compressed,
	// and a page of them when it is not (256 MiB by default).
	RowGroupBytes int64
}

const (
	defaultGroups        = 1_000_000
	defaultBytes         = 256 << 20
	defaultRowGroupBytes = 256 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Groups <= 0 {
		l.Groups = defaultGroups
	}
	if l.Bytes <= 0 {
		l.Bytes = defaultBytes
	}
	if l.RowGroupBytes <= 0 {
		l.RowGroupBytes = defaultRowGroupBytes
	}
	return l
}

// Open opens the dataset below a prefix. [ErrEmpty] where there is no object with rows.
func Open(ctx context.Context, store Store, prefix string) (*Dataset, error) {
	d := New(store, prefix)
	for _, err := range d.Objects(ctx, nil) {
		if err != nil {
			return nil, fmt.Errorf("open dataset %s: %w", prefix, err)
		}
		return d, nil
	}
	return nil, fmt.Errorf("open dataset %q: %w: no *.parquet is below it", prefix, ErrEmpty)
}

// New is a dataset that may be empty. It reads nothing.
func New(store Store, prefix string) *Dataset {
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	return &Dataset{store: store, prefix: prefix, codec: newCodec()}
}

// Store is where the dataset is.
func (d *Dataset) Store() Store { return d.store }

// Key gives the key of an object by its path in the dataset.
func (d *Dataset) Key(path string) string { return d.prefix + path }

// suffix is the end of the names of objects with rows.
const suffix = ".parquet"

// Write writes rows as an object: into a folder as those of [TimeFolders] and [ValueFolder], "" for none, under a name
// without its suffix. What was there of that name is replaced. Columns of the folder are left out of the object.
func (d *Dataset) Write(ctx context.Context, folder, name string, rows *Rows) (cos.Object, error) {
	return d.WriteSome(ctx, folder, name, rows, nil)
}

// WriteSome is Write for the rows of a selection, in its order.
func (d *Dataset) WriteSome(
	ctx context.Context,
	folder, name string,
	rows *Rows,
	selection []int32,
) (cos.Object, error) {
	var without []string
	for _, value := range foldersOf(folder) {
		if i := slices.IndexFunc(rows.columns, func(c Column) bool { return c.Name == value.column }); i >= 0 {
			without = append(without, value.column)
		}
	}
	key := d.prefix + folder + name + suffix
	content, _ := d.contents.Get().(*bytes.Buffer)
	if content == nil {
		content = &bytes.Buffer{}
	}
	defer d.contents.Put(content)
	content.Reset()
	if err := encode(content, d.codec, rows, selection, without...); err != nil {
		return cos.Object{}, fmt.Errorf("write %s: %w", key, err)
	}
	return d.store.Put(ctx, key, bytes.NewReader(content.Bytes()), cos.PutOptions{Size: int64(content.Len())})
}
