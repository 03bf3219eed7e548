package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// mirrorMaker is MirrorMaker 2 of Apache Kafka, from its jars.
const mirrorMaker = "mirrormaker2"

// mirrorMakerTimeout bounds a run of it, its start included.
const mirrorMakerTimeout = 10 * time.Minute

// fetchJars has Maven copy the jars that pom.xml names into a folder.
func fetchJars(ctx context.Context, folder string) error {
	command := exec.CommandContext(ctx, "mvn", "--quiet", "--batch-mode", "--strict-checksums",
		"--file", "integration/bench/pom.xml", "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+folder)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("its jars need Maven (%w)\n%s", err, out)
	}
	if err := exec.CommandContext(ctx, "java", "-version").Run(); err != nil {
		return fmt.Errorf("it needs Java 17 (%w)", err)
	}
	return nil
}

// mirrorMakerSettings are those of a user who wants it fast: as many tasks as
// partitions, large fetches and batches, the source's compression, and nothing
// beside the copy. Delivery is at-least-once, its default.
func (t trial) mirrorMakerSettings() map[string]string {
	settings := map[string]string{
		"clusters":                      "source, target",
		"source.bootstrap.servers":      t.sourceBroker,
		"target.bootstrap.servers":      t.targetBroker,
		"source->target.enabled":        "true",
		"source->target.topics":         regexp.QuoteMeta(t.from),
		"target->source.enabled":        "false",
		"tasks.max":                     strconv.Itoa(t.Partitions),
		"replication.policy.class":      "org.apache.kafka.connect.mirror.IdentityReplicationPolicy",
		"replication.factor":            "1",
		"refresh.groups.enabled":        "false",
		"sync.topic.configs.enabled":    "false",
		"sync.topic.acls.enabled":       "false",
		"emit.heartbeats.enabled":       "false",
		"emit.checkpoints.enabled":      "false",
		"emit.offset-syncs.enabled":     "false",
		"target.producer.batch.size":    "900000",
		"target.producer.linger.ms":     "20",
		"target.producer.buffer.memory": "67108864",

		"target.producer.compression.type":          t.Codec.String(),
		"source.consumer.max.poll.records":          "5000",
		"source.consumer.fetch.max.bytes":           "52428800",
		"source.consumer.max.partition.fetch.bytes": "8388608",
	}
	for _, topic := range []string{"checkpoints", "heartbeats"} { // offset-syncs must not be named where they are off
		settings[topic+".topic.replication.factor"] = "1"
	}
	for _, storage := range []string{"offset", "status", "config"} {
		settings[storage+".storage.replication.factor"] = "1"
	}
	return settings
}

// mirrorMakerOnce starts MirrorMaker 2, waits for all records in the target and
// kills it. Time is that from the first record in the target to the last.
func (t trial) mirrorMakerOnce(ctx context.Context) (m measure, err error) {
	ctx, cancel := context.WithTimeout(ctx, mirrorMakerTimeout)
	defer cancel()
	defer func() { err = errors.Join(err, t.forgetMirrorMaker(context.WithoutCancel(ctx))) }()
	settings := t.mirrorMakerSettings()
	var file strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&file, "%s = %s\n", name, strings.ReplaceAll(settings[name], `\`, `\\`))
	}
	path := filepath.Join(t.dir, "mm2.properties")
	if err := os.WriteFile(path, []byte(file.String()), 0o644); err != nil {
		return m, err
	}
	// Heap and collector are those of connect-mirror-maker.sh.
	command := exec.CommandContext(ctx, "java", "-Xms256M", "-Xmx2G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
		"-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
		"-cp", filepath.Join(t.jars, "*"), "org.apache.kafka.connect.mirror.MirrorMaker", path)
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		return m, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait() // killed below, or ended too early: watch sees the latter
	}()
	m, watchErr := t.watch(ctx, command.Process.Pid, ended)
	_ = command.Process.Kill() // an error says that it has ended
	<-ended
	if watchErr != nil {
		return m, fmt.Errorf("%w\n%s", watchErr, tail(log.String(), 4<<10))
	}
	m.CPUSeconds = (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds()
	return m, nil
}

// tail is the end of a text, of about so many bytes.
func tail(text string, bytes int) string {
	return text[max(0, len(text)-bytes):]
}

// watch polls the target until it has all records. It measures the seconds
// from its first record to its last, the processor time spent between them,
// and the peak of memory.
func (t trial) watch(ctx context.Context, pid int, ended <-chan struct{}) (m measure, err error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var first time.Time
	var before float64
	for {
		select {
		case <-ended:
			return m, errors.New("it ended before the copy")
		case <-ctx.Done():
			return m, fmt.Errorf("not done in %v: %w", mirrorMakerTimeout, ctx.Err())
		case <-tick.C:
		}
		records, err := t.end(ctx)
		if err != nil {
			return m, err
		}
		if records == 0 {
			continue
		}
		now, err := processSeconds(pid)
		if err != nil {
			return m, err
		}
		if first.IsZero() {
			first, before = time.Now(), now
		}
		if records >= t.Records {
			m = measure{Records: t.Records, Seconds: time.Since(first).Seconds(), WorkingCPUSeconds: now - before}
			m.RSSBytes, err = processPeak(pid)
			return m, err
		}
	}
}

// end sums up the ends of the target's partitions.
func (t trial) end(ctx context.Context) (sum int64, err error) {
	numbers := make([]int32, t.Partitions)
	for p := range numbers {
		numbers[p] = int32(p)
	}
	ends, err := t.target.Offsets(ctx, t.to, kafka.Latest, numbers...)
	for _, end := range ends {
		sum += end
	}
	return sum, err
}

// processSeconds is the processor time of a process that runs, from
// /proc/PID/stat (proc(5), fields 14 and 15, in hundredths of a second).
func processSeconds(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(text, []byte(") ")) // the name before it may hold spaces
	fields := strings.Fields(string(rest))
	if len(fields) < 13 {
		return 0, fmt.Errorf("unknown form of /proc/PID/stat: %s", text)
	}
	user, userErr := strconv.ParseFloat(fields[11], 64)
	system, systemErr := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100, errors.Join(userErr, systemErr)
}

// processPeak is the largest resident size that a process had, in bytes. Not
// that of getrusage: there it begins with the size of the one that started it.
func processPeak(pid int) (int64, error) {
	text := page.Field(fmt.Sprintf("/proc/%d/status", pid), "VmHWM")
	kib, err := strconv.ParseInt(strings.TrimSuffix(text, " kB"), 10, 64)
	return kib << 10, err
}

// forgetMirrorMaker deletes what it keeps in the target, so that the next run
// begins like the first.
func (t trial) forgetMirrorMaker(ctx context.Context) error {
	var faults []error
	for _, kept := range []string{"configs", "offsets", "status"} {
		err := t.target.DeleteTopic(ctx, "mm2-"+kept+".source.internal")
		if err != nil && !errors.Is(err, kafka.ErrUnknownTopic) {
			faults = append(faults, err)
		}
	}
	return errors.Join(faults...)
}
