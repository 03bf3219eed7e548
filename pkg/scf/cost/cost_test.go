package cost_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/scf/cost"
)

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }

// load is 1,000 records of 1,000 bytes in a second in 4 partitions.
func load() cost.Load {
	return cost.Load{RecordsPerSecond: 1000, RecordBytes: 1000, Partitions: 4, Batch: 10000, BatchTime: time.Second,
		Duration: 40 * time.Millisecond, MemoryMB: 256}
}

func TestCallsPerSecond(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		change func(*cost.Load)
		want   float64
	}{
		"an event is sent when its time is over":        {func(*cost.Load) {}, 4},
		"a longer time makes fewer events":              {func(l *cost.Load) { l.BatchTime = 10 * time.Second }, 0.4},
		"an event is sent when it has its records":      {func(l *cost.Load) { l.Batch = 50 }, 20},
		"no event is sent without a record":             {func(l *cost.Load) { l.RecordsPerSecond = 2 }, 2},
		"an event is sent when it has 6 MB":             {func(l *cost.Load) { l.RecordBytes = 1<<20 - 100; l.RecordsPerSecond = 48 }, 8},
		"a record too large for two goes alone":         {func(l *cost.Load) { l.RecordBytes = 6 << 20; l.RecordsPerSecond = 8 }, 8},
		"calls of a timer are those that are described": {func(l *cost.Load) { *l = cost.Load{CallsPerHour: 60} }, 1.0 / 60},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			l := load()
			c.change(&l)
			if got := l.CallsPerSecond(); !near(got, c.want) {
				t.Errorf("%v calls in a second, want %v", got, c.want)
			}
		})
	}
}

func TestUse(t *testing.T) {
	t.Parallel()
	t.Run("a month is 30 days of calls, memory x billed time, and bytes that leave", func(t *testing.T) {
		t.Parallel()
		l := load()
		l.EgressShare = 0.5
		got, err := l.Use("dump")
		calls := 4 * 30 * 86400.0
		if err != nil || !near(got.Calls, calls) || !near(got.GBSeconds, calls*0.25*0.04) || !near(got.EgressGB, 1e6*0.5*30*86400/(1<<30)) {
			t.Errorf("%+v, %v", got, err)
		}
	})
	t.Run("a started millisecond is billed in full", func(t *testing.T) {
		t.Parallel()
		l := load()
		l.Duration = 39*time.Millisecond + 1
		a, errA := l.Use("dump")
		b, errB := load().Use("dump")
		if errA != nil || errB != nil || a != b {
			t.Errorf("%+v %v, want %+v %v", a, errA, b, errB)
		}
	})
	t.Run("an event takes longer for each record that it has", func(t *testing.T) {
		t.Parallel()
		l := load()
		l.PerRecord = 100 * time.Microsecond // of 250 records in an event
		got, err := l.Use("dump")
		if err != nil || !near(got.GBSeconds, got.Calls*0.25*0.065) || !near(l.Busy(), 0.065) {
			t.Errorf("%+v, %v", got, err)
		}
	})
	for what, c := range map[string]struct {
		change func(*cost.Load)
		says   string
	}{
		"neither records nor calls":       {func(l *cost.Load) { l.RecordsPerSecond = 0 }, "either records"},
		"records and calls":               {func(l *cost.Load) { l.CallsPerHour = 1 }, "either records"},
		"a negative rate":                 {func(l *cost.Load) { l.RecordsPerSecond = -1 }, "either records"},
		"memory off the steps":            {func(l *cost.Load) { l.MemoryMB = 200 }, "steps of 128"},
		"no duration":                     {func(l *cost.Load) { l.Duration = 0 }, "duration"},
		"a duration over the limit":       {func(l *cost.Load) { l.Duration = 901 * time.Second }, "900 s"},
		"records that take too long":      {func(l *cost.Load) { l.PerRecord = time.Minute }, "900 s"},
		"no partition":                    {func(l *cost.Load) { l.Partitions = 0 }, "partitions"},
		"a record that is too large":      {func(l *cost.Load) { l.RecordBytes = 6<<20 + 1 }, "does not fit"},
		"a batch that is too large":       {func(l *cost.Load) { l.Batch = 10001 }, "10000 records"},
		"a batch time that is too long":   {func(l *cost.Load) { l.BatchTime = time.Hour }, "60 s"},
		"more egress than there are data": {func(l *cost.Load) { l.EgressShare = 1.1 }, "0 to 1"},
	} {
		t.Run(what+" is refused, and the error says what is allowed", func(t *testing.T) {
			t.Parallel()
			l := load()
			c.change(&l)
			if _, err := l.Use("dump"); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error is %v, want one with %q", err, c.says)
			}
		})
	}
}

