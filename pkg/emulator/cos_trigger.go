package emulator

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// COSStatus is a trigger on a bucket.
type COSStatus struct {
	Bucket string `json:"bucket"` // NAME-APPID
	Events string `json:"events"`
	Prefix string `json:"prefix,omitempty"`
	Suffix string `json:"suffix,omitempty"`
	State  State  `json:"state"` // Waiting or Stopped
}

// cosTrigger sends an event for each object that it matches.
type cosTrigger struct {
	platform *Platform
	function string
	name     string
	sent     asyncStatus

	mu     sync.Mutex
	set    scf.COSTrigger
	events *asyncRun // takes events; nil while it is not running
}

// checkCOS refuses what the cloud refuses of a trigger on a bucket.
func checkCOS(t scf.COSTrigger) error {
	var errs []error
	if !scf.ValidBucketDomain(t.Bucket) {
		errs = append(errs, fmt.Errorf("bucket is %q, want its domain: NAME-APPID.cos.REGION.myqcloud.com", t.Bucket))
	}
	if !scf.ValidCOSEvent(t.Events) {
		errs = append(errs, fmt.Errorf("events is %q, allowed are %s", t.Events, scf.COSEvents))
	}
	return errors.Join(errs...)
}

// clear refuses a trigger on a bucket that overlaps with another one, which would get
// the same events. Those of the function whose deployment replaces them do not count.
func (p *Platform) clear(id string, t scf.COSTrigger, replaced bool) error {
	for _, other := range p.list() {
		s := other.settings().COS
		if s == nil || other.key() == (triggerKey{id, "cos", t.Bucket}) || replaced && other.key().function == id {
			continue
		}
		if t.Overlaps(*s) {
			return fmt.Errorf("trigger %s: %w: trigger %s of %s has %s, prefix %q, suffix %q", t.Bucket, ErrOverlap,
				other.key().name, other.key().function, s.Events, s.Prefix, s.Suffix)
		}
	}
	return nil
}

func (t *cosTrigger) key() triggerKey { return triggerKey{t.function, "cos", t.name} }

func (t *cosTrigger) settings() scf.Trigger {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.set
	return scf.Trigger{COS: &s}
}

func (t *cosTrigger) change(to scf.Trigger) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.set = *to.COS
}

func (t *cosTrigger) close() error { return nil }

// start takes notifications from now on. Platform.mu is held.
func (t *cosTrigger) start(context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = t.platform.async
}

// halt ends that. What was sent goes on.
func (t *cosTrigger) halt(context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = nil
}

// notify sends the event of an object that the trigger matches. It holds mu, so that
// nothing is sent after halt.
func (t *cosTrigger) notify(r event.COSRecord) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.events == nil || t.set.BucketName() != r.FullBucket() || !t.set.Matches(r.Event, r.Key) {
		return false
	}
	payload, err := event.COS{Records: []event.COSRecord{r}}.MarshalJSON()
	if err != nil {
		t.platform.config.Log.Error("notification left out", "bucket", r.FullBucket(), "key", r.Key, "error", err)
		return false
	}
	t.events.send(asyncEvent{function: t.function, trigger: t.name, qualifier: t.set.Qualifier, payload: payload, status: &t.sent})
	return true
}

func (t *cosTrigger) status() TriggerStatus {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := COSStatus{Bucket: t.set.BucketName(), Events: t.set.Events, Prefix: t.set.Prefix, Suffix: t.set.Suffix, State: Stopped}
	if t.events != nil {
		c.State = Waiting
	}
	sent := t.sent.get()
	return TriggerStatus{
		Function: t.function, Kind: "cos", Name: t.name, Enabled: t.set.Enabled,
		Retry: scf.AsyncRetries, RetryInterval: t.platform.config.Async.RetryInterval, AfterLastRetry: Drop,
		COS: &c, Async: &sent,
	}
}

// Notify tells the platform what has happened to objects: the function of each trigger
// that is open and matches is invoked asynchronously, once for each object. It returns
// at once; sent is how many events that were. While the platform does not run nobody
// is told, and nothing is made up for.
func (p *Platform) Notify(e event.COS) (sent int) {
	for _, r := range e.Records {
		for _, t := range p.list() {
			if c, ok := t.(*cosTrigger); ok && c.notify(r) {
				sent++
			}
		}
	}
	return sent
}
