package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
)

const (
	// MaxInvocation is how long an invocation lasts at most: SCF ends it then.
	MaxInvocation = 900 * time.Second

	// MinAge is how old what follows has to be before something is merged or removed that an invocation could still
	// write. It is more than MaxInvocation and the difference of clocks.
	MinAge = 30 * time.Minute

	// keepEntries is how long the entries of a log are kept behind its head: longer than anybody believes what he knew
	// of it, and then works on.
	keepEntries = 4 * MinAge
)

// place is one partition.
type place struct {
	topic     string
	partition int32
}

func (p place) String() string { return fmt.Sprintf("%s/%d", p.topic, p.partition) }

// begun is where a log begins.
type begun struct {
	Format  int    `json:"format"`
	Offset  int64  `json:"offset"`
	TopicID string `json:"topic_id,omitempty"` // empty where the cluster has none
}

// entry is a range of offsets whose rows are in the dataset, or are being written.
type entry struct {
	Format  int    `json:"format"`
	First   int64  `json:"first"`
	Last    int64  `json:"last"`
	Schema  int    `json:"schema"` // its version
	Change  Change `json:"change"`
	Rows    int64  `json:"rows"`
	Letters int64  `json:"letters,omitempty"`
	// Folders are those with an object of the entry.
	Folders []string `json:"folders,omitempty"`
	// Gap says that the source did not have the records any more: there is nothing of them.
	Gap bool `json:"gap,omitempty"`
	// Unsure are offsets of the entry before, that were gone before it was known to be finished.
	Unsure *span      `json:"unsure,omitempty"`
	At     *time.Time `json:"at,omitempty"`
}

type span struct{ First, Last int64 }

// format is that of entries, and of the objects that they stand for.
const format = 1

// head is the hint of how far a log is: nothing before First is looked for.
type head struct {
	First int64 `json:"first"`
}

// journal is the log of a partition.
type journal struct {
	store  dataset.Store
	prefix string // of the partition's folder
	place  place
}

func newJournal(d *dataset.Dataset, p place) *journal {
	return &journal{d.Store(), d.Key("_load/" + p.topic + "/" + strconv.Itoa(int(p.partition)) + "/"), p}
}

const digits = 20 // of an offset in a name

const sentSuffix = ".sent" // of the note beside an entry that its letters have been written

func (j *journal) key(first int64) string { return j.keyBefore(first) + ".json" }

func (j *journal) keyBefore(first int64) string {
	return fmt.Sprintf("%slog/%0*d", j.prefix, digits, first)
}

func (j *journal) sentKey(first int64) string { return j.keyBefore(first) + sentSuffix }

func (j *journal) startKey() string { return j.prefix + "start.json" }
func (j *journal) headKey() string  { return j.prefix + "head.json" }

// readJSON reads a note into to; false where there is none.
func readJSON(ctx context.Context, store dataset.Store, key string, to any) (bool, error) {
	text, err := dataset.ReadNote(ctx, store, key)
	if errors.Is(err, cos.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := json.Unmarshal(text, to); err != nil {
		return false, fmt.Errorf("%s is no note of this program: %w", key, err)
	}
	return true, nil
}

func encode(note any) []byte {
	text, err := json.Marshal(note)
	if err != nil {
		panic(err) // numbers and texts
	}
	return text
}

// begin gives where the log begins: at offset, where nobody has begun it.
func (j *journal) begin(ctx context.Context, offset int64, id string) (begun, error) {
	for {
		var b begun
		found, err := readJSON(ctx, j.store, j.startKey(), &b)
		if err != nil {
			return b, err
		}
		if found {
			if b.Format != format {
				return b, fmt.Errorf("%s has format %d: a newer release reads it", j.startKey(), b.Format)
			}
			if b.TopicID != "" && id != "" && b.TopicID != id {
				return b, j.recreated("its id was " + b.TopicID + " and is " + id)
			}
			return b, nil
		}
		err = dataset.CreateNote(ctx, j.store, j.startKey(), encode(begun{format, offset, id}))
		if err != nil && !errors.Is(err, cos.ErrExists) {
			return b, err
		}
	}
}

func (j *journal) recreated(how string) error {
	return fmt.Errorf("load %s: %w: %s; load it into another prefix", j.place, ErrRecreated, how)
}

// read reads an entry.
func (j *journal) read(ctx context.Context, first int64) (entry, error) {
	var e entry
	found, err := readJSON(ctx, j.store, j.key(first), &e)
	switch {
	case err != nil:
		return e, err
	case !found:
		return e, fmt.Errorf("%s is gone: it must not be removed by hand", j.key(first))
	case e.Format != format:
		return e, fmt.Errorf("%s has format %d: a newer release reads it", j.key(first), e.Format)
	case e.First != first || e.Last < first:
		return e, fmt.Errorf("%s says offsets %d to %d: it was changed by hand", j.key(first), e.First, e.Last)
	}
	return e, nil
}

// create writes an entry where none is; [cos.ErrExists] where another was faster.
func (j *journal) create(ctx context.Context, e entry) error {
	return dataset.CreateNote(ctx, j.store, j.key(e.First), encode(e))
}

// last finds the last entry of the log; nil where there is none. seen is how many were looked at.
func (j *journal) last(ctx context.Context) (e *entry, seen int, err error) {
	var h head
	found, err := readJSON(ctx, j.store, j.headKey(), &h)
	if err != nil {
		return nil, 0, err
	}
	options := cos.ListOptions{Prefix: j.prefix + "log/"}
	if found {
		options.After = j.keyBefore(h.First)
	}
	first := int64(-1)
	for o, err := range j.store.List(ctx, options) {
		if err != nil {
			return nil, seen, err
		}
		if n, ok := j.offset(o.Key); ok {
			first = n
			seen++
		}
	}
	if first < 0 {
		if found {
			return nil, seen, fmt.Errorf(
				"%s names offset %d, and there is no entry from there on: it was removed by hand",
				j.headKey(),
				h.First,
			)
		}
		return nil, seen, nil
	}
	read, err := j.read(ctx, first)
	return &read, seen, err
}

// sent says that there is a note that the letters of an entry have been written.
func (j *journal) sent(ctx context.Context, first int64) (bool, error) {
	_, err := dataset.ReadNote(ctx, j.store, j.sentKey(first))
	if errors.Is(err, cos.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// noteSent makes that note.
func (j *journal) noteSent(ctx context.Context, first int64) error {
	return dataset.WriteNote(ctx, j.store, j.sentKey(first), []byte("{}"))
}

// offset reads the key of an entry.
func (j *journal) offset(key string) (int64, bool) { return j.offsetOf(key, ".json") }

// offsetOf reads the key of an entry, or of what is beside one.
func (j *journal) offsetOf(key, suffix string) (int64, bool) {
	name, ok := strings.CutSuffix(strings.TrimPrefix(key, j.prefix+"log/"), suffix)
	n, err := strconv.ParseInt(name, 10, 64)
	return n, ok && len(name) == digits && err == nil && n >= 0
}

// hint notes that the log reaches an entry.
func (j *journal) hint(ctx context.Context, first int64) error {
	return dataset.WriteNote(ctx, j.store, j.headKey(), encode(head{first}))
}
