package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// bencher is one run of the bench.
type bencher struct {
	*clusters
	options options
	dir     string // of the built copiers
}

// bench starts the brokers, measures everything and gives the report.
func bench(ctx context.Context, o options) (report *report, err error) {
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return nil, err
		}
	}
	if err := build(ctx, "./integration/bench/copier", filepath.Join(dir, "copier")); err != nil {
		return nil, err
	}
	progress("starting two brokers")
	both, err := openClusters(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, both.close(context.WithoutCancel(ctx))) }()
	b := &bencher{clusters: both, options: o, dir: dir}
	report = newReport(o)
	for _, s := range scenarios() {
		if !o.cases.MatchString(s.name()) {
			continue
		}
		one, err := b.scenario(ctx, s.scaled(o.scale))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name(), err)
		}
		report.Scenarios = append(report.Scenarios, *one)
	}
	return report, nil
}

// scenario fills a source topic, has all copiers copy it, round by round, each
// round beginning with another one, and deletes it.
func (b *bencher) scenario(ctx context.Context, s scenario) (*scenarioReport, error) {
	topic := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	progress("%s: %d records", s.name(), s.Records)
	stored, err := fill(ctx, b.source, topic, s)
	if err != nil {
		return nil, err
	}
	found := &scenarioReport{scenario: s, Name: s.name(), StoredBytes: stored, Measures: map[string][]measure{}}
	var copiers []string
	for _, name := range copierNames() {
		if len(b.options.copiers) == 0 && s.takesPart(name) || slices.Contains(b.options.copiers, name) {
			copiers = append(copiers, name)
		}
	}
	for round := range b.options.rounds {
		for i := range copiers {
			r := trial{bencher: b, scenario: s, copier: copiers[(i+round)%len(copiers)], round: round, from: topic}
			m, err := r.once(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.copier, err)
			}
			found.Measures[r.copier] = append(found.Measures[r.copier], m)
			progress("%s: %s: %.0f k records/s, %.2f s CPU", s.name(), r.copier, float64(m.Records)/m.Seconds/1e3, m.CPUSeconds)
		}
	}
	return found, b.source.DeleteTopic(ctx, topic)
}

// once measures a copier on a new target topic, and makes sure that it has
// copied what it says.
func (r trial) once(ctx context.Context) (m measure, err error) {
	r.to = fmt.Sprintf("%s-%s-%d", r.from, r.copier, r.round)
	if err := r.target.CreateTopic(ctx, kafka.TopicSpec{Name: r.to, Partitions: r.Partitions}); err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, r.target.DeleteTopic(context.WithoutCancel(ctx), r.to)) }()
	if m, err = r.measure(ctx); err != nil {
		return m, err
	}
	return m, r.verify(ctx, m)
}

// verify compares the target with the source, record by record in the first
// round of the engine, else by number.
func (r trial) verify(ctx context.Context, m measure) error {
	if m.Records < r.Records {
		return fmt.Errorf("it says that it copied %d records of %d", m.Records, r.Records)
	}
	if r.copier == fetchOnly {
		return nil
	}
	if r.copier == engine && r.round == 0 {
		got, err := mirror.CompareTopics(ctx, r.source, r.target, r.from, r.to, mirror.CompareOptions{})
		if err != nil {
			return err
		}
		for _, p := range got.Partitions {
			if !p.Equal {
				return fmt.Errorf("partition %d: %v", p.Partition, p.Difference)
			}
		}
	}
	records, err := count(ctx, r.target, r.to, r.Partitions)
	if err != nil {
		return err
	}
	if records != m.Records {
		return fmt.Errorf("it says that it copied %d records, and the target has %d", m.Records, records)
	}
	return nil
}

// build makes a command's binary.
func build(ctx context.Context, source, to string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", to, source)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", source, err, out)
	}
	return nil
}

// progress tells whoever waits; the report goes to standard output.
func progress(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", arguments...)
}
