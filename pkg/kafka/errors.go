package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"

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
	// ErrFenced: a newer producer with the same transactional id has taken over.
	// Nothing of this producer's open transaction will be seen.
	ErrFenced = errors.New("fenced by a newer producer of the same transactional id")
	// ErrAuthentication: the broker refused the user, the password or the certificate.
	ErrAuthentication = errors.New("authentication refused")
	// ErrAuthorization: the user may not do this: an ACL is missing.
	ErrAuthorization = errors.New("not authorized")
	// ErrUnsupported: the broker, or the topic's format, is too old for this.
	ErrUnsupported = errors.New("not supported by the broker")
	// ErrNotCoordinated: the offset belongs to another generation or member of the group.
	ErrNotCoordinated = errors.New("no longer a member of the consumer group's generation")
)

// brokerError is a broker's error code with the sentinel it stands for.
type brokerError struct {
	code kafkago.Error
	kind error // nil: no sentinel
}

func (e *brokerError) Error() string {
	if e.kind == nil {
		return fmt.Sprintf("broker error %d: %s", int(e.code), e.code.Description())
	}
	return fmt.Sprintf("%v (broker error %d: %s)", e.kind, int(e.code), e.code.Title())
}

func (e *brokerError) Unwrap() []error {
	if e.kind == nil {
		return []error{e.code}
	}
	return []error{e.kind, e.code}
}

// kinds maps error codes (https://kafka.apache.org/protocol#protocol_error_codes) to sentinels.
var kinds = map[kafkago.Error]error{
	kafkago.OffsetOutOfRange:                   ErrOffsetOutOfRange,
	kafkago.UnknownTopicOrPartition:            ErrUnknownTopic,
	kafkago.UnknownTopicID:                     ErrUnknownTopic,
	kafkago.InvalidTopic:                       ErrUnknownTopic,
	kafkago.TopicAlreadyExists:                 ErrTopicExists,
	kafkago.MessageSizeTooLarge:                ErrTooLarge,
	kafkago.RecordListTooLarge:                 ErrTooLarge,
	kafkago.InvalidTimestamp:                   ErrTimestampRefused,
	kafkago.InvalidProducerEpoch:               ErrFenced,
	kafkago.ProducerFenced:                     ErrFenced,
	kafkago.SASLAuthenticationFailed:           ErrAuthentication,
	kafkago.UnsupportedSASLMechanism:           ErrAuthentication,
	kafkago.IllegalSASLState:                   ErrAuthentication,
	kafkago.TopicAuthorizationFailed:           ErrAuthorization,
	kafkago.GroupAuthorizationFailed:           ErrAuthorization,
	kafkago.ClusterAuthorizationFailed:         ErrAuthorization,
	kafkago.TransactionalIDAuthorizationFailed: ErrAuthorization,
	kafkago.UnsupportedVersion:                 ErrUnsupported,
	kafkago.UnsupportedForMessageFormat:        ErrUnsupported,
	kafkago.UnsupportedCompressionType:         ErrUnsupported,
	kafkago.IllegalGeneration:                  ErrNotCoordinated,
	kafkago.UnknownMemberId:                    ErrNotCoordinated,
	kafkago.RebalanceInProgress:                ErrNotCoordinated,
	kafkago.FencedInstanceID:                   ErrNotCoordinated,
}

// codeError turns an error code of a response into an error; 0 into nil.
func codeError(code int16) error {
	if code == 0 {
		return nil
	}
	return &brokerError{code: kafkago.Error(code), kind: kinds[kafkago.Error(code)]}
}

// translate gives kafka-go's errors the sentinels of this package.
func translate(err error) error {
	if err == nil {
		return nil
	}
	var known *brokerError
	if errors.As(err, &known) {
		return err
	}
	var code kafkago.Error
	if errors.As(err, &code) {
		if kind := kinds[code]; kind != nil {
			return fmt.Errorf("%w: %w", kind, err)
		}
		return err
	}
	switch {
	case errors.Is(err, protocol.ErrNoTopic), errors.Is(err, protocol.ErrNoPartition):
		return fmt.Errorf("%w: %w", ErrUnknownTopic, err)
	case isCertificateError(err):
		return fmt.Errorf("%w: %w", ErrAuthentication, err)
	}
	return err
}

func isCertificateError(err error) bool {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		remote   *net.OpError
	)
	if errors.As(err, &remote) && remote.Op == "remote error" {
		return true // a TLS alert of the broker: it does not like our certificate
	}
	return errors.As(err, &unknown) || errors.As(err, &hostname) || errors.As(err, &invalid) ||
		errors.As(err, &verify) || errors.As(err, &record)
}

// Retriable says whether the same call may succeed later without anybody
// changing anything: a leader or coordinator that moves or loads, a lost
// connection, a time-out of one request. A context that has ended, a refused
// user or a wrong record are not.
//
// Whether the call has had an effect is unknown after a time-out or a lost
// connection: in a transaction, fence and read back before going on.
func Retriable(err error) bool {
	if err == nil || errors.Is(err, ErrAuthentication) || errors.Is(err, ErrAuthorization) || errors.Is(err, context.Canceled) {
		return false
	}
	var code kafkago.Error
	if errors.As(err, &code) {
		switch code {
		case kafkago.ConcurrentTransactions, kafkago.BrokerNotAvailable, kafkago.ReplicaNotAvailable,
			kafkago.UnknownProducerId, kafkago.OutOfOrderSequenceNumber, kafkago.InvalidProducerIDMapping,
			kafkago.InvalidTransactionState, kafkago.TransactionCoordinatorFenced:
			return true
		}
		return code.Temporary()
	}
	if errors.Is(err, protocol.ErrNoTopic) || errors.Is(err, protocol.ErrNoPartition) || errors.Is(err, protocol.ErrNoLeader) {
		return true // the transport has not heard of it yet, or an election is under way
	}
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, errConnectionDropped)
}
