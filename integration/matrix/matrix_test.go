package matrix

import (
	"sync"
	"testing"
)

// found is a cell of the table.
type found struct {
	source release
	format string
	target release
}

// results are the cells of this run, and what the targets can do.
type results struct {
	mu    sync.Mutex
	cells map[found]string
}

func (r *results) set(at found, words string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cells[at] = words
}

func TestMatrix(t *testing.T) {
	if *sourceList == "" || *targetList == "" {
		t.Skip("runs on five releases of Kafka: make matrix")
	}
	sources, targets := parseReleases(t, *sourceList), parseReleases(t, *targetList)
	all := &results{cells: map[found]string{}}
	to := start(t, targets...)
	for _, source := range sources {
		t.Run("from "+string(source), func(t *testing.T) {
			from := start(t, source)[0]
			for _, f := range formats {
				if !f.of(source) {
					continue
				}
				topic := f.fill(t, from)
				for _, target := range to {
					t.Run(f.name+" to "+string(target.release), func(t *testing.T) {
						t.Parallel()
						c := &copying{filled: topic, source: from, target: target}
						all.set(found{source, f.name, target.release}, c.run(t))
					})
				}
			}
		})
	}
	for at, words := range all.cells {
		t.Log(at, words)
	}
}
