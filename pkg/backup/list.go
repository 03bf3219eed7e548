package backup

import (
	"context"
	"time"
)

// Entry is one manifest in a list of backups.
type Entry struct {
	Sequence int64     `json:"sequence"`
	Since    time.Time `json:"since"`
	Time     time.Time `json:"time"`
	Complete bool      `json:"complete"`
	Prune    bool      `json:"prune,omitempty"` // a prune has written it: it is no backup of its own
	Topics   int       `json:"topics"`
	Groups   int       `json:"groups"`
	Segments int       `json:"segments"` // new ones
	Records  int64     `json:"records"`
	Bytes    int64     `json:"bytes"`        // of their logs
	Objects  int64     `json:"object_bytes"` // of their objects
	Gaps     []Lost    `json:"gaps,omitempty"`
	Error    string    `json:"error,omitempty"` // why the manifest cannot be read
}

// List gives the newest backups of a chain, at most so many, in order; 0 is all.
func (c *Chain) List(ctx context.Context, most int64) ([]Entry, error) {
	newest, err := c.Newest(ctx)
	if err != nil {
		return nil, err
	}
	first := newest.Oldest
	if most > 0 {
		first = max(first, newest.Sequence-most+1)
	}
	var all []Entry
	for sequence, m := range c.walk(ctx, first, newest.Sequence) {
		if m.err != nil {
			if ctx.Err() != nil {
				return all, m.err
			}
			all = append(all, Entry{Sequence: sequence, Error: m.err.Error()})
			continue
		}
		all = append(all, m.value.entry())
	}
	return all, nil
}

func (m *Manifest) entry() Entry {
	e := Entry{
		Sequence: m.Sequence,
		Since:    time.UnixMilli(m.Since),
		Time:     m.At(),
		Complete: m.Complete,
		Prune:    m.Prune,
		Topics:   len(m.Topics),
		Groups:   len(m.Groups),
	}
	for _, t := range m.Topics {
		for _, p := range t.Partitions {
			for _, s := range p.Segments {
				e.Segments++
				e.Records += s.Records
				e.Bytes += s.Log.Bytes
				e.Objects += s.Object.Bytes
			}
			for _, g := range p.Gaps {
				e.Gaps = append(e.Gaps, Lost{t.Name, p.Number, g})
			}
		}
	}
	return e
}
