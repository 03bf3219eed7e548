package kafka_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// spans gives the first and last offset of each batch.
func spans(t *testing.T, batches []byte) [][2]int64 {
	t.Helper()
	var all [][2]int64
	for {
		b, rest, err := batch.Next(batches)
		if err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return all
		}
		all, batches = append(all, [2]int64{b.BaseOffset(), b.LastOffset()}), rest
	}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 1, "empty": 1, "short": 1}})
	c := connect(t, kafka.Config{Brokers: cluster.Brokers()})
	big := bytes.Repeat([]byte("x"), 50_000)
	for range 4 { // offsets 0-2, 3-5, 6-8, 9-11
		if _, err := c.Produce(deadline(t), "t", 0, batch.Record{Value: big}, batch.Record{Value: big}, batch.Record{Value: big}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Produce(deadline(t), "short", 0, values("%d", 10)...); err != nil {
		t.Fatal(err)
	}
	deleteRecords(t, cluster.Brokers(), "short", 4)

	for _, test := range []struct {
		requirement string
		q           kafka.FetchRequest
		want        [][2]int64
	}{
		{"gives what fits into a MiB without being told", kafka.FetchRequest{}, [][2]int64{{0, 2}, {3, 5}, {6, 8}, {9, 11}}},
		{"gives no more batches than fit", kafka.FetchRequest{MaxBytes: 400_000}, [][2]int64{{0, 2}, {3, 5}}},
		{"gives a batch that is larger than MaxBytes alone, whole", kafka.FetchRequest{MaxBytes: 10}, [][2]int64{{0, 2}}},
		{"begins with the batch that holds the offset", kafka.FetchRequest{Offset: 7, MaxBytes: 10}, [][2]int64{{6, 8}}},
		{"gives nothing at the end", kafka.FetchRequest{Offset: 12}, nil},
		{"takes all settings at once", kafka.FetchRequest{Offset: 3, MaxBytes: 200_000, MinBytes: 1, MaxWait: time.Second, ReadCommitted: true}, [][2]int64{{3, 5}}},
	} {
		t.Run(test.requirement, func(t *testing.T) {
			t.Parallel()
			test.q.Topic = "t"
			var buf kafka.Buffer
			got, err := c.Fetch(deadline(t), test.q, &buf)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, spans(t, got.Batches)); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
			got.Batches = nil
			if diff := cmp.Diff(kafka.FetchResponse{HighWatermark: 12, LastStable: 12}, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("waits for MinBytes, for as long as MaxWait", func(t *testing.T) {
		t.Parallel()
		var buf kafka.Buffer
		begun := time.Now()
		got, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "empty", MinBytes: 1, MaxWait: 300 * time.Millisecond}, &buf)
		if err != nil || len(got.Batches) > 0 || time.Since(begun) < 250*time.Millisecond {
			t.Errorf("%d bytes after %v, error %v", len(got.Batches), time.Since(begun), err)
		}
	})

	t.Run("waits longer than the request time-out where MaxWait says so", func(t *testing.T) {
		t.Parallel()
		hasty := connect(t, kafka.Config{Brokers: cluster.Brokers(), RequestTimeout: time.Second})
		var buf kafka.Buffer
		if _, err := hasty.Fetch(deadline(t), kafka.FetchRequest{Topic: "empty", MinBytes: 1, MaxWait: 1500 * time.Millisecond}, &buf); err != nil {
			t.Error(err)
		}
	})

	t.Run("tells where the partition begins", func(t *testing.T) {
		t.Parallel()
		var buf kafka.Buffer
		got, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "short", Offset: 4}, &buf)
		if err != nil || got.LogStart != 4 {
			t.Errorf("begins at %d, error %v, want 4", got.LogStart, err)
		}
	})

	for name, q := range map[string]kafka.FetchRequest{
		"before the first": {Topic: "short", Offset: 3},
		"after the end":    {Topic: "t", Offset: 13},
		"below zero":       {Topic: "t", Offset: -5},
	} {
		t.Run("has no offset "+name, func(t *testing.T) {
			t.Parallel()
			var buf kafka.Buffer
			_, err := c.Fetch(deadline(t), q, &buf)
			if !errors.Is(err, kafka.ErrOffsetOutOfRange) || kafka.Retriable(err) || !strings.HasPrefix(err.Error(), "fetch "+q.Topic+"/0 at offset ") {
				t.Errorf("error %v, want ErrOffsetOutOfRange with the place", err)
			}
		})
	}

	for name, q := range map[string]kafka.FetchRequest{"topic": {Topic: "missing"}, "partition": {Topic: "t", Partition: 9}} {
		t.Run("knows no unknown "+name, func(t *testing.T) {
			t.Parallel()
			var buf kafka.Buffer
			if _, err := c.Fetch(deadline(t), q, &buf); !errors.Is(err, kafka.ErrUnknownTopic) || !kafka.Retriable(err) {
				t.Errorf("error %v, want ErrUnknownTopic, retriable: it may be new", err)
			}
		})
	}

	t.Run("reads into the same memory again", func(t *testing.T) {
		t.Parallel()
		var buf kafka.Buffer
		first, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t"}, &buf)
		if err != nil {
			t.Fatal(err)
		}
		second, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t", Offset: 3, MaxBytes: 10}, &buf)
		if err != nil {
			t.Fatal(err)
		}
		if &first.Batches[0] != &second.Batches[0] {
			t.Error("the second answer is not where the first was")
		}
		if diff := cmp.Diff([][2]int64{{3, 5}}, spans(t, second.Batches)); diff != "" {
			t.Errorf("batches (-want +got):\n%s", diff)
		}
	})
}

