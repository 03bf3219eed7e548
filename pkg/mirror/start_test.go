package mirror_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestFirstCopy(t *testing.T) {
	t.Parallel()
	middle := []mirror.Range{{Topic: "t", First: 40, Last: 49}}

	t.Run("that is to begin at the earliest record leaves nothing out, whatever its range", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t", Settings: sample.TopicSettings()})
		produce(t, source, "t", 0, batch.None, 10, sample.Plain(50, 50, 1))
		c := copier(t, mirror.Config{Source: source, Target: target, FromEarliest: true})
		if _, err := c.Copy(testContext(t), middle); err != nil {
			t.Fatal(err)
		}
		requireEqual(t, side(t, source, "t", 0), side(t, target, "t", 0), 50)
	})

	t.Run("that begins in the middle says so once", func(t *testing.T) {
		t.Parallel()
		source, target := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t", Settings: sample.TopicSettings()})
		produce(t, source, "t", 0, batch.None, 10, sample.Plain(50, 50, 1))
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		c := copier(t, mirror.Config{Source: source, Target: target, Log: func(context.Context) *slog.Logger { return logger }})
		for range 2 {
			if _, err := c.Copy(testContext(t), middle); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Count(log.String(), "begins_at=40 earliest=0"); got != 1 {
			t.Errorf("said %d times, want once:\n%s", got, log.String())
		}
	})
}

func TestTargetWithoutTransactions(t *testing.T) {
	t.Parallel()
	t.Run("is refused, with what is needed, before anything is created there", func(t *testing.T) {
		t.Parallel()
		target, _ := cluster(t, localkafka.Config{Version: "0.10.2"})
		_, err := mirror.New(mirror.Config{Job: "test", Target: target})
		if !errors.Is(err, kafka.ErrUnsupported) || !strings.Contains(err.Error(), target.Brokers()[0]) || !strings.Contains(err.Error(), "0.11") {
			t.Errorf("got %v, want ErrUnsupported that names the target and the release", err)
		}
	})
}

func TestSameTopic(t *testing.T) {
	t.Parallel()
	t.Run("copied to itself is refused before anything is written", func(t *testing.T) {
		t.Parallel()
		source, _ := pair(t)
		createTopic(t, source, kafka.TopicSpec{Name: "t", Settings: sample.TopicSettings()})
		rng := produce(t, source, "t", 0, batch.None, 10, sample.Plain(10, 50, 1))
		_, err := copier(t, mirror.Config{Source: source, Target: source}).Copy(testContext(t), []mirror.Range{rng})
		if !errors.Is(err, mirror.ErrSameTopic) {
			t.Fatalf("got %v, want ErrSameTopic", err)
		}
		if end := side(t, source, "t", 0).End; end != 10 {
			t.Errorf("the topic ends at %d, want 10", end)
		}
	})
}
