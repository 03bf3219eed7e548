package transform

// digest stands for a key: 128 bits of its SHA-256, so that two keys have the same
// one less often than memory has a wrong bit.
type digest [16]byte

// seen is a record that passed, with the one of the same key before it, so that
// going back brings that one back.
type seen struct {
	key    digest
	offset int64
	time   int64
	before int // number of the record of the same key, or -1
}

// window is the records of one partition that passed, by offset. They are numbered
// from 0; the ring holds numbers from first to last.
type window struct {
	rule        *deduplicateRule
	ring        []seen
	first, next int
	latest      map[digest]int
}

// see tells whether a record of the key came within the window, and how many keys
// had to be forgotten too early for it.
func (w *window) see(key digest, offset, time int64) (known bool, forgotten int64) {
	w.back(offset)
	before := -1
	if n, ok := w.latest[key]; ok {
		before = n
		if w.within(w.at(n), offset, time) {
			return true, 0
		}
	}
	forgotten = w.room(offset, time)
	if before < w.first {
		before = -1
	}
	*w.at(w.next) = seen{key, offset, time, before}
	w.latest[key] = w.next
	w.next++
	return false, forgotten
}

func (w *window) within(s *seen, offset, time int64) bool {
	if w.rule.span == 0 {
		return offset-s.offset <= w.rule.records
	}
	distance := time - s.time
	return max(distance, -distance) <= w.rule.span.Milliseconds()
}

func (w *window) at(n int) *seen { return &w.ring[n%len(w.ring)] }

// back forgets what came at the offset and after it: it comes again.
func (w *window) back(offset int64) {
	for w.next > w.first && w.at(w.next-1).offset >= offset {
		w.next--
		s := w.at(w.next)
		if s.before >= w.first {
			w.latest[s.key] = s.before
		} else {
			delete(w.latest, s.key)
		}
	}
}

// room makes place for one more.
func (w *window) room(offset, time int64) (forgotten int64) {
	if w.next-w.first < len(w.ring) {
		return 0
	}
	if len(w.ring) < w.rule.capacity {
		larger := make([]seen, min(max(64, 2*len(w.ring)), w.rule.capacity))
		for n := w.first; n < w.next; n++ {
			larger[n%len(larger)] = *w.at(n)
		}
		w.ring = larger
		return 0
	}
	oldest := w.at(w.first)
	if w.latest[oldest.key] == w.first {
		if w.within(oldest, offset, time) {
			forgotten = 1
		}
		delete(w.latest, oldest.key)
	}
	w.first++
	return forgotten
}
