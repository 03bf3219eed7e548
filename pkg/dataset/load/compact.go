package load

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
)

// Compacted is what a compaction has done.
type Compacted struct {
	Folders int `json:"folders"` // looked at
	Merges  int `json:"merges"`
	Objects int `json:"objects"` // that were merged, and are gone
	Entries int `json:"entries"` // of logs that were removed
}

// Compact merges small objects in folders of hours that have ended, and removes entries of logs that nobody needs any
// more. What it has not done when the context ends, or it is killed, the next call does. Two at the same time do no
// harm.
func (l *Loader) Compact(ctx context.Context) (Compacted, error) {
	var result Compacted
	safe, err := l.trim(ctx, &result)
	if err != nil {
		return result, fmt.Errorf("compact: %w", err)
	}
	merges, err := l.merges(ctx)
	if err != nil {
		return result, fmt.Errorf("compact: %w", err)
	}
	folders, err := l.folders(ctx)
	if err != nil {
		return result, fmt.Errorf("compact: %w", err)
	}
	for folder, m := range merges {
		if m.done[m.last].IsZero() && folders[folder] == nil {
			folders[folder] = nil // it was begun when the day was none of those that are too old now
		}
	}
	var faults []error
	for folder, objects := range folders {
		if err := context.Cause(ctx); err != nil {
			return result, errors.Join(append(faults, fmt.Errorf("compact: %w: %w", ErrTime, err))...)
		}
		result.Folders++
		c := &compaction{Loader: l, folder: folder, objects: objects, merges: merges[folder], safe: safe, result: &result}
		if err := c.run(ctx); err != nil {
			faults = append(faults, fmt.Errorf("compact %s: %w", folder, err))
		}
	}
	return result, errors.Join(faults...)
}

// trim removes entries of logs, and says up to which offset nobody writes objects of a partition any more.
func (l *Loader) trim(ctx context.Context, result *Compacted) (map[place]int64, error) {
	type known struct {
		journal *journal
		old     []int64 // entries older than keepEntries, in order
		sent    []int64 // entries with a note about letters, in order; also of those that have gone
		safe    int64
	}
	logs := map[place]*known{}
	prefix := l.Dataset.Key("_load/")
	for o, err := range l.Dataset.Store().List(ctx, cos.ListOptions{Prefix: prefix}) {
		if err != nil {
			return nil, err
		}
		topic, rest, _ := strings.Cut(o.Key[len(prefix):], "/")
		number, _, ok := strings.Cut(rest, "/log/")
		n, err := strconv.ParseInt(number, 10, 32)
		if !ok || err != nil {
			continue
		}
		at := place{topic, int32(n)}
		k := logs[at]
		if k == nil {
			k = &known{journal: newJournal(l.Dataset, at)}
			logs[at] = k
		}
		if first, ok := k.journal.offsetOf(o.Key, sentSuffix); ok {
			k.sent = append(k.sent, first)
		}
		first, ok := k.journal.offset(o.Key)
		if !ok {
			continue
		}
		age := l.now().Sub(o.Modified)
		if age > l.MinAge {
			k.safe = first // why: who found the entry before this one unfinished has ended since
		}
		if age > max(keepEntries, 2*l.MinAge) {
			k.old = append(k.old, first)
		}
	}
	safe := map[place]int64{}
	for at, k := range logs {
		safe[at] = k.safe
		if len(k.old) == 0 {
			continue
		}
		gone, kept := k.old[:len(k.old)-1], k.old[len(k.old)-1]
		if len(gone) > 0 {
			if err := k.journal.hint(ctx, kept); err != nil {
				return nil, err
			}
			if err := l.remove(ctx, gone, k.journal.key); err != nil {
				return nil, err
			}
			result.Entries += len(gone)
		}
		notes, _ := slices.BinarySearch(k.sent, kept)
		if err := l.remove(ctx, k.sent[:notes], k.journal.sentKey); err != nil {
			return nil, err
		}
	}
	return safe, nil
}

// remove deletes the objects of entries.
func (l *Loader) remove(ctx context.Context, entries []int64, key func(first int64) string) error {
	for some := range slices.Chunk(entries, 1000) {
		var names []string
		for _, first := range some {
			names = append(names, key(first))
		}
		if err := l.Dataset.Store().Delete(ctx, names...); err != nil {
			return err
		}
	}
	return nil
}

