package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/migrate"
	"github.com/scf-etl/scf-etl/pkg/migrate/traffic"
)

func (a *app) demoMigrateCommand() *cobra.Command {
	flag := &serviceFlag{}
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "See services move to another cluster, and back, on embedded brokers",
		Long: `Start two embedded Kafka clusters and the local platform, and services that write
and read all the time. Then take every step of a migration: plan, start, verify,
cutover, finish; and once more with a rollback after the cutover. Every record is
numbered: exit code 0 where each was read once.`,
		Example: "  etl demo migrate",
		Args:    cobra.NoArgs,
	}
	*flag = *newServiceFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		var report migrateDemoReport
		for _, story := range []struct {
			name string
			last func(*migrateDemo, context.Context) error
		}{{"finish", (*migrateDemo).finish}, {"rollback", (*migrateDemo).rollBack}} {
			d := &migrateDemo{app: a, flag: flag, name: "demo-" + story.name}
			row, err := d.run(cmd.Context(), story.last)
			if err = errors.Join(err, d.close()); err != nil {
				return fmt.Errorf("migration %s: %w", d.name, err)
			}
			report.Stories = append(report.Stories, row)
			report.Lost += row.Lost
			report.Doubled += row.Doubled
		}
		if err := a.print(report, func(w io.Writer) { printMigrateDemo(w, report) }); err != nil {
			return err
		}
		if report.Lost+report.Doubled > 0 {
			return errReported
		}
		return nil
	}
	return cmd
}

// migrateDemoReport is what `etl demo migrate -o json` prints.
type migrateDemoReport struct {
	Stories []migrateDemoStory `json:"stories"`
	Lost    int                `json:"lost"`
	Doubled int                `json:"doubled"`
}

type migrateDemoStory struct {
	Migration string        `json:"migration"`
	Step      migrate.Step  `json:"step"` // the last one
	Topics    int           `json:"topics"`
	Written   uint64        `json:"written_records"`
	AtSource  uint64        `json:"written_before_cutover"`
	AtTarget  uint64        `json:"written_after_cutover"`
	Lost      int           `json:"lost"`
	Doubled   int           `json:"doubled"`
	Took      time.Duration `json:"took_ns"`
}

func printMigrateDemo(w io.Writer, r migrateDemoReport) {
	rows := [][]string{{"MIGRATION", "LAST STEP", "TOPICS", "RECORDS", "BEFORE CUTOVER", "AT THE TARGET", "LOST", "DOUBLED", "TOOK"}}
	for _, s := range r.Stories {
		rows = append(rows, []string{s.Migration, string(s.Step), fmt.Sprint(s.Topics), fmt.Sprint(s.Written), fmt.Sprint(s.AtSource), fmt.Sprint(s.AtTarget),
			fmt.Sprint(s.Lost), fmt.Sprint(s.Doubled), s.Took.Round(100 * time.Millisecond).String()})
	}
	table(w, rows)
	fmt.Fprintf(w, "%d lost, %d doubled\n", r.Lost, r.Doubled)
}

// migrateDemo is one migration on clusters of its own.
type migrateDemo struct {
	app  *app
	flag *serviceFlag
	name string

	operator *migrate.Operator
	services []*traffic.Service
	closers  []func() error // in the order of opening
}

const (
	demoTopics     = 3
	demoPartitions = 4
	demoEnough     = 300             // records that a service writes before the next step
	demoPatience   = 2 * time.Minute // for a step whose gates do not hold yet
)

func (d *migrateDemo) say(format string, args ...any) {
	fmt.Fprintf(d.app.stderr, format+"\n", args...)
}

