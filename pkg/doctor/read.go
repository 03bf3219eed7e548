package doctor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// maxRead bounds the partitions of a topic whose records are looked at.
const maxRead = 16

// checkReading fetches the first and the last records of each partition.
// Nothing is committed, and no group is joined.
func (t *topic) checkReading(ctx context.Context, health kafka.TopicHealth) {
	const check = "reading it"
	c := t.source
	if health.Operations.Known() && !health.Operations.Allow(kafka.OperationRead) {
		t.fail(check, c.allow(topicNamed(t.name), kafka.OperationRead), "the user has no READ on the topic")
		return
	}
	var partitions []int32
	for _, p := range health.Partitions {
		if p.Leader >= 0 {
			partitions = append(partitions, p.ID)
		}
	}
	first, err := c.client.Offsets(ctx, t.name, kafka.Earliest, partitions...)
	var end map[int32]int64
	if err == nil {
		end, err = c.client.Offsets(ctx, t.name, kafka.Latest, partitions...)
	}
	if err == nil {
		err = t.read(ctx, partitions[:min(len(partitions), maxRead)], first, end)
	}
	switch {
	case errors.Is(err, kafka.ErrAuthorization):
		t.fail(check, c.allow(topicNamed(t.name), kafka.OperationRead), "the user has no READ on the topic")
		return
	case err != nil:
		t.fail(check, "see whether the brokers that lead its partitions can be reached, above", "%v", err)
		return
	}
	offsets := int64(0)
	for p := range end {
		offsets += end[p] - first[p]
	}
	found := fmt.Sprintf("%d offsets", offsets)
	switch {
	case offsets == 0:
		found = "it holds no records now; none was read"
	case t.newest > 0:
		found += fmt.Sprintf("; records that were read are of %s to %s", at(t.oldest), at(t.newest))
	}
	if len(partitions) > maxRead {
		found += fmt.Sprintf("; %d of %d partitions were looked into", maxRead, len(partitions))
	}
	t.ok(check, "%s", found)
}

// read fetches around the first and the last offset, and keeps the times.
func (t *topic) read(ctx context.Context, partitions []int32, first, end map[int32]int64) error {
	var mu sync.Mutex
	var fetches errgroup.Group
	fetches.SetLimit(4)
	for _, p := range partitions {
		if first[p] == end[p] {
			continue
		}
		fetches.Go(func() error {
			for _, offset := range []int64{first[p], end[p] - 1} {
				got, err := t.source.client.FetchRecords(ctx, kafka.FetchRequest{Topic: t.name, Partition: p, Offset: offset, MaxBytes: 64 << 10})
				if errors.Is(err, kafka.ErrOffsetOutOfRange) {
					continue // retention or a compaction was faster
				}
				if err != nil {
					return err
				}
				mu.Lock()
				for _, r := range got.Records {
					if r.Timestamp > t.newest {
						t.newest = r.Timestamp
					}
					if t.oldest == 0 || r.Timestamp < t.oldest {
						t.oldest = r.Timestamp
					}
				}
				mu.Unlock()
			}
			return nil
		})
	}
	return fetches.Wait()
}

// clockSlack is what two clocks may differ by that are set by NTP, and a
// record may be on its way.
const clockSlack = 2 * time.Second

// checkClock tells what records tell of the clocks. Kafka has no request for
// its time, and a time stamp is that of whoever has written the record: one
// that is to come shows that a clock is wrong, one that is past shows nothing.
func (t *topic) checkClock() {
	if t.newest == 0 {
		return
	}
	const check = "clock"
	ahead := time.Duration(t.newest-t.doctor.Now().UnixMilli()) * time.Millisecond
	if t.newest > maxTime {
		ahead = 100 * 365 * 24 * time.Hour
	}
	whose := "the producers'"
	if t.settings[settingTimeType] == logAppendTime {
		whose = "the source brokers'"
	}
	if ahead <= clockSlack {
		t.ok(check, "no record that was read is ahead of this machine's clock; Kafka tells no more without writing")
		return
	}
	t.warn(check, "compare the clocks with a time server: chronyc tracking, or timedatectl; on this machine and on "+whose,
		"a record is %s ahead of this machine's clock: that clock is behind, or %s ahead", span(ahead), whose)
}

// maxTime is the last time stamp that can be compared without overflow.
const maxTime = int64(1) << 42 // the year 2109
