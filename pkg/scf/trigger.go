package scf

import "strings"

// Trigger is one member of a function's events; exactly one field is not nil.
type Trigger struct {
	Kafka *KafkaTrigger
	Timer *TimerTrigger
	COS   *COSTrigger
	URL   *URLTrigger
}

// Kind names the trigger as the platform does: ckafka, timer, cos or http.
func (t Trigger) Kind() string {
	switch {
	case t.Kafka != nil:
		return "ckafka"
	case t.Timer != nil:
		return "timer"
	case t.COS != nil:
		return "cos"
	case t.URL != nil:
		return "http"
	}
	return ""
}

// Name is what the platform calls the trigger: unique among those of its kind at one function.
func (t Trigger) Name() string {
	switch {
	case t.Kafka != nil:
		return t.Kafka.Name()
	case t.Timer != nil:
		return t.Timer.Name
	case t.COS != nil:
		return t.COS.Bucket
	case t.URL != nil:
		return t.URL.Name
	}
	return ""
}

// Enabled says whether the trigger fires.
func (t Trigger) Enabled() bool {
	switch {
	case t.Kafka != nil:
		return t.Kafka.Enabled
	case t.Timer != nil:
		return t.Timer.Enabled
	case t.COS != nil:
		return t.COS.Enabled
	case t.URL != nil:
		return t.URL.Enabled
	}
	return false
}

// KafkaTrigger sends the records of one topic to the function, in batches, synchronously (583/17530).
type KafkaTrigger struct {
	InstanceID    string // of the CKafka instance
	Topic         string
	ConsumerGroup string // whose committed offsets are the progress; empty lets the platform name one
	MaxMsgNum     int    // most records of one event
	TimeOut       int    // seconds to wait for more records before an event is sent
	Retry         int    // how often a batch that failed is sent again
	Offset        Offset // where a group without committed offsets begins
	Enabled       bool   // open; false is deployed closed
	Qualifier     string // version or alias that is invoked
}

// Name is INSTANCE-TOPIC, as the platform names it.
func (k KafkaTrigger) Name() string { return k.InstanceID + "-" + k.Topic }

// UpdatableTo says whether the platform can change the trigger into next in place. It can for maxMsgNum, timeOut, retry and
// enable; anything else takes deleting and creating it.
func (k KafkaTrigger) UpdatableTo(next KafkaTrigger) bool {
	next.MaxMsgNum, next.TimeOut, next.Retry, next.Enabled = k.MaxMsgNum, k.TimeOut, k.Retry, k.Enabled
	return k == next
}

// TimerTrigger sends an event at times, asynchronously (583/9708).
type TimerTrigger struct {
	Name      string // unique among the timers of one function, see [ValidTimerName]
	Cron      string // when it fires, see [ParseCron]
	Argument  string // the event's Message
	Enabled   bool   // open; false is deployed closed
	Qualifier string // version or alias that is invoked
}

// UpdatableTo says whether the platform can change the trigger into next in place. It can for cron, argument and enable
// (583/96828); anything else takes deleting and creating it.
func (t TimerTrigger) UpdatableTo(next TimerTrigger) bool {
	next.Cron, next.Argument, next.Enabled = t.Cron, t.Argument, t.Enabled
	return t == next
}

// COSTrigger sends an event for changes of objects in a bucket.
type COSTrigger struct {
	Bucket    string // the bucket's domain, which is the trigger's name
	Events    string // cos:ObjectCreated:* and the like
	Prefix    string // of the object keys that count
	Suffix    string
	Enabled   bool
	Qualifier string
}

// URLTrigger gives the function a URL.
type URLTrigger struct {
	Name      string
	AuthType  string // CAM or NONE
	Intranet  bool
	Extranet  bool
	Enabled   bool
	Qualifier string
}

// Overlaps says whether an event of the bucket can be for both triggers, which the platform refuses: the same bucket, events
// that have one in common, and prefixes and suffixes that one key can have.
func (c COSTrigger) Overlaps(other COSTrigger) bool {
	event := func(a, b string) bool { return strings.HasPrefix(a, strings.TrimSuffix(b, "*")) }
	begins := strings.HasPrefix(c.Prefix, other.Prefix) || strings.HasPrefix(other.Prefix, c.Prefix)
	ends := strings.HasSuffix(c.Suffix, other.Suffix) || strings.HasSuffix(other.Suffix, c.Suffix)
	return c.Bucket == other.Bucket && (event(c.Events, other.Events) || event(other.Events, c.Events)) && begins && ends
}