func (d *migrateDemo) run(ctx context.Context, last func(*migrateDemo, context.Context) error) (story migrateDemoStory, err error) {
	begun := time.Now()
	if err := d.start(ctx); err != nil {
		return story, err
	}
	if err := d.begin(ctx); err != nil {
		return story, err
	}
	if err := d.cutOver(ctx); err != nil {
		return story, err
	}
	before := d.written()
	if err := d.more(ctx); err != nil {
		return story, err
	}
	if err := last(d, ctx); err != nil {
		return story, err
	}
	written := d.written()
	if err := d.readAll(ctx); err != nil {
		return story, err
	}
	state, err := migrate.NewStore(d.operator.Target).Load(ctx, d.name)
	story = migrateDemoStory{Migration: d.name, Step: state.Step, Topics: demoTopics, AtSource: before, AtTarget: written - before, Written: d.written(), Took: time.Since(begun)}
	for _, s := range d.services {
		lost, doubled := s.Tally()
		story.Lost += lost
		story.Doubled += doubled
	}
	return story, err
}

// start brings up clusters, services, and the platform with the function.
func (d *migrateDemo) start(ctx context.Context) error {
	clients := [2]*kafka.Client{}
	for i := range clients {
		cluster, err := localkafka.Start(localkafka.Config{})
		if err != nil {
			return err
		}
		d.closers = append(d.closers, cluster.Close)
		if clients[i], err = kafka.Open(ctx, kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: 200 * time.Millisecond}); err != nil {
			return err
		}
		d.closers = append(d.closers, clients[i].Close)
	}
	d.operator = &migrate.Operator{Clusters: migrate.Clusters{Source: clients[0], Target: clients[1]}, Limits: migrate.Limits{Quiet: time.Second}}
	d.say("migration %s: from %s to %s (embedded)", d.name, clients[0].Brokers()[0], clients[1].Brokers()[0])
	for i := range demoTopics {
		topic := fmt.Sprintf("orders-%d", i)
		s := traffic.New(topic)
		if err := clients[0].CreateTopic(ctx, kafka.TopicSpec{Name: topic, Partitions: demoPartitions, Settings: sample.TopicSettings()}); err != nil {
			return err
		}
		d.services = append(d.services, s)
		d.closers = append(d.closers, s.Halt)
	}
	if err := d.startServices(ctx, clients[0]); err != nil {
		return err
	}
	return d.startPlatform(ctx)
}

func (d *migrateDemo) startPlatform(ctx context.Context) error {
	service, folder, err := d.flag.load(map[string]string{
		"SOURCE_BROKERS": strings.Join(d.operator.Source.Brokers(), ","), "TARGET_BROKERS": strings.Join(d.operator.Target.Brokers(), ","),
		"MIGRATION": d.name, "MIGRATE_CRON": "*/5 * * * * * *", "MIGRATE_TIMEOUT": "5",
	})
	if err != nil {
		return err
	}
	platform, err := emulator.New(platformConfig(service, emulator.Hooks{Invoked: func(i emulator.Invocation) {
		if i.Error != nil {
			d.say("invocation %s failed: %v", i.RequestID, i.Error)
		}
	}}))
	if err != nil {
		return err
	}
	d.closers = append(d.closers, platform.Close)
	if err := deployAll(ctx, platform, service, folder, buildFunction, "migrate"); err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- platform.Run(running) }()
	d.closers = append(d.closers, func() error {
		stop()
		return <-ended
	})
	return nil
}

func (d *migrateDemo) close() error {
	var faults []error
	for i := len(d.closers) - 1; i >= 0; i-- {
		faults = append(faults, d.closers[i]())
	}
	return errors.Join(faults...)
}

func (d *migrateDemo) startServices(ctx context.Context, cluster *kafka.Client) error {
	for _, s := range d.services {
		if err := s.Start(ctx, kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: 200 * time.Millisecond}); err != nil {
			return err
		}
	}
	return nil
}

func (d *migrateDemo) haltServices() error {
	var faults []error
	for _, s := range d.services {
		faults = append(faults, s.Halt())
	}
	return errors.Join(faults...)
}

func (d *migrateDemo) written() (sum uint64) {
	for _, s := range d.services {
		sum += s.Written()
	}
	return sum
}

