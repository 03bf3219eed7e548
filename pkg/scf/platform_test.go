package scf_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

func TestMemorySizes(t *testing.T) {
	t.Parallel()
	var sizes []int
	for mb := -128; mb <= 4096; mb++ {
		if scf.ValidMemory(mb) {
			sizes = append(sizes, mb)
		}
		if near := scf.NearestMemory(mb); !scf.ValidMemory(near) || near < mb && near != scf.MaxMemory {
			t.Errorf("nearest to %d is %d", mb, near)
		}
	}
	if len(sizes) != 25 || sizes[0] != 64 || sizes[1] != 128 || sizes[24] != 3072 {
		t.Errorf("sizes are %v", sizes)
	}
}

func TestOffsetsReadAsTheyAreSpelled(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]scf.Offset{
		"latest": scf.Latest, "earliest": scf.Earliest, "0": 0, "1700000000000": 1_700_000_000_000,
	} {
		got, err := scf.ParseOffset(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%s: got %d, spelled %s, error %v", text, got, got, err)
		}
	}
	for _, text := range []string{"", "-1", "-2", "oldest", "Latest", "1.5", "1e3", "99999999999999999999"} {
		if got, err := scf.ParseOffset(text); err == nil {
			t.Errorf("%q is read as %d", text, got)
		}
	}
}

func TestATriggerCanBeUpdatedInFourSettingsOnly(t *testing.T) {
	t.Parallel()
	base := scf.KafkaTrigger{InstanceID: "i", Topic: "t", ConsumerGroup: "g", MaxMsgNum: 1, TimeOut: 1, Retry: 1, Offset: scf.Latest,
		Enabled: true, Qualifier: "$DEFAULT"}
	for name, c := range map[string]struct {
		change func(*scf.KafkaTrigger)
		want   bool
	}{
		"nothing":   {func(*scf.KafkaTrigger) {}, true},
		"maxMsgNum": {func(k *scf.KafkaTrigger) { k.MaxMsgNum = 2 }, true},
		"timeOut":   {func(k *scf.KafkaTrigger) { k.TimeOut = 2 }, true},
		"retry":     {func(k *scf.KafkaTrigger) { k.Retry = 2 }, true},
		"enable":    {func(k *scf.KafkaTrigger) { k.Enabled = false }, true},
		"offset":    {func(k *scf.KafkaTrigger) { k.Offset = scf.Earliest }, false},
		"group":     {func(k *scf.KafkaTrigger) { k.ConsumerGroup = "h" }, false},
		"topic":     {func(k *scf.KafkaTrigger) { k.Topic = "u" }, false},
		"instance":  {func(k *scf.KafkaTrigger) { k.InstanceID = "j" }, false},
		"qualifier": {func(k *scf.KafkaTrigger) { k.Qualifier = "1" }, false},
	} {
		next := base
		c.change(&next)
		if got := base.UpdatableTo(next); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestATimerCanBeUpdatedInThreeSettingsOnly(t *testing.T) {
	t.Parallel()
	base := scf.TimerTrigger{Name: "hourly", Cron: "0 * * * *", Argument: "a", Enabled: true, Qualifier: "$DEFAULT"}
	for name, c := range map[string]struct {
		change func(*scf.TimerTrigger)
		want   bool
	}{
		"nothing":   {func(*scf.TimerTrigger) {}, true},
		"cron":      {func(t *scf.TimerTrigger) { t.Cron = "1 * * * *" }, true},
		"argument":  {func(t *scf.TimerTrigger) { t.Argument = "b" }, true},
		"enable":    {func(t *scf.TimerTrigger) { t.Enabled = false }, true},
		"name":      {func(t *scf.TimerTrigger) { t.Name = "daily" }, false},
		"qualifier": {func(t *scf.TimerTrigger) { t.Qualifier = "1" }, false},
	} {
		next := base
		c.change(&next)
		if got := base.UpdatableTo(next); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestATriggerHasTheNameAndKindOfThePlatform(t *testing.T) {
	t.Parallel()
	for want, trigger := range map[string]scf.Trigger{
		"ckafka ckafka-1-orders true": {Kafka: &scf.KafkaTrigger{InstanceID: "ckafka-1", Topic: "orders", Enabled: true}},
		"timer hourly false":          {Timer: &scf.TimerTrigger{Name: "hourly"}},
		"cos b.cos.x true":            {COS: &scf.COSTrigger{Bucket: "b.cos.x", Enabled: true}},
		"http url true":               {URL: &scf.URLTrigger{Name: "url", Enabled: true}},
		"  false":                     {},
	} {
		got := trigger.Kind() + " " + trigger.Name()
		if trigger.Enabled() {
			got += " true"
		} else {
			got += " false"
		}
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestAnInvocationIsBilledByTheMillisecondBegun(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]int64{
		-time.Second: 0, 0: 0, 1: 1, time.Millisecond: 1, time.Millisecond + 1: 2, 1760 * time.Millisecond: 1760, time.Hour: 3_600_000,
		math.MaxInt64: 9_223_372_036_855,
	} {
		if got := scf.BilledMillis(d); got != want {
			t.Errorf("%v is billed as %d ms, want %d", d, got, want)
		}
	}
}

func TestCost(t *testing.T) {
	t.Parallel()
	t.Run("of one invocation", func(t *testing.T) {
		t.Parallel()
		var u scf.Usage
		u.Add(256, 1760*time.Millisecond) // 0.44 GBs: the example of 583/12284
		if diff := cmp.Diff(scf.Usage{Invocations: 1, MBMillis: 256 * 1760}, u); diff != "" || u.GBSeconds() != 0.44 {
			t.Errorf("%v GBs, %s", u.GBSeconds(), diff)
		}
		cost := scf.MainlandPrices().Cost(u)
		if near(cost.Compute, 0.44*0.00011108) && near(cost.Invocations, 0.0133/10_000) && near(cost.Total(), cost.Compute+cost.Invocations) {
			return
		}
		t.Errorf("got %+v", cost)
	})
	t.Run("of a million is a million times that of one", func(t *testing.T) {
		t.Parallel()
		var one, million scf.Usage
		one.Add(128, 333*time.Microsecond)
		for range 1_000_000 {
			million.Add(128, 333*time.Microsecond)
		}
		p := scf.MainlandPrices()
		if !near(p.Cost(million).Total(), 1e6*p.Cost(one).Total()) {
			t.Errorf("%v, one %v", p.Cost(million), p.Cost(one))
		}
	})
	t.Run("has prices with a date and a currency", func(t *testing.T) {
		t.Parallel()
		p := scf.MainlandPrices()
		if _, err := time.Parse(time.DateOnly, p.Date); err != nil || p.Currency != "CNY" || p.Region == "" {
			t.Errorf("got %+v", p)
		}
	})
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-12*math.Max(math.Abs(a), math.Abs(b)) }
