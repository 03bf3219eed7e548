package emulator

import "time"

// State is what a partition of a CKafka trigger is doing, or a timer.
type State string

// The states of a partition.
const (
	// Polling waits for records, or for a batch to fill.
	Polling State = "polling"
	// Invoking runs the function with a batch.
	Invoking State = "invoking"
	// Retrying waits to deliver a batch again that the function failed on.
	Retrying State = "retrying"
	// BackingOff waits after a fault of the platform or of Kafka.
	BackingOff State = "backing off"
	// Stalled has a record or a batch that cannot be delivered, and stays there.
	Stalled State = "stalled"
	// Stopped is not read: the trigger is closed, or another member of the
	// consumer group has the partition.
	Stopped State = "stopped"
)

// PartitionStatus is one partition of a trigger.
type PartitionStatus struct {
	Partition int32 `json:"partition"`
	State     State `json:"state"`
	// Reason says in words why it is retrying, backing off or stalled, and what
	// can be done; empty otherwise.
	Reason string `json:"reason,omitempty"`
	// LastError is the last failure, also after it was overcome.
	LastError string `json:"lastError,omitempty"`

	// Committed is the next offset to deliver as the group knows it; -1 before
	// the first success where the group had none.
	Committed int64 `json:"committed"`
	// HighWatermark is where the partition ends, as last seen, and Lag how many
	// offsets lie between; both -1 before the first answer.
	HighWatermark int64 `json:"highWatermark"`
	Lag           int64 `json:"lag"`

	// First, Last and Count are the batch being delivered; Count is 0 for none.
	First int64 `json:"first,omitempty"`
	Last  int64 `json:"last,omitempty"`
	Count int   `json:"count,omitempty"`
	// Failed is how often the function failed on the batch, Retry how many
	// repeats it gets, Next when the next one is due.
	Failed int       `json:"failed,omitempty"`
	Retry  int       `json:"retry"`
	Next   time.Time `json:"next,omitzero"`

	// Since the trigger was opened:
	Invocations int64 `json:"invocations"`
	Failures    int64 `json:"failures"`
	Delivered   int64 `json:"delivered"` // records of successful invocations
	Dropped     int64 `json:"dropped"`   // records that a policy gave up
	Lost        int64 `json:"lost"`      // offsets that the topic no longer had
}

// TriggerStatus is one trigger.
type TriggerStatus struct {
	Function string `json:"function"`
	Kind     string `json:"kind"` // ckafka, timer, cos or http
	Name     string `json:"name"`
	Enabled  bool   `json:"enabled"`
	// Error is why the trigger as a whole does nothing: the cluster is away, the
	// group lets it not join, or its kind is not driven here.
	Error string `json:"error,omitempty"`
	// Retry is how often an event that failed is sent again, and RetryInterval the
	// time between. AfterLastRetry is what comes then; an asynchronous event is
	// always dropped.
	Retry          int           `json:"retry"`
	RetryInterval  time.Duration `json:"retryInterval"`
	AfterLastRetry Policy        `json:"afterLastRetry,omitempty"`

	// Of CKafka triggers:
	Topic      string            `json:"topic,omitempty"`
	Group      string            `json:"group,omitempty"`
	MaxMsgNum  int               `json:"maxMsgNum,omitempty"`
	TimeOut    time.Duration     `json:"timeOut,omitempty"`
	Oversize   Policy            `json:"oversize,omitempty"` // the platform's setting
	Partitions []PartitionStatus `json:"partitions"`         // by number

	// Timer is of timers, COS of triggers on buckets, Async of triggers that invoke
	// asynchronously; nil for others.
	Timer *TimerStatus `json:"timer,omitempty"`
	COS   *COSStatus   `json:"cos,omitempty"`
	Async *AsyncStatus `json:"async,omitempty"`
}

// TriggerEvent is a change of a partition's state.
type TriggerEvent struct {
	Function string
	Trigger  string
	Topic    string
	Status   PartitionStatus // after the change
}
