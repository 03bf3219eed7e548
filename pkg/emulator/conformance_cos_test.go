package emulator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// What a trigger on a bucket sends, and when.
func cosTests() map[string]func(*testing.T) {
	return map[string]func(*testing.T){
		"cos-settings":  testCOSSettings,
		"cos-overlap":   testCOSOverlap,
		"cos-event":     testCOSEvent,
		"cos-filter":    testCOSFilter,
		"cos-closed":    testCOSClosed,
		"cos-immutable": testCOSImmutable,
		"cos-delete":    testCOSDelete,
		"cos-again":     testCOSAgain,
	}
}

const mediaDomain = "media-1250000000.cos.ap-guangzhou.myqcloud.com"

// onBucket is a trigger on what is put below raw/.
func onBucket(change ...func(*scf.COSTrigger)) scf.Trigger {
	t := scf.COSTrigger{Bucket: mediaDomain, Events: "cos:ObjectCreated:*", Prefix: "raw/", Enabled: true, Qualifier: scf.DefaultQualifier}
	for _, c := range change {
		c(&t)
	}
	return scf.Trigger{COS: &t}
}

// happened is what the bucket tells of an object.
func happened(what, key string) event.COS {
	return event.COS{Records: []event.COSRecord{{
		Event: what, Time: time.Unix(1_790_000_000, 0).UTC(), AppID: "1250000000", Bucket: "media", Region: "gz", Key: key, Size: 7,
		Meta: map[string]string{"Content-Type": "video/mp4"},
	}}}
}

// newBucket runs a platform whose function has these triggers.
func newBucket(t *testing.T, triggers ...scf.Trigger) *timers {
	t.Helper()
	r := newTimers(t)
	r.deployEvents(triggers...)
	r.stop = start(r, r.p)
	await(r, "the platform runs", func() bool {
		_, err := r.p.Send(t.Context(), function, []byte(`{}`), emulator.InvokeOptions{})
		return err == nil
	})
	await(r, "the first event is done", func() bool { return len(r.p.Invocations()) == 1 })
	return r
}

// deployEvents puts the probe on the platform, with triggers of any kind.
func (r *timers) deployEvents(triggers ...scf.Trigger) {
	r.Helper()
	f := scf.Function{
		Name: function, Handler: "main", MemorySize: 256, Timeout: 60,
		Environment: map[string]string{"PROBE_RECORD": r.record, "PROBE_CONTROL": r.control}, Events: triggers,
	}
	if err := r.p.Deploy(r.Context(), f, probeDir); err != nil {
		r.Fatal(err)
	}
}

// put tells the platform of an object, and wants so many events of it.
func (r *timers) put(want int, what, key string) {
	r.Helper()
	if got := r.p.Notify(happened(what, key)); got != want {
		r.Errorf("%s of %s: %d events, want %d", what, key, got, want)
	}
}

func withBucket(change func(*scf.COSTrigger)) func(*scf.Function) {
	return func(f *scf.Function) { f.Events = []scf.Trigger{onBucket(change)} }
}

func testCOSSettings(t *testing.T) {
	d := newDeployment(t)
	for _, events := range []string{"cos:ObjectCreated:*", "cos:ObjectCreated:Put", "cos:ObjectRemove:Delete"} {
		d.takes(events, func(f *scf.Function) {
			f.Name = "etl-" + strings.ToLower(strings.Trim(strings.ReplaceAll(events, ":", "-"), "*-"))
			f.Events = []scf.Trigger{onBucket(func(t *scf.COSTrigger) { t.Events, t.Prefix = events, events })}
		})
	}
	for _, events := range []string{"", "*", "cos:*", "cos:ObjectCreated:", "cos:ObjectMoved:*", "ObjectCreated:*"} {
		d.refuses(events, withBucket(func(t *scf.COSTrigger) { t.Events = events }), "events is", "cos:ObjectCreated:")
	}
	for _, bucket := range []string{"", "media", "media-1250000000", "media.cos.ap-guangzhou.myqcloud.com", "https://" + mediaDomain} {
		d.refuses(bucket, withBucket(func(t *scf.COSTrigger) { t.Bucket = bucket }), "bucket is", "NAME-APPID.cos.REGION")
	}
}