// folders lists the objects of folders whose hour has ended, in the days that are compacted.
func (l *Loader) folders(ctx context.Context) (map[string][]dataset.Object, error) {
	now := l.now().UTC()
	from := now.AddDate(0, 0, -l.CompactDays).Format(time.DateOnly)
	var days []string
	for o, err := range l.Dataset.Store().List(ctx, cos.ListOptions{Prefix: l.Dataset.Key(""), Delimiter: "/"}) {
		if err != nil {
			return nil, err
		}
		day := strings.TrimSuffix(o.Key[len(l.Dataset.Key("")):], "/")
		if date, ok := strings.CutPrefix(day, dataset.DateFolder+"="); ok && o.Prefix && date >= from {
			days = append(days, day+"/")
		}
	}
	folders := map[string][]dataset.Object{}
	for _, day := range days {
		for o, err := range l.Dataset.ObjectsIn(ctx, day) {
			if err != nil {
				return nil, err
			}
			if folder := path.Dir(o.Path) + "/"; ended(folder, now.Add(-l.Settled)) {
				folders[folder] = append(folders[folder], o)
			}
		}
	}
	return folders, nil
}

// ended says that the hour of a folder ended before now.
func ended(folder string, now time.Time) bool {
	parts := strings.Split(folder, "/")
	if len(parts) < 3 {
		return false
	}
	begin, err := time.Parse("date=2006-01-02/hour=15", parts[0]+"/"+parts[1])
	return err == nil && !begin.Add(time.Hour).After(now)
}

// merge is one of a folder's.
type merge struct {
	Format  int      `json:"format"`
	Target  string   `json:"target"`  // name without suffix
	Sources []string `json:"sources"` // names
}

// merging is what is known of the merges of a folder.
type merging struct {
	last int // number of the last
	done map[int]time.Time
}

const suffix = ".parquet"

var mergeNote = regexp.MustCompile(`^(.+)/([0-9]{8})\.(json|done)$`)

// merges lists the notes about merges, by folder. It removes old ones.
func (l *Loader) merges(ctx context.Context) (map[string]*merging, error) {
	folders := map[string]*merging{}
	prefix := l.Dataset.Key("_compact/")
	var old []string
	ages := map[string]bool{}
	for o, err := range l.Dataset.Store().List(ctx, cos.ListOptions{Prefix: prefix}) {
		if err != nil {
			return nil, err
		}
		parts := mergeNote.FindStringSubmatch(o.Key[len(prefix):])
		if parts == nil {
			continue
		}
		folder := parts[1] + "/"
		m := folders[folder]
		if m == nil {
			m = &merging{done: map[int]time.Time{}}
			folders[folder] = m
		}
		number, _ := strconv.Atoi(parts[2])
		m.last = max(m.last, number)
		// "done" comes before "json" in a listing. A note goes after its merge is done for long, and done goes last.
		if stem := strings.TrimSuffix(o.Key, path.Ext(o.Key)); parts[3] == "done" {
			m.done[number] = o.Modified
			ages[stem] = l.now().Sub(o.Modified) > max(keepEntries, 2*l.MinAge)
		} else if ages[stem] {
			old = append(old, o.Key)
			delete(ages, stem)
		}
	}
	for stem, old := range ages {
		if old { // its note has gone in an earlier run
			if err := l.Dataset.Store().Delete(ctx, stem+".done"); err != nil {
				return nil, err
			}
		}
	}
	if len(old) > 0 {
		return folders, l.Dataset.Store().Delete(ctx, old...)
	}
	return folders, nil
}

// compaction is that of one folder.
type compaction struct {
	*Loader
	folder  string
	objects []dataset.Object
	merges  *merging
	safe    map[place]int64
	result  *Compacted
}

func (c *compaction) key(number int, kind string) string {
	return c.Dataset.Key(fmt.Sprintf("_compact/%s%08d.%s", c.folder, number, kind))
}

// run finishes the last merge, and makes others.
func (c *compaction) run(ctx context.Context) error {
	if c.merges == nil {
		c.merges = &merging{done: map[int]time.Time{}}
	}
	if n := c.merges.last; n > 0 && c.merges.done[n].IsZero() {
		var m merge
		found, err := readJSON(ctx, c.Dataset.Store(), c.key(n, "json"), &m)
		if err != nil || !found {
			return err
		}
		return c.finish(ctx, n, m) // and the rest by the next run, which lists anew
	}
	for _, chunk := range c.chunks() {
		m := merge{Format: format, Target: mergedName(chunk)}
		for _, o := range chunk {
			m.Sources = append(m.Sources, path.Base(o.Path))
		}
		n := c.merges.last + 1
		if err := dataset.CreateNote(ctx, c.Dataset.Store(), c.key(n, "json"), encode(m)); errors.Is(err, cos.ErrExists) {
			return nil // another is at it
		} else if err != nil {
			return err
		}
		c.merges.last = n
		if err := c.finish(ctx, n, m); err != nil {
			return err
		}
	}
	return nil
}