func TestBill(t *testing.T) {
	t.Parallel()
	tariff := cost.Tariff{Prices: scf.MainlandPrices(), PerEgressGB: 0.5, MachineMonth: 300}

	t.Run("the cost is that of package scf for the same calls, and egress", func(t *testing.T) {
		t.Parallel()
		var day scf.Usage
		for range 1000 {
			day.Add(512, 250*time.Millisecond)
		}
		l := cost.Load{CallsPerHour: 1000.0 / 24, Duration: 250 * time.Millisecond, MemoryMB: 512}
		b, err := tariff.Described("report", l)
		if want := 30 * scf.MainlandPrices().Cost(day).Total(); err != nil || !near(b.Total, want) || b.Unpriced {
			t.Errorf("%+v, %v; want %v", b, err, want)
		}
		b = tariff.Bill([]cost.Use{{Function: "a", EgressGB: 4}, {Function: "b", Calls: 1e6}})
		if !near(b.Total, 2+1.33) || len(b.Functions) != 2 || !near(b.Machine.Share, 3.33/300) {
			t.Errorf("%+v", b)
		}
	})
	t.Run("egress without a price is told, and costs nothing here", func(t *testing.T) {
		t.Parallel()
		b := cost.Tariff{Prices: scf.MainlandPrices()}.Bill([]cost.Use{{EgressGB: 4}})
		if !b.Unpriced || b.Total != 0 || b.Machine != nil {
			t.Errorf("%+v", b)
		}
	})
	t.Run("at the load of the break-even the machine costs the same", func(t *testing.T) {
		t.Parallel()
		l := load()
		l.Batch, l.Partitions, l.Duration = 100, 20, 10*time.Millisecond
		b, err := tariff.Described("dump", l)
		if err != nil || b.Machine.BreakEvenLoad <= l.RecordsPerSecond {
			t.Fatalf("%+v, %v", b.Machine, err)
		}
		l.RecordsPerSecond = b.Machine.BreakEvenLoad
		if b, err = tariff.Described("dump", l); err != nil || math.Abs(b.Total-300) > 1e-3 {
			t.Errorf("at %v records it costs %v, %v", l.RecordsPerSecond, b.Total, err)
		}
	})
	t.Run("a break-even that the partitions do not carry is none", func(t *testing.T) {
		t.Parallel()
		l := load()
		l.RecordsPerSecond, l.Partitions, l.Batch = 100, 1, 10
		b, err := tariff.Described("dump", l)
		if err != nil || b.Machine.BreakEvenLoad != 0 || b.Machine.BreakEvenFactor != 0 {
			t.Errorf("%+v, %v", b.Machine, err)
		}
	})
	t.Run("a load that costs more than the machine breaks even below itself", func(t *testing.T) {
		t.Parallel()
		b, err := cost.Tariff{Prices: scf.MainlandPrices(), MachineMonth: 1}.Described("report",
			cost.Load{CallsPerHour: 3600, Duration: time.Second, MemoryMB: 1024})
		if err != nil || b.Machine.Share <= 1 || b.Machine.BreakEvenFactor >= 1 || !near(b.Machine.BreakEvenFactor, 1/b.Total) {
			t.Errorf("%+v, %v", b.Machine, err)
		}
	})
	t.Run("a partition that is busy all the time falls behind", func(t *testing.T) {
		t.Parallel()
		l := load()
		if l.Duration = 2 * time.Second; !near(l.Busy(), 2) {
			t.Errorf("busy %v", l.Busy())
		}
	})
}

func TestMeasured(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	hour := func() (all []cost.Invocation) {
		for i := range 3600 {
			d := 40 * time.Millisecond
			if i == 3599 {
				d = time.Second
			}
			all = append(all, cost.Invocation{Function: "etl-dev-dump", Start: start.Add(time.Duration(i) * time.Second),
				Duration: d, BilledMS: 40, MemoryMB: 256})
		}
		return all
	}
	t.Run("a month is like the window", func(t *testing.T) {
		t.Parallel()
		uses, err := cost.Measured(hour(), 0)
		if err != nil || len(uses) != 1 || !near(uses[0].Calls, 3600*720) || !near(uses[0].GBSeconds, 36*720) {
			t.Errorf("%+v, %v", uses, err)
		}
	})
	t.Run("functions and memory sizes are apart", func(t *testing.T) {
		t.Parallel()
		all := append(hour()[:2], cost.Invocation{Function: "a", Start: start, BilledMS: 1, MemoryMB: 64})
		all[1].MemoryMB = 128
		uses, err := cost.Measured(all, time.Hour)
		if err != nil || len(uses) != 3 || uses[0].Function != "a" || uses[1].MemoryMB != 128 || !near(uses[2].Calls, 720) {
			t.Errorf("%+v, %v", uses, err)
		}
	})
	t.Run("too short a time is refused, unless one says what it stands for", func(t *testing.T) {
		t.Parallel()
		if _, err := cost.Measured(hour()[:3], 0); err == nil || !strings.Contains(err.Error(), "window") {
			t.Errorf("error is %v", err)
		}
		if _, err := cost.Measured(nil, time.Hour); err == nil {
			t.Error("no invocations cost nothing")
		}
	})
	t.Run("what the platform writes is read, one after the other", func(t *testing.T) {
		t.Parallel()
		line, err := json.MarshalIndent(emulator.Invocation{Function: "f", Start: start, Duration: time.Second, BilledMS: 1000, MemoryMB: 128}, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		all, err := cost.Read(strings.NewReader(string(line) + string(line) + "\n" + string(line)))
		want := cost.Invocation{Function: "f", Start: start, Duration: time.Second, BilledMS: 1000, MemoryMB: 128}
		if err != nil || len(all) != 3 || all[2] != want {
			t.Errorf("%+v, %v", all, err)
		}
	})
	for what, text := range map[string]string{
		"what is no JSON":            "invoked",
		"JSON that is no invocation": `{"driven": true}`,
		"half an invocation":         `{"function": "f", "start": "2026-11-01T00:00:00Z", "memoryMb": 128}` + "\n{\"func",
	} {
		t.Run(what+" is refused with its number", func(t *testing.T) {
			t.Parallel()
			if _, err := cost.Read(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), "invocation ") {
				t.Errorf("error is %v", err)
			}
		})
	}
}
