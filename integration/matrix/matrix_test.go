package matrix

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// results are what a run has found, as tables.
type results struct {
	mu               sync.Mutex
	copies, releases *table
}

func newResults() *results {
	return &results{
		copies:   parseTable("", copiesSection.names...),
		releases: parseTable("", releasesSection.names...),
	}
}

func (r *results) copied(c *copying, words string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.copies.set(string(c.source.release)+nameSeparator+c.name, string(c.target.release), words)
}

func (r *results) asked(t *testing.T, clusters []cluster) {
	t.Helper()
	for _, c := range clusters {
		c.ask(t, r.releases)
	}
}

func TestMatrix(t *testing.T) {
	if *sourceList == "" || *targetList == "" {
		t.Skip("runs on five releases of Kafka: make matrix")
	}
	sources, targets := parseReleases(t, *sourceList), parseReleases(t, *targetList)
	results := newResults()
	to := start(t, targets...)
	results.asked(t, to)
	for _, release := range sources {
		t.Run("from "+string(release), func(t *testing.T) {
			started := start(t, release)
			results.asked(t, started)
			from := started[0]
			if from.before(transactionsSince) {
				t.Run("it is refused as a target, in words, and nothing is created there", func(t *testing.T) {
					refusedTarget(t, to[0], from)
				})
			}
			for _, f := range formats {
				if !f.of(release) {
					continue
				}
				topic := f.fill(t, from)
				for _, target := range to {
					t.Run(f.name+" to "+string(target.release), func(t *testing.T) {
						t.Parallel()
						c := &copying{filled: topic, source: from, target: target}
						results.copied(c, c.run(t))
					})
				}
			}
		})
	}
	if t.Failed() {
		return // what is missing in the tables is no news then
	}
	copiesSection.check(t, results.copies)
	releasesSection.check(t, results.releases)
}

// refusedTarget has the function copy to a release that has no transactions.
func refusedTarget(t *testing.T, source, target cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), copyTimeout)
	defer cancel()
	c := &copying{filled: plain.fill(t, source), source: source, target: target}
	c.start(t, ctx)
	poll(t, ctx, "the refusal", func() (bool, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, text := range c.errors {
			if strings.Contains(text, "a copy needs transactions, which Kafka has from 0.11 on") {
				return true, nil
			}
		}
		return false, nil
	})
	if _, err := target.Topic(ctx, c.targetTopic()); !errors.Is(err, kafka.ErrUnknownTopic) {
		t.Errorf("the target topic: %v, want that there is none", err)
	}
}
