package fn

import "context"

// Handler does the work of a function: one call of Handle is one invocation.
//
// What the return of Handle means to the platform:
//
//   - nil: everything in the event is handled, or is put aside where it can be found again (a dead letter), durably.
//     The platform moves on and does not send the event again. The result is marshalled with encoding/json; a
//     trigger that reads no answer (CKafka, timer, COS) ignores it, and the summary log line shows its attributes.
//   - error: the event is not done. A CKafka trigger sends the same batch again, once a minute, up to its retry
//     count; an asynchronous invocation is retried by the platform's rules. There is no partial success and no
//     attempt number, so every effect must be idempotent by the identity of its input: topic, partition, offset.
//     The error is logged once, by this package, and reported with its whole chain: do not log it as well.
//   - an error with [ErrBroken] in its chain: as above, and the handler is closed and built anew at the next
//     invocation. For a client that cannot be trusted or used any more.
//   - panic: reported with its stack as [PanicError]; the platform ends the process, and the next invocation is a
//     cold start. The handler is not closed.
//
// Order and concurrency: Handle is never called concurrently in one process. SCF sends an instance one invocation
// at a time; a caller that sends more has them wait in line, each within its own deadline. Nothing is promised
// about the order of invocations, nor about which instance gets which: several instances of a function run at once.
// Of a Kafka event: a batch may hold several partitions, order within a partition is kept.
//
// The context ends a margin (ETL_DEADLINE_MARGIN, see [Runtime]) before the platform's deadline, so that work stops
// at a committed point and not in the middle, and when the process is told to stop. A handler that outlives the
// deadline is killed by the platform with its process. From the context come [InvocationFrom], [CredentialsFrom] and
// [LoggerFrom].
//
// The event belongs to the handler until Handle returns and may alias the payload.
//
// A handler that is also an io.Closer is closed when it is broken, when its configuration changes, and when the
// process is told to stop (SIGTERM, SIGINT). It is not closed when the platform freezes or kills the instance, which
// is what usually happens: nothing that must survive may wait for Close.
type Handler[E, R any] interface {
	Handle(ctx context.Context, event E) (R, error)
}

// New builds the handler of a function from its configuration. It runs at the first invocation, not at the start of
// the process, and again after the handler was broken or a setting changed; in between the handler is kept warm.
//
// ctx is that of the invocation in which it runs: it bounds the building, and what is kept must not hold on to it.
// An error fails that invocation as [StartError]; the next one builds again.
type New[C, E, R any] func(ctx context.Context, config C) (Handler[E, R], error)
