package extract

import (
	"context"
	"encoding/json"
	"fmt"
)

// source gives pages. It is for one goroutine.
type source interface {
	// kind names the source and its paging: a state of another kind means nothing to it.
	kind() string
	// begin is called at the beginning of a run, before the first page of it.
	begin()
	// page gives all of the page at a state; none is the beginning. An error says that
	// the page counts for nothing: the same state again may give another one. It has
	// tried again by itself where that can help.
	page(ctx context.Context, state json.RawMessage) (page, error)
	// close drops connections.
	close()
}

// page is what a source gives at a time.
type page struct {
	name  string // for errors and dead letters; without secrets
	items []item
	bytes int64
	state json.RawMessage // behind it
	last  bool            // there is nothing more at the moment
	first int             // number of the first item in the page, from 0 on
}

// item is one record of a source.
type item struct {
	value []byte // what the rules are given
	raw   []byte // what it was in the source; nil: value
	err   error  // why it cannot be read; value is nil then
	where string // of the record in its page, where its number does not say it
}

// bytes is the record as it was in the source.
func (i item) bytes() []byte {
	if i.raw != nil {
		return i.raw
	}
	return i.value
}

// position says where in the source an item of a page is.
func (p page) position(i int) string {
	if where := p.items[i].where; where != "" {
		return where
	}
	return fmt.Sprintf("record %d", p.first+i+1)
}