// mergedName is that of what objects are merged into: behind theirs, and theirs alone.
func mergedName(objects []dataset.Object) string {
	level, sum := 0, sha256.New()
	for _, o := range objects {
		name := path.Base(o.Path)
		fmt.Fprintln(sum, name)
		if rest, ok := strings.CutPrefix(name, dataset.Merged); ok {
			if n, err := strconv.Atoi(rest[:strings.IndexByte(rest+"-", '-')]); err == nil {
				level = max(level, n)
			}
		}
	}
	return fmt.Sprintf("%s%04d-%s", dataset.Merged, level+1, hex.EncodeToString(sum.Sum(nil)[:8]))
}

// chunks are objects that are merged into one each: nobody writes them any more, and they are small.
func (c *compaction) chunks() (chunks [][]dataset.Object) {
	var chunk []dataset.Object
	var size int64
	end := func() {
		if len(chunk) > 1 {
			chunks = append(chunks, chunk)
		}
		chunk, size = nil, 0
	}
	for _, o := range c.objects {
		if o.Size > c.ObjectBytes/2 || !c.quiet(o) {
			continue
		}
		const most = 1000 // objects: their names are in a footer
		if size+o.Size > c.ObjectBytes || len(chunk) == most {
			end()
		}
		chunk, size = append(chunk, o), size+o.Size
	}
	end()
	return chunks
}

var loaded = regexp.MustCompile(`^(.+)-([0-9]+)-([0-9]{20})-([0-9]{20})\.parquet$`)

// quiet says that nobody who is still at work could write an object.
func (c *compaction) quiet(o dataset.Object) bool {
	name := path.Base(o.Path)
	if strings.HasPrefix(name, dataset.Merged) {
		for n := range c.merges.done { // it was made by one of them, or by one whose notes are gone
			if c.now().Sub(c.merges.done[n]) <= c.MinAge {
				return false
			}
		}
		return c.now().Sub(o.Modified) > c.MinAge
	}
	parts := loaded.FindStringSubmatch(name)
	if parts == nil {
		return false // it is none of ours
	}
	number, err1 := strconv.ParseInt(parts[2], 10, 32)
	last, err2 := strconv.ParseInt(parts[4], 10, 64)
	return err1 == nil && err2 == nil && last < c.safe[place{parts[1], int32(number)}]
}

// finish does what a note says, as far as it is not done.
func (c *compaction) finish(ctx context.Context, number int, m merge) error {
	if m.Format != format {
		return fmt.Errorf("%s has format %d: a newer release reads it", c.key(number, "json"), m.Format)
	}
	var sources []dataset.Object
	var merged *dataset.Object
	for o, err := range c.Dataset.ObjectsIn(ctx, c.folder) {
		if err != nil {
			return err
		}
		switch name := path.Base(o.Path); {
		case path.Dir(o.Path)+"/" != c.folder:
		case name == m.Target+suffix:
			merged = &o
		case slices.Contains(m.Sources, name):
			sources = append(sources, o)
		}
	}
	if merged == nil {
		if len(sources) < len(m.Sources) {
			return fmt.Errorf(
				"%d of %d objects are gone, and %s is not there: was something removed by hand?",
				len(m.Sources)-len(sources),
				len(m.Sources),
				m.Target,
			)
		}
		if err := c.Dataset.Merge(ctx, m.Target, sources); err != nil {
			return err
		}
		c.result.Merges++
	} else if has, err := c.Dataset.Sources(ctx, *merged); err != nil {
		return err
	} else if !slices.Equal(has, m.Sources) {
		return fmt.Errorf("%s was not merged of what its note says: nothing is removed", merged.Path)
	}
	var keys []string
	for _, o := range sources {
		keys = append(keys, o.Key)
	}
	if len(keys) > 0 {
		if err := c.Dataset.Store().Delete(ctx, keys...); err != nil {
			return err
		}
	}
	c.result.Objects += len(keys)
	if err := dataset.WriteNote(ctx, c.Dataset.Store(), c.key(number, "done"), []byte("{}")); err != nil {
		return err
	}
	c.merges.done[number] = c.now()
	return nil
}
