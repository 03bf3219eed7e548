package cost

import (
	"fmt"
	"math"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Load is a load that is described: records of a topic, or calls of another kind.
type Load struct {
	// RecordsPerSecond arrive in the topic, evenly in its Partitions, each of
	// RecordBytes.
	RecordsPerSecond float64
	RecordBytes      int
	Partitions       int
	// Batch and BatchTime are maxMsgNum and timeOut of the trigger: an event is sent
	// with so many records, or after that time.
	Batch     int
	BatchTime time.Duration
	// CallsPerHour are those of a timer, say; a load has either these or records.
	CallsPerHour float64
	// Duration is how long the function runs for an event, and PerRecord how much
	// longer for each record of it.
	Duration, PerRecord time.Duration
	MemoryMB            int
	// EgressShare is which part of the records' bytes goes to the internet: 1 for a
	// copy to a cluster elsewhere, 0 for one in the same private network.
	EgressShare float64
}

// eventOverhead is about what the JSON of an event has for each record beside key
// and body, in bytes.
const eventOverhead = 100

// Use gives what a function uses in a month under the load. An error says what of
// the load cannot be.
func (l Load) Use(function string) (Use, error) {
	if err := l.check(); err != nil {
		return Use{}, err
	}
	calls := l.CallsPerSecond() * Month.Seconds()
	return Use{
		Function: function, MemoryMB: l.MemoryMB, Calls: calls,
		GBSeconds: calls * gbSeconds(l.MemoryMB, scf.BilledMillis(l.running())),
		EgressGB:  l.EgressShare * l.RecordsPerSecond * float64(l.RecordBytes) * Month.Seconds() / (1 << 30),
	}, nil
}

func (l Load) check() error {
	switch {
	case l.RecordsPerSecond < 0 || l.CallsPerHour < 0 || (l.RecordsPerSecond > 0) == (l.CallsPerHour > 0):
		return fmt.Errorf("a load has either records in a second or calls in an hour, more than 0")
	case !scf.ValidMemory(l.MemoryMB):
		return fmt.Errorf("memory is %d MB, and the platform has 64 or 128 to 3072 in steps of 128", l.MemoryMB)
	case l.Duration < 0 || l.PerRecord < 0 || l.Duration+l.PerRecord == 0:
		return fmt.Errorf("a duration for an event, or for a record of it, has to be more than 0")
	case l.EgressShare < 0 || l.EgressShare > 1:
		return fmt.Errorf("the share of egress is %v: 0 to 1", l.EgressShare)
	case l.CallsPerHour > 0:
		return l.checkRunning()
	case l.Partitions < 1:
		return fmt.Errorf("%d partitions are none", l.Partitions)
	case l.RecordBytes < 0 || l.RecordBytes > scf.MaxSyncPayload:
		return fmt.Errorf("a record of %d bytes does not fit into an event of %d", l.RecordBytes, scf.MaxSyncPayload)
	case l.Batch < scf.MinMaxMsgNum || l.Batch > scf.MaxMaxMsgNum:
		return fmt.Errorf("a batch is %d to %d records, not %d", scf.MinMaxMsgNum, scf.MaxMaxMsgNum, l.Batch)
	case l.BatchTime < scf.MinBatchTime*time.Second || l.BatchTime > scf.MaxBatchTime*time.Second:
		return fmt.Errorf("a batch is filled for %d to %d s, not %v", scf.MinBatchTime, scf.MaxBatchTime, l.BatchTime)
	}
	return l.checkRunning()
}

func (l Load) checkRunning() error {
	if d := l.running(); d > scf.MaxTimeout*time.Second {
		return fmt.Errorf("an event would take %v, and the platform ends it after %d s", d, scf.MaxTimeout)
	}
	return nil
}

// running is how long the function runs for an event of the load.
func (l Load) running() time.Duration {
	if l.CallsPerHour > 0 {
		return l.Duration
	}
	return l.Duration + time.Duration(l.RecordsPerSecond/l.CallsPerSecond()*float64(l.PerRecord))
}

// CallsPerSecond is how often the function is called. A partition sends an event
// when it is full, by records or bytes, or when its time is over, but none without
// a record.
func (l Load) CallsPerSecond() float64 {
	if l.CallsPerHour > 0 {
		return l.CallsPerHour / time.Hour.Seconds()
	}
	partition := l.RecordsPerSecond / float64(l.Partitions)
	events := max(partition/l.recordsOfAnEvent(), 1/l.BatchTime.Seconds())
	return float64(l.Partitions) * min(partition, events)
}

// recordsOfAnEvent is how many records a full event has.
func (l Load) recordsOfAnEvent() float64 {
	fit := scf.MaxSyncPayload / (l.RecordBytes + eventOverhead)
	return float64(max(1, min(l.Batch, fit)))
}

// Busy is the share of the time in which a partition's function runs. Above 1 it
// falls behind: the next event of a partition waits for the one before.
func (l Load) Busy() float64 {
	if l.CallsPerHour > 0 {
		return 0
	}
	return l.CallsPerSecond() / float64(l.Partitions) * l.running().Seconds()
}

// breakEven gives the records in a second, or calls in an hour, at which a load
// like this costs as much as price; +Inf where none does within what the platform
// can carry.
func (l Load) breakEven(price float64, costOf func(Use) float64) float64 {
	at := func(factor float64) (float64, bool) {
		m := l
		m.RecordsPerSecond *= factor
		m.CallsPerHour *= factor
		use, err := m.Use("")
		return costOf(use), err == nil && m.Busy() <= 1
	}
	low, high := 0.0, 1.0
	for cost, ok := at(high); ok && cost < price; cost, ok = at(high) {
		if low, high = high, 2*high; high > 1e12 {
			return math.Inf(1)
		}
	}
	for range 60 {
		middle := (low + high) / 2
		if cost, ok := at(middle); ok && cost < price {
			low = middle
		} else {
			high = middle
		}
	}
	if _, ok := at(high); !ok {
		return math.Inf(1)
	}
	return high * max(l.RecordsPerSecond, l.CallsPerHour)
}
