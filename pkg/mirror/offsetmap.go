package mirror

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
)

// OffsetMap gives the target's offset of each record of one partition that was
// copied. It is kept as runs: source and target offsets go up together inside
// of one, and a new one begins where either has a hole, which is at the end of
// a transaction (its marker takes up an offset), and where the source is
// compacted or had transactions of its own. The zero value maps nothing.
type OffsetMap struct{ runs []run }

// run is a number of records that lie back to back on both sides.
type run struct{ source, target, count int64 }

func (r run) sourceEnd() int64 { return r.source + r.count }
func (r run) targetEnd() int64 { return r.target + r.count }

// add appends a run. What the map says of its first source offset and of those
// behind it goes: they were copied again, after a checkpoint was reset.
func (m *OffsetMap) add(next run) {
	if next.count <= 0 {
		return
	}
	m.cut(next.source)
	if n := len(m.runs); n > 0 && m.runs[n-1].sourceEnd() == next.source && m.runs[n-1].targetEnd() == next.target {
		m.runs[n-1].count += next.count
		return
	}
	m.runs = append(m.runs, next)
}

// cut takes away what is mapped from a source offset on.
func (m *OffsetMap) cut(from int64) {
	for n := len(m.runs); n > 0 && m.runs[n-1].sourceEnd() > from; n-- {
		if last := &m.runs[n-1]; last.source < from {
			last.count = from - last.source
			return
		}
		m.runs = m.runs[:n-1]
	}
}

// extend adds the runs of another map that are behind the end of this one.
func (m *OffsetMap) extend(other OffsetMap) {
	_, end, _ := m.Source()
	for _, r := range other.runs {
		if skip := end - r.source; skip > 0 {
			r = run{r.source + skip, r.target + skip, r.count - skip}
		}
		m.add(r)
	}
}

// note adds what was written: where the records of each batch are in the
// source, and the offset that it got.
func (m *OffsetMap) note(from [][]span, offsets []int64) {
	for i, at := range offsets {
		for _, s := range from[i] {
			m.add(run{source: s.first, target: at, count: s.count})
			at += s.count
		}
	}
}

// merge adds the runs of another map, which is the newer one.
func (m *OffsetMap) merge(newer OffsetMap) {
	for _, r := range newer.runs {
		m.add(r)
	}
}

// Empty says that nothing is mapped.
func (m *OffsetMap) Empty() bool { return len(m.runs) == 0 }

// Source is the part of the source that is mapped: the offset of the first
// record, and the one after the last; false where nothing is.
func (m *OffsetMap) Source() (first, end int64, ok bool) {
	if len(m.runs) == 0 {
		return 0, 0, false
	}
	return m.runs[0].source, m.runs[len(m.runs)-1].sourceEnd(), true
}

// Record gives the target's offset of the record at a source offset; false
// where none was copied from there.
func (m *OffsetMap) Record(source int64) (target int64, ok bool) {
	i := m.find(source)
	if i == len(m.runs) || source < m.runs[i].source {
		return 0, false
	}
	return m.runs[i].target + source - m.runs[i].source, true
}

// Position translates a position, as consumer groups commit it: who has read
// every record of the source before it has, from the given target offset on,
// every record still to come. That is the place of the first copied record at
// the position or after it; where that is still to be copied, the one after the
// last record. False where nothing is mapped.
func (m *OffsetMap) Position(source int64) (target int64, ok bool) {
	if len(m.runs) == 0 {
		return 0, false
	}
	i := m.find(source)
	if i == len(m.runs) {
		return m.runs[i-1].targetEnd(), true
	}
	return m.runs[i].target + max(source-m.runs[i].source, 0), true
}

// Inverse maps the target's offsets to the source's.
func (m *OffsetMap) Inverse() OffsetMap {
	inverse := OffsetMap{runs: make([]run, len(m.runs))}
	for i, r := range m.runs {
		inverse.runs[i] = run{source: r.target, target: r.source, count: r.count}
	}
	return inverse
}

// find gives the first run that ends behind a source offset.
func (m *OffsetMap) find(source int64) int {
	return sort.Search(len(m.runs), func(i int) bool { return m.runs[i].sourceEnd() > source })
}

// Copied says whether the record at a target offset was written by the copy.
func (m *OffsetMap) Copied(target int64) bool {
	i := sort.Search(len(m.runs), func(i int) bool { return m.runs[i].targetEnd() > target })
	return i < len(m.runs) && m.runs[i].target <= target
}

// mapVersion begins an encoded map.
const mapVersion = 1

// MarshalText gives the map in base64: after the version, per run the distances
// to the end of the run before it, on both sides, and the number of records, as
// varints. A run takes 4 to 11 characters as a rule.
func (m OffsetMap) MarshalText() ([]byte, error) {
	p := []byte{mapVersion}
	var before run
	for _, r := range m.runs {
		p = binary.AppendUvarint(p, uint64(r.source-before.sourceEnd()))
		p = binary.AppendUvarint(p, uint64(r.target-before.targetEnd()))
		p = binary.AppendUvarint(p, uint64(r.count))
		before = r
	}
	return mapText.AppendEncode(nil, p), nil
}

var mapText = base64.RawStdEncoding

var errDamagedMap = errors.New("damaged offset map")

// UnmarshalText reads what MarshalText wrote; nothing changes with an error.
func (m *OffsetMap) UnmarshalText(text []byte) error {
	p, err := mapText.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("%w: %w", errDamagedMap, err)
	}
	if len(p) == 0 || p[0] != mapVersion {
		return fmt.Errorf("%w: not of version %d", errDamagedMap, mapVersion)
	}
	var runs []run
	var before run
	for p = p[1:]; len(p) > 0; {
		var fields [3]int64
		for i := range fields {
			field, n := binary.Uvarint(p)
			if n <= 0 || int64(field) < 0 {
				return fmt.Errorf("%w: a number is cut short or too large", errDamagedMap)
			}
			fields[i], p = int64(field), p[n:]
		}
		next := run{source: before.sourceEnd() + fields[0], target: before.targetEnd() + fields[1], count: fields[2]}
		if next.count == 0 || next.source < 0 || next.target < 0 || next.sourceEnd() < 0 || next.targetEnd() < 0 {
			return fmt.Errorf("%w: a run is empty or too large", errDamagedMap)
		}
		runs = append(runs, next)
		before = next
	}
	m.runs = runs
	return nil
}

// size is how many bytes the map takes as text.
func (m OffsetMap) size() int {
	text, _ := m.MarshalText() // it has no errors
	return len(text)
}

// clone is for a map that goes on while somebody reads it.
func (m OffsetMap) clone() OffsetMap { return OffsetMap{runs: slices.Clone(m.runs)} }
