package kafka

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// What can go wrong, to be told apart with errors.Is. The text of an error
// also holds the broker's own words, the topic, partition and offset.
var (
	// ErrUnknownTopic: the topic or partition does not exist, or not yet.
	ErrUnknownTopic = errors.New("unknown topic or partition")
	// ErrTopicExists: a topic of that name exists already.
	ErrTopicExists = errors.New("topic exists already")
	// ErrOffsetOutOfRange: the broker has no such offset (any more).
	ErrOffsetOutOfRange = errors.New("offset out of range")
	// ErrTooLarge: a batch is larger than the topic's max.message.bytes.
	ErrTooLarge = errors.New("record batch larger than the topic's max.message.bytes")
	// ErrTimestampRefused: a record's timestamp is outside what the topic takes
	// (message.timestamp.before.max.ms, message.timestamp.after.max.ms).
	ErrTimestampRefused = errors.New("timestamp outside the topic's message.timestamp.before/after.max.ms")
	// ErrTimestampReplaced: the topic gives records the time at which they are
	// appended, and the time they have would be lost. Transactions are not
	// written to such a topic.
	ErrTimestampReplaced = errors.New("the topic replaces the records' timestamps (message.timestamp.type=LogAppendTime): set it to CreateTime")
	// ErrInvalidRecord: the broker refuses a record for what it holds, as a compacted
	// topic does one without a key.
	ErrInvalidRecord = errors.New("invalid record")
	// ErrFenced: a newer producer with the same transactional id has taken over,
	// or the transaction was open for longer than its time-out. Nothing of this
	// producer's open transaction will be seen.
	ErrFenced = errors.New("fenced by a newer producer of the same transactional id, or by the transaction's time-out")
	// ErrAuthentication: the broker refused the user, the password or the
	// certificate, or we refused the broker's certificate.
	ErrAuthentication = errors.New("authentication refused")
	// ErrAuthorization: the user may not do this: an ACL is missing.
	ErrAuthorization = errors.New("not authorized")
	// ErrNoAuthorizer: the cluster has no authorizer (authorizer.class.name), so
	// there are no ACLs, and everybody may do everything.
	ErrNoAuthorizer = errors.New("the cluster has no authorizer, and no ACLs")
	// ErrUnsupported: the broker, or the topic's format, is too old for this.
	ErrUnsupported = errors.New("not supported by the broker")
	// ErrUnexpected: something in the broker has failed that should not. Two that
	// end transactions of one transactional id at the same time have got it from
	// 4.2.0; else the same request will fail again, as a rule.
	ErrUnexpected = errors.New("unexpected error in the broker: see its log")
	// ErrNotCoordinated: the offset belongs to another generation or member of the group.
	ErrNotCoordinated = errors.New("no longer a member of the consumer group's generation")
	// ErrClosed: the client was closed, before the call or during it.
	ErrClosed = errors.New("client is closed")
	// ErrGroupClosed is what [Group.Next] gives once the group was closed.
	ErrGroupClosed = errors.New("consumer group is closed")
)

var (
	errRequestTimeout    = errors.New("request timed out")
	errConnectionDropped = errors.New("connection dropped")
)

// Retriable says whether the same work may succeed later without anybody
// changing anything: a leader or coordinator that moves or loads, a lost
// connection, a time-out of one request, a topic that was created a moment
// ago. The end of the caller's context, a refused user, a fenced producer and
// a record that the topic does not take are not.
//
// Whether the call has had an effect is unknown after a time-out or a lost
// connection. In a transaction, [Transactional.Fence] and read back before
// going on; there some errors are retriable only because Fence gives a state
// that is known again.
func Retriable(err error) bool { return retryOf(err) != never }

// retryOf sorts an error into what may be done about it.
func retryOf(err error) retry {
	var ended *endedError
	if err == nil || errors.As(err, &ended) || errors.Is(err, context.Canceled) ||
		errors.Is(err, ErrAuthentication) || errors.Is(err, ErrClosed) {
		return never
	}
	var code kafkago.Error
	if errors.As(err, &code) {
		return verdicts[code].retry
	}
	if unheard(err) || errors.Is(err, protocol.ErrNoLeader) || isNetworkError(err) {
		return again
	}
	return never
}

// unheard says that the transport does not know the topic or partition, which
// may be because it asked the cluster too long ago.
func unheard(err error) bool {
	return errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition)
}

func isNetworkError(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, errRequestTimeout) || errors.Is(err, errConnectionDropped)
}

// answered says that a broker answered: the request is not under way any more,
// and repeating it cannot do it twice. After a time-out in the broker that is
// not so.
func answered(err error) bool {
	var code kafkago.Error
	return errors.As(err, &code) && code != kafkago.RequestTimedOut
}

// brokerError is a broker's error code with what it means here.
type brokerError struct {
	code    kafkago.Error
	message string // the broker's own words, where it has some
}

func (e *brokerError) Error() string {
	v := verdicts[e.code]
	text := strings.ToLower(e.code.Title())
	switch {
	case v.kind != nil:
		text = v.kind.Error()
	case v.title != "":
		text = v.title
	case text == "":
		text = "error unknown to this client"
	}
	text = fmt.Sprintf("%s (broker error %d)", text, int(e.code))
	for _, more := range []string{e.message, v.advice} {
		if more != "" {
			text += ": " + more
		}
	}
	return text
}

// Unwrap gives the sentinel and kafka-go's code.
func (e *brokerError) Unwrap() []error {
	if kind := verdicts[e.code].kind; kind != nil {
		return []error{kind, e.code}
	}
	return []error{e.code}
}

// codeError turns an error code of a response into an error; 0 into nil.
func codeError(code int16) error {
	if code == 0 {
		return nil
	}
	return &brokerError{code: kafkago.Error(code)}
}

// endedError is the error of a call that the caller ended: the context, or
// Close. Nothing is to be retried, whatever was under way.
type endedError struct{ cause, err error }

func (e *endedError) Error() string {
	if errors.Is(e.err, e.cause) {
		return e.err.Error()
	}
	return fmt.Sprintf("%v: %v", e.cause, e.err)
}

func (e *endedError) Unwrap() []error { return []error{e.cause, e.err} }

// translate gives kafka-go's errors the sentinels of this package.
func translate(err error) error {
	var known *brokerError
	var code kafkago.Error
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.As(err, &code):
		return &brokerError{code: code, message: brokerWords(err, code)}
	}
	err = bare(err)
	switch {
	case errors.Is(err, ErrAuthentication):
		return err
	case unheard(err):
		return fmt.Errorf("%w: %w", ErrUnknownTopic, err)
	}
	if advice := certificateAdvice(err); advice != "" {
		return fmt.Errorf("%w: %s: %w", ErrAuthentication, advice, err)
	}
	return err
}

// brokerWords finds the message that a broker sent along with its code; in
// kafka-go it follows the code's own text.
func brokerWords(err error, code kafkago.Error) string {
	_, words, _ := strings.Cut(err.Error(), code.Error())
	return strings.TrimPrefix(words, ": ")
}

// bare takes kafka-go's function names off: they mean nothing to our users.
func bare(err error) error {
	if inner := errors.Unwrap(err); inner != nil && strings.HasPrefix(err.Error(), "kafka.(*Client).") {
		return inner
	}
	return err
}