// begin plans, starts and verifies, while the services go on.
func (d *migrateDemo) begin(ctx context.Context) error {
	if err := d.more(ctx); err != nil {
		return err
	}
	preview, err := d.operator.Plan(ctx, migrate.Plan{Name: d.name, Include: []string{"orders-.*"}, Groups: []string{".*"}})
	if err != nil {
		return err
	}
	d.say("  plan      %d topics, %d conflicts", len(preview.Topics), len(preview.Conflicts))
	if _, err := d.operator.Start(ctx, d.name); err != nil {
		return err
	}
	d.say("  start     the function copies, at each firing of its timer")
	err = d.until(ctx, func() (bool, error) {
		state, err := migrate.NewStore(d.operator.Target).Load(ctx, d.name)
		return state.Step == migrate.DualWriting, err
	})
	if err != nil {
		return err
	}
	d.say("  status    the copy has caught up: %s", migrate.DualWriting)
	return d.step(ctx, "verify", func() (migrate.State, error) {
		v, err := d.operator.Verify(ctx, d.name)
		return v.State, err
	})
}

func (d *migrateDemo) cutOver(ctx context.Context) error {
	if _, err := d.operator.CutOver(ctx, d.name); err == nil {
		return errors.New("it was cut over while the services were at the source")
	}
	d.say("  cutover   refused while the services are at the source")
	if err := d.haltServices(); err != nil {
		return err
	}
	err := d.step(ctx, "cutover", func() (migrate.State, error) { return d.operator.CutOver(ctx, d.name) })
	if err != nil {
		return err
	}
	return d.startServices(ctx, d.operator.Target)
}

func (d *migrateDemo) finish(ctx context.Context) error {
	return d.step(ctx, "finish", func() (migrate.State, error) { return d.operator.Finish(ctx, d.name) })
}

func (d *migrateDemo) rollBack(ctx context.Context) error {
	if err := d.haltServices(); err != nil {
		return err
	}
	err := d.step(ctx, "rollback", func() (migrate.State, error) { return d.operator.Rollback(ctx, d.name) })
	if err != nil {
		return err
	}
	if err := d.startServices(ctx, d.operator.Source); err != nil {
		return err
	}
	return d.more(ctx)
}

// step takes a step as soon as its gates hold.
func (d *migrateDemo) step(ctx context.Context, name string, take func() (migrate.State, error)) error {
	var refused *migrate.GateError
	err := d.until(ctx, func() (bool, error) {
		state, err := take()
		if errors.As(err, &refused) || errors.Is(err, migrate.ErrConflict) {
			return false, nil
		}
		if err == nil {
			gates := state.History[len(state.History)-1].Gates
			have := make([]string, len(gates))
			for i, g := range gates {
				have[i] = g.Name + ": " + g.Have
			}
			d.say("  %-9s %s", name, strings.Join(have, "; "))
		}
		return true, err
	})
	if err != nil && refused != nil {
		return errors.Join(err, refused)
	}
	return err
}

// more waits until every service has written more records.
func (d *migrateDemo) more(ctx context.Context) error {
	for _, s := range d.services {
		enough := s.Written() + demoEnough
		if err := d.until(ctx, func() (bool, error) { return s.Written() >= enough, nil }); err != nil {
			return err
		}
	}
	return nil
}

// readAll stops the writing and waits until all that was written was read.
func (d *migrateDemo) readAll(ctx context.Context) error {
	for _, s := range d.services {
		s.StopWriting()
		err := d.until(ctx, func() (bool, error) {
			lost, _ := s.Tally()
			return lost == 0, nil
		})
		if err != nil && ctx.Err() != nil {
			return err
		}
	}
	return d.haltServices()
}

var errDemoPatience = fmt.Errorf("not within %v", demoPatience)

func (d *migrateDemo) until(ctx context.Context, holds func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, demoPatience, errDemoPatience)
	defer cancel()
	poll := time.NewTicker(100 * time.Millisecond)
	defer poll.Stop()
	for {
		if ok, err := holds(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-poll.C:
		}
	}
}