func TestFetchFaults(t *testing.T) {
	t.Parallel()

	t.Run("of a topic that the user may not see is about the right, not the topic", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t)
		forbidden := func(request *kmsg.MetadataRequest) kmsg.Response { return metadataError(request, 29) }
		onlyOurs(fake, forbidden, forbidden)
		var buf kafka.Buffer
		if _, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "secret"}, &buf); !errors.Is(err, kafka.ErrAuthorization) || kafka.Retriable(err) {
			t.Errorf("error %v, want ErrAuthorization", err)
		}
		if _, err := c.ProduceBatches(deadline(t), "secret", 0, "", builds(t, 1)); !errors.Is(err, kafka.ErrAuthorization) || kafka.Retriable(err) {
			t.Errorf("error %v, want ErrAuthorization", err)
		}
	})

	t.Run("of a broker that never answers is a time-out, and the next one works", func(t *testing.T) {
		t.Parallel()
		cluster := brokers(t, localkafka.Config{Topics: map[string]int32{"t": 1}})
		c := connect(t, kafka.Config{Brokers: cluster.Brokers(), RequestTimeout: time.Second})
		silent(cluster.Fake(), kmsg.Fetch)
		var buf kafka.Buffer
		_, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t"}, &buf)
		if !kafka.Retriable(err) || !strings.Contains(err.Error(), "request timed out after 1s") {
			t.Errorf("error %v, want a retriable time-out", err)
		}
		if _, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t"}, &buf); err != nil {
			t.Error(err)
		}
	})

	t.Run("of a broker that never answers ends with the context", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		asked := silent(fake, kmsg.Fetch)
		ctx, cancel := context.WithCancel(deadline(t))
		go func() {
			<-asked
			cancel()
		}()
		var buf kafka.Buffer
		begun := time.Now()
		_, err := c.Fetch(ctx, kafka.FetchRequest{Topic: "t"}, &buf)
		if !errors.Is(err, context.Canceled) || kafka.Retriable(err) || time.Since(begun) > 10*time.Second {
			t.Errorf("error %v after %v, want the context's", err, time.Since(begun))
		}
		if _, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t"}, &buf); err != nil {
			t.Error(err)
		}
	})

	t.Run("of a connection that breaks is retriable", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		cut(fake, kmsg.Fetch)
		var buf kafka.Buffer
		if _, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t"}, &buf); !kafka.Retriable(err) {
			t.Errorf("error %v, want a retriable one", err)
		}
	})

	t.Run("with an error for the whole request is that error", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, func(request *kmsg.FetchRequest) kmsg.Response {
			response := request.ResponseKind().(*kmsg.FetchResponse)
			response.ErrorCode = 56 // KAFKA_STORAGE_ERROR
			return response
		})
		var buf kafka.Buffer
		if _, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t"}, &buf); !kafka.Retriable(err) || !strings.Contains(err.Error(), "broker error 56") {
			t.Errorf("error %v, want code 56", err)
		}
	})

	t.Run("that is none of a topic is an error, not an empty answer", func(t *testing.T) {
		t.Parallel()
		c, fake := single(t, "t")
		refuse(fake, func(request *kmsg.FetchRequest) kmsg.Response { return request.ResponseKind() })
		var buf kafka.Buffer
		if _, err := c.Fetch(deadline(t), kafka.FetchRequest{Topic: "t"}, &buf); err == nil || !strings.Contains(err.Error(), "answer for 0 topics") {
			t.Errorf("error %v, want one about the answer", err)
		}
	})
}
