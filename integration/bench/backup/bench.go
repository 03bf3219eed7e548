package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// bencher is one run of the bench.
type bencher struct {
	page.Options
	dir    string
	self   string // this program
	broker string
	client *kafka.Client
	cos    *cosServer
}

// bench starts a broker and a COS server, measures everything and gives the report.
func bench(ctx context.Context, o page.Options) (found *report, err error) {
	b := &bencher{Options: o}
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "bench-backup-"); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if o.Profile != "" {
		if err := os.MkdirAll(o.Profile, 0o755); err != nil {
			return nil, err
		}
	}
	chosen := slices.DeleteFunc(scenarios(), func(s scenario) bool { return !o.Cases.MatchString(s.name) })
	found = newReport(o)
	if len(chosen) == 0 {
		return found, nil
	}
	if err := b.start(ctx); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.cos.close()) }()
	if chosen[0].name != moment {
		progress("starting a broker")
		pair, err := kafkatest.StartPair(ctx, kafkatest.Config{HostNetwork: true, Heap: "-Xms1g -Xmx1g", Settings: settings()})
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, pair.Close(context.WithoutCancel(ctx))) }()
		b.broker = pair.Source.Brokers[0]
		if b.client, err = kafka.Open(ctx, kafka.Config{Brokers: pair.Source.Brokers}); err != nil {
			return nil, err
		}
		defer b.client.Close()
		if err := b.warmUp(ctx); err != nil {
			return nil, fmt.Errorf("warm-up: %w", err)
		}
	}
	for _, s := range chosen {
		measured, err := b.scenario(ctx, s, o.Rounds)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		found.results = append(found.results, measured)
	}
	return found, nil
}

// settings free the disk at once: what is deleted must not be written back while the next
// way is measured.
func settings() map[string]string {
	return map[string]string{
		"log.segment.delete.delay.ms":     "1000",
		"log.retention.check.interval.ms": "300000",
		"log.cleaner.backoff.ms":          "15000",
	}
}

// warmUp has the broker compile what it does often: whoever is measured first would pay.
func (b *bencher) warmUp(ctx context.Context) error {
	unseen := *b
	unseen.Profile = ""
	_, err := unseen.scenario(ctx, scenarios()[0], 1)
	return err
}

// scenario measures one topic in all of its ways, round by round.
func (b *bencher) scenario(ctx context.Context, s scenario, rounds int) (measured *result, err error) {
	measured = &result{scenario: s, measures: map[string][]measure{}}
	topic := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	prefix := topic
	switch s.name {
	case moment:
		progress("%s: writing a backup of %d runs", s.name, largeRuns)
		store, err := task{endpoint: b.cos.url}.store()
		if err != nil {
			return nil, err
		}
		if measured.size, err = writeLarge(ctx, store, prefix); err != nil {
			return nil, err
		}
	default:
		progress("%s: filling", s.name)
		if err := s.fill(ctx, b.client, topic, b.Scale); err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, b.client.DeleteTopic(context.WithoutCancel(ctx), topic)) }()
		if s.name == idle {
			if _, err := b.once(ctx, wayBackup, "", "-topic", topic, "-prefix", prefix); err != nil {
				return nil, err
			}
		}
	}
	for round := range rounds {
		for _, way := range s.ways {
			m, err := b.measure(ctx, s, way, topic, prefix, round)
			if err != nil {
				return nil, fmt.Errorf("%s, round %d: %w", way, round+1, err)
			}
			measured.measures[way] = append(measured.measures[way], m)
			progress("%s: %s: %.0f MB/s, %.0f MB/s CPU, %.3f s, %d requests", s.name, way, m.rate(), m.cpuRate(), m.Seconds, m.requests)
		}
	}
	return measured, nil
}

// measure does one way once, and cleans up behind it.
func (b *bencher) measure(ctx context.Context, s scenario, way, topic, prefix string, round int) (m measure, err error) {
	profile := profileOf(b.Options, strings.ReplaceAll(fmt.Sprintf("%s %s %d", s.name, way, round+1), " ", "-"))
	to := fmt.Sprintf("%s-%s-%d", topic, way, round)
	folder := fmt.Sprintf("%s-%d", prefix, round)
	switch way {
	case wayFetch:
		return b.once(ctx, way, profile, "-topic", topic)
	case wayBackup:
		return b.once(ctx, way, profile, "-topic", topic, "-prefix", folder)
	case wayCompress:
		return b.once(ctx, wayBackup, profile, "-topic", topic, "-prefix", folder+"-zstd", "-compress")
	case wayIdle:
		return b.once(ctx, wayBackup, profile, "-topic", topic, "-prefix", prefix)
	case wayMoment:
		at := moments()[round%len(moments())]
		return b.once(ctx, way, profile, "-prefix", prefix, "-moment", strconv.FormatInt(at, 10))
	case wayProduce:
		if err := b.client.CreateTopic(ctx, kafka.TopicSpec{Name: to, Partitions: s.partitions}); err != nil {
			return m, err
		}
		defer func() { err = errors.Join(err, b.client.DeleteTopic(context.WithoutCancel(ctx), to)) }()
		return b.once(ctx, way, profile, "-topic", topic, "-to", to)
	case wayRestore:
		defer func() { err = errors.Join(err, b.client.DeleteTopic(context.WithoutCancel(ctx), to)) }()
		return b.once(ctx, way, profile, "-topic", topic, "-to", to, "-prefix", folder)
	}
	return m, errors.New("nobody knows this way")
}

// once runs a child.
func (b *bencher) once(ctx context.Context, way, profile string, more ...string) (m measure, err error) {
	before, err := b.cos.asked()
	if err != nil {
		return m, err
	}
	args := slices.Concat(
		[]string{childCommand, way, "-broker", b.broker, "-endpoint", b.cos.url, "-profile", profile}, more)
	command := exec.CommandContext(ctx, b.self, args...)
	var stdout bytes.Buffer
	command.Stdout, command.Stderr = &stdout, os.Stderr
	if err := command.Run(); err != nil {
		return m, fmt.Errorf("%s: %w", way, err)
	}
	if err := json.Unmarshal(stdout.Bytes(), &m.outcome); err != nil {
		return m, err
	}
	after, err := b.cos.asked()
	m.requests, m.cosCPU = after.Requests-before.Requests, after.CPUSeconds-before.CPUSeconds
	return m, err
}

// cosServer is the COS server, a process of its own.
type cosServer struct {
	url     string
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func (b *bencher) start(ctx context.Context) error {
	dir := filepath.Join(b.dir, "cos")
	c := &cosServer{command: exec.CommandContext(ctx, b.self, childCommand, "cos", "-dir", dir, "-profile", profileOf(b.Options, "cos"))}
	c.command.Stderr = os.Stderr
	var err error
	if c.in, err = c.command.StdinPipe(); err != nil {
		return err
	}
	out, err := c.command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.command.Start(); err != nil {
		return err
	}
	b.cos, c.out = c, bufio.NewReader(out)
	line, err := c.out.ReadString('\n')
	c.url = strings.TrimSpace(line)
	return err
}

// asked is what the server was asked for so far.
func (c *cosServer) asked() (a asked, err error) {
	if _, err := io.WriteString(c.in, "\n"); err != nil {
		return a, err
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(line, &a)
}

func (c *cosServer) close() error {
	_ = c.in.Close()                  // its sign to end
	_, _ = io.Copy(io.Discard, c.out) // the outcome that every child prints
	return c.command.Wait()
}

// progress tells whoever waits; the report goes to standard output.
func progress(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, time.Now().Format(time.TimeOnly)+" "+format+"\n", arguments...)
}
