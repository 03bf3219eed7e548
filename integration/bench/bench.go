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
	jars    string // of MirrorMaker 2; empty where it cannot be run
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
	b := &bencher{options: o, dir: dir}
	report = newReport(o)
	if err := b.prepare(ctx, report); err != nil {
		return nil, err
	}
	progress("starting two brokers")
	if b.clusters, err = openClusters(ctx, o); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close(context.WithoutCancel(ctx))) }()
	if err := b.warmUp(ctx); err != nil {
		return nil, err
	}
	for _, s := range scenarios() {
		if !o.cases.MatchString(s.name()) {
			continue
		}
		one, err := b.scenario(ctx, s.scaled(o.scale), o.rounds, o.copiers...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name(), err)
		}
		report.Scenarios = append(report.Scenarios, *one)
	}
	if o.wants(platform) {
		progress("latency of the platform")
		report.Latency, err = b.latency(ctx)
	}
	return report, err
}

// warmUps is how many of the first scenarios warm the brokers up: a broker's
// processor time for a record falls to a half in its first millions of records.
const warmUps = 3

// warmUp has brokers that were started a moment ago compile what they do often,
// and make their coordinators: whoever is measured first would pay for it.
func (b *bencher) warmUp(ctx context.Context) error {
	unseen := *b
	unseen.options.profile = ""
	for _, s := range scenarios()[:warmUps] {
		done, err := unseen.scenario(ctx, s.scaled(b.options.scale), 2, engine, franz)
		if err != nil {
			return fmt.Errorf("warm-up: %w", err)
		}
		if len(done.Failures) > 0 {
			return fmt.Errorf("warm-up: %s", done.Failures[0])
		}
	}
	progress("the brokers are warm")
	return nil
}

// prepare builds what is to be measured.
func (b *bencher) prepare(ctx context.Context, report *report) error {
	for _, binary := range []struct{ source, to string }{
		{"./integration/bench/copier", "copier"},
		{"./integration/bench/latency", "latency"},
		{"./integration/bench/stamp", "stamp/main"},
		{"./functions/dump", "dump/main"},
		{"./functions/clean", "clean/main"},
	} {
		if err := build(ctx, binary.source, filepath.Join(b.dir, binary.to)); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(b.dir, cleanRulesFile), []byte(cleanRules), 0o600); err != nil {
		return err
	}
	if !b.options.wants(mirrorMaker) {
		return nil
	}
	jars := filepath.Join(b.dir, "jars")
	if err := fetchJars(ctx, jars); err != nil {
		report.Absent = append(report.Absent, fmt.Sprintf("%s was not measured: %v", mirrorMaker, err))
		return ctx.Err()
	}
	b.jars = jars
	return nil
}

// wants says whether a copier is among those chosen.
func (o options) wants(copier string) bool {
	return len(o.copiers) == 0 || slices.Contains(o.copiers, copier)
}

// scenario fills a source topic, has copiers copy it, round by round, each
// round beginning with another one, and deletes it. No names are those that
// take part in the scenario.
func (b *bencher) scenario(ctx context.Context, s scenario, rounds int, names ...string) (*scenarioReport, error) {
	topic := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	progress("%s: %d records", s.name(), s.Records)
	stored, err := fill(ctx, b.source, topic, s)
	if err != nil {
		return nil, err
	}
	found := &scenarioReport{scenario: s, Name: s.name(), StoredBytes: stored, Measures: map[string][]measure{}}
	for round := range rounds {
		copiers := slices.DeleteFunc(copierNames(), func(name string) bool {
			chosen := len(names) == 0 || slices.Contains(names, name)
			return !chosen || !s.takesPart(name, round) || name == mirrorMaker && b.jars == ""
		})
		for i := range copiers {
			t := trial{bencher: b, scenario: s, copier: copiers[(i+round)%len(copiers)], round: round, from: topic}
			m, err := t.once(ctx)
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				// The others are measured all the same: a run takes long.
				found.Failures = append(found.Failures, fmt.Sprintf("%s, round %d: %v", t.copier, round+1, err))
				progress("%s: %s FAILED: %v", s.name(), t.copier, err)
				continue
			}
			found.Measures[t.copier] = append(found.Measures[t.copier], m)
			progress("%s: %s: %.0f k records/s, %.2f s CPU", s.name(), t.copier, float64(m.Records)/m.Seconds/1e3, m.CPUSeconds)
		}
	}
	return found, b.source.DeleteTopic(ctx, topic)
}

// once measures a copier on a new target topic, and makes sure that it has
// copied what it says.
func (t trial) once(ctx context.Context) (m measure, err error) {
	t.to = fmt.Sprintf("%s-%s-%d", t.from, t.copier, t.round)
	if t.copier == mirrorMaker {
		t.to = t.from // it has no other name to give
	}
	if err := t.target.CreateTopic(ctx, kafka.TopicSpec{Name: t.to, Partitions: t.Partitions}); err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, t.target.DeleteTopic(context.WithoutCancel(ctx), t.to)) }()
	if m, err = t.measure(ctx); err != nil {
		return m, err
	}
	return m, t.verify(ctx, m)
}

// verify compares the target with the source by number, and in the first round
// of the engine record by record.
func (t trial) verify(ctx context.Context, m measure) error {
	if m.Records < t.Records {
		return fmt.Errorf("it says that it copied %d records of %d", m.Records, t.Records)
	}
	if t.copier == fetchOnly {
		return nil
	}
	records, err := count(ctx, t.target, t.to, t.Partitions, t.Codec)
	if err != nil {
		return err
	}
	if records != m.Records {
		return fmt.Errorf("it says that it copied %d records, and the target has %d", m.Records, records)
	}
	if t.copier != engine || t.round > 0 {
		return nil
	}
	// Only now: counting has waited for the end of the last transactions.
	got, err := mirror.CompareTopics(ctx, t.source, t.target, t.from, t.to, mirror.CompareOptions{})
	if err != nil {
		return err
	}
	for _, p := range got.Partitions {
		if !p.Equal {
			return fmt.Errorf("partition %d: %v", p.Partition, p.Difference)
		}
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