func testCOSOverlap(t *testing.T) {
	d := newDeployment(t)
	d.takes("the first", func(f *scf.Function) {
		f.Events = []scf.Trigger{onBucket(func(t *scf.COSTrigger) { t.Suffix = ".mp4" })}
	})
	others := 0
	other := func(change func(*scf.COSTrigger)) func(*scf.Function) {
		others++
		return func(f *scf.Function) {
			f.Name, f.Events = fmt.Sprintf("other-%d", others), []scf.Trigger{onBucket(func(t *scf.COSTrigger) {
				t.Suffix = ".mp4"
				change(t)
			})}
		}
	}
	d.refuses("the same rule", other(func(*scf.COSTrigger) {}), "overlaps", function)
	d.refuses("a rule that holds the first", other(func(t *scf.COSTrigger) { t.Prefix, t.Suffix = "", "" }), "overlaps")
	d.refuses("a rule that is in the first", other(func(t *scf.COSTrigger) { t.Prefix, t.Events = "raw/a/", "cos:ObjectCreated:Put" }), "overlaps")
	d.takes("another suffix", other(func(t *scf.COSTrigger) { t.Suffix = ".mov" }))
	d.takes("another prefix", other(func(t *scf.COSTrigger) { t.Prefix = "done/" }))
	d.takes("another event", other(func(t *scf.COSTrigger) { t.Events = "cos:ObjectRemove:*" }))
	d.takes("another bucket", other(func(t *scf.COSTrigger) { t.Bucket = "other-1250000000.cos.ap-guangzhou.myqcloud.com" }))
	d.takes("the first again", func(f *scf.Function) {
		f.Events = []scf.Trigger{onBucket(func(t *scf.COSTrigger) { t.Suffix = ".mp4" })}
	})
}

func testCOSEvent(t *testing.T) {
	r := newBucket(t, onBucket())
	r.put(1, "cos:ObjectCreated:Put", "raw/a.mp4")
	r.awaitSucceeded(1)
	want, err := happened("cos:ObjectCreated:Put", "raw/a.mp4").MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if got := r.deliveries(); len(got) != 2 || got[1].Event != string(want) {
		t.Errorf("got %+v, want %s", got, want)
	}
	if s := r.trigger(); s.COS == nil || s.COS.Bucket != "media-1250000000" || s.COS.State != emulator.Waiting || s.Async.Sent != 1 {
		t.Errorf("status %+v", s)
	}
}

func testCOSFilter(t *testing.T) {
	r := newBucket(t, onBucket(func(t *scf.COSTrigger) { t.Suffix = ".mp4" }))
	r.put(1, "cos:ObjectCreated:CompleteMultipartUpload", "raw/.mp4")
	r.put(0, "cos:ObjectCreated:Put", "raw/a.mov")
	r.put(0, "cos:ObjectCreated:Put", "a/raw/a.mp4")
	r.put(0, "cos:ObjectRemove:Delete", "raw/a.mp4")
	e := happened("cos:ObjectCreated:Put", "raw/a.mp4")
	e.Records[0].AppID = "1250000001"
	if n := r.p.Notify(e); n != 0 {
		t.Errorf("%d events of another bucket", n)
	}
	two := happened("cos:ObjectCreated:Put", "raw/a.mp4")
	two.Records = append(two.Records, happened("cos:ObjectCreated:Copy", "raw/b.mp4").Records...)
	if n := r.p.Notify(two); n != 2 {
		t.Errorf("%d events of two objects", n)
	}
	r.awaitSucceeded(3)
}

func testCOSClosed(t *testing.T) {
	closed := onBucket(func(t *scf.COSTrigger) { t.Enabled = false })
	r := newBucket(t, closed)
	r.put(0, "cos:ObjectCreated:Put", "raw/a.mp4")
	if s := r.trigger(); s.Enabled || s.COS.State != emulator.Stopped {
		t.Errorf("closed: %+v", s)
	}
	if err := r.p.UpdateTrigger(t.Context(), function, onBucket()); err != nil {
		t.Fatal(err)
	}
	r.put(1, "cos:ObjectCreated:Put", "raw/b.mp4")
	r.awaitSucceeded(1)
}

func testCOSImmutable(t *testing.T) {
	r := newBucket(t, onBucket())
	for name, change := range map[string]func(*scf.COSTrigger){
		"events": func(t *scf.COSTrigger) { t.Events = "cos:ObjectRemove:*" },
		"prefix": func(t *scf.COSTrigger) { t.Prefix = "other/" },
		"suffix": func(t *scf.COSTrigger) { t.Suffix = ".mp4" },
	} {
		if err := r.p.UpdateTrigger(t.Context(), function, onBucket(change)); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "cannot be changed") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	r.put(1, "cos:ObjectCreated:Put", "raw/a.mp4")
}

func testCOSDelete(t *testing.T) {
	r := newBucket(t, onBucket())
	r.put(1, "cos:ObjectCreated:Put", "raw/a.mp4")
	if err := r.p.DeleteTrigger(t.Context(), function, "cos", mediaDomain); err != nil {
		t.Fatal(err)
	}
	r.put(0, "cos:ObjectCreated:Put", "raw/b.mp4")
	await(t, "what it has sent is done", func() bool { return len(r.p.Invocations()) == 2 })
}

func testCOSAgain(t *testing.T) {
	r := newBucket(t, onBucket())
	r.do(`[{"Error":"not yet"}]`)
	r.put(1, "cos:ObjectCreated:Put", "raw/a.mp4")
	r.awaitRetry(time.Minute)
	r.clock.advance(time.Minute)
	r.awaitRetry(time.Minute)
	r.do(``)
	r.clock.advance(time.Minute)
	r.awaitSucceeded(1)
	sameEvent(t, r.deliveries()[1:])
}
