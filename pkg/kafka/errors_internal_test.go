package kafka

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

func TestBrokerErrors(t *testing.T) {
	t.Parallel()
	for code, want := range map[int16]struct {
		kind      error
		retriable bool
		words     string // what the user reads
	}{
		-1:  {ErrUnexpected, false, "see its log"},
		1:   {ErrOffsetOutOfRange, false, ""},
		2:   {nil, true, ""},
		3:   {ErrUnknownTopic, true, ""},
		5:   {nil, true, ""},
		6:   {nil, true, ""},
		7:   {nil, true, ""},
		8:   {nil, true, ""},
		9:   {nil, true, ""},
		10:  {ErrTooLarge, false, "max.message.bytes"},
		13:  {nil, true, ""},
		14:  {nil, true, ""},
		15:  {nil, true, ""},
		16:  {nil, true, ""},
		17:  {ErrUnknownTopic, false, "a topic cannot have that name"},
		18:  {ErrTooLarge, false, "segment.bytes"},
		19:  {nil, true, ""},
		20:  {nil, true, ""},
		22:  {ErrNotCoordinated, false, ""},
		25:  {ErrNotCoordinated, false, ""},
		27:  {ErrNotCoordinated, false, ""},
		29:  {ErrAuthorization, false, "READ to fetch, WRITE to produce"},
		30:  {ErrAuthorization, false, "READ on the consumer group"},
		31:  {ErrAuthorization, false, "CREATE to create topics"},
		32:  {ErrTimestampRefused, false, "message.timestamp.before/after.max.ms"},
		33:  {ErrAuthentication, false, "does not offer the mechanism"},
		34:  {ErrAuthentication, false, "check SASL and the port"},
		35:  {ErrUnsupported, false, ""},
		36:  {ErrTopicExists, false, ""},
		38:  {nil, false, "give a replication factor"},
		41:  {nil, true, ""},
		43:  {ErrUnsupported, false, "message.format.version"},
		45:  {nil, true, ""},
		47:  {ErrFenced, false, ""},
		48:  {nil, true, ""},
		49:  {nil, true, ""},
		50:  {nil, false, "transaction.max.timeout.ms"},
		51:  {nil, true, ""},
		52:  {nil, true, ""},
		53:  {ErrAuthorization, false, "WRITE and DESCRIBE on the transactional id"},
		54:  {ErrNoAuthorizer, false, "no ACLs"},
		55:  {nil, true, ""},
		56:  {nil, true, ""},
		58:  {ErrAuthentication, false, "SASL_USER and SASL_PASSWORD"},
		59:  {nil, true, ""},
		74:  {nil, true, ""},
		75:  {nil, true, ""},
		76:  {ErrUnsupported, false, "zstd needs 2.1"},
		78:  {nil, true, ""},
		82:  {ErrNotCoordinated, false, ""},
		87:  {nil, false, ""},
		88:  {nil, true, ""},
		89:  {nil, true, ""},
		90:  {ErrFenced, false, ""},
		100: {ErrUnknownTopic, true, ""},
		999: {nil, false, "unknown to this client"},
	} {
		t.Run(fmt.Sprint("says what code ", code, " means"), func(t *testing.T) {
			t.Parallel()
			err := fmt.Errorf("fetch t/0: %w", codeError(code))
			for _, kind := range sentinels() {
				if got := errors.Is(err, kind); got != (kind == want.kind) {
					t.Errorf("errors.Is(%q, %q) is %t", err, kind, got)
				}
			}
			if got := Retriable(err); got != want.retriable {
				t.Errorf("Retriable(%q) is %t", err, got)
			}
			if text := err.Error(); !strings.Contains(text, want.words) || !strings.Contains(text, fmt.Sprintf("broker error %d", code)) {
				t.Errorf("%q lacks %q or the code", text, want.words)
			}
			var code2 kafkago.Error
			if !errors.As(err, &code2) || int16(code2) != code {
				t.Errorf("the code is not found in %q", err)
			}
		})
	}

	t.Run("has a name for every code that we know", func(t *testing.T) {
		t.Parallel()
		for code := range verdicts {
			if text := codeError(int16(code)).Error(); strings.Contains(text, "unknown to this client") {
				t.Error(text)
			}
		}
	})

	t.Run("takes code 0 for no error", func(t *testing.T) {
		t.Parallel()
		if err := codeError(0); err != nil {
			t.Error(err)
		}
	})
}

func sentinels() []error {
	return []error{
		ErrUnknownTopic, ErrTopicExists, ErrOffsetOutOfRange, ErrTooLarge, ErrTimestampRefused, ErrFenced,
		ErrAuthentication, ErrAuthorization, ErrNoAuthorizer, ErrUnsupported, ErrNotCoordinated, ErrClosed, ErrGroupClosed,
	}
}

func TestRetriable(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for _, test := range []struct {
		requirement string
		err         error
		want        bool
	}{
		{"no error", nil, false},
		{"an error of nobody", errors.New("x"), false},
		{"a refused connection", refused, true},
		{"a connection that was closed", fmt.Errorf("read: %w", io.EOF), true},
		{"a connection that was closed in an answer", io.ErrUnexpectedEOF, true},
		{"a connection that we have dropped", errConnectionDropped, true},
		{"a request that timed out", fmt.Errorf("%w after 15s: %w", errRequestTimeout, context.DeadlineExceeded), true},
		{"a topic that the transport has not heard of", translate(protocol.NewErrNoTopic("t")), true},
		{"a partition that the transport has not heard of", translate(protocol.NewErrNoPartition("t", 1)), true},
		{"a partition without leader", translate(protocol.NewErrNoLeader("t", 1)), true},
		{"a context that was cancelled", context.Canceled, false},
		{"a request that the caller's context has ended", &endedError{cause: context.DeadlineExceeded, err: refused}, false},
		{"a request that Close has ended", &endedError{cause: ErrClosed, err: io.EOF}, false},
		{"a certificate of an unknown authority", translate(x509.UnknownAuthorityError{}), false},
		{"a certificate of another host", translate(x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}), false},
		{"a TLS alert of the broker", translate(&net.OpError{Op: "remote error", Err: errors.New("tls: bad certificate")}), false},
		{"a connection that was closed during SASL", translate(fmt.Errorf("%w: EOF", ErrAuthentication)), false},
		{"a batch that was refused for now", &RefusedError{Err: codeError(19)}, true},
		{"a batch that is too large", &RefusedError{Err: codeError(10)}, false},
		{"a batch of a fenced producer", &RefusedError{Err: codeError(47)}, false},
		{"a generation that has ended", fmt.Errorf("commit: %w", ErrNotCoordinated), false},
	} {
		t.Run(fmt.Sprintf("is %t of %s", test.want, test.requirement), func(t *testing.T) {
			t.Parallel()
			if got := Retriable(test.err); got != test.want {
				t.Errorf("Retriable(%v) is %t", test.err, got)
			}
		})
	}
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		requirement string
		err         error
		want        string
	}{
		{"keeps the broker's own words", translate(fmt.Errorf("kafka.(*Client).CreateTopics: %w: replication factor is 3, brokers are 1", kafkago.InvalidReplicationFactor)),
			"invalid replication factor (broker error 38): replication factor is 3, brokers are 1: give a replication factor that the cluster has brokers for"},
		{"leaves kafka-go's function names out", translate(fmt.Errorf("kafka.(*Client).Metadata: %w", io.ErrUnexpectedEOF)), "unexpected EOF"},
		{"names the refused batch by place and size", &RefusedError{Index: 2, Bytes: 2_000_000, Err: codeError(10)},
			"batch 2 of 2000000 bytes refused: record batch larger than the topic's max.message.bytes (broker error 10)"},
		{"says what ended a call, and what was going on", &endedError{cause: context.Canceled, err: codeError(14)},
			"context canceled: group load in progress (broker error 14)"},
		{"says what ended a call only once", &endedError{cause: context.Canceled, err: fmt.Errorf("dial: %w", context.Canceled)}, "dial: context canceled"},
	} {
		t.Run(test.requirement, func(t *testing.T) {
			t.Parallel()
			if got := test.err.Error(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}

	t.Run("lets a refused batch be asked for its kind", func(t *testing.T) {
		t.Parallel()
		err := fmt.Errorf("produce to t/0: %w", &RefusedError{Index: 1, Bytes: 9, Err: codeError(10)})
		var refused *RefusedError
		if !errors.Is(err, ErrTooLarge) || !errors.As(err, &refused) || refused.Index != 1 || refused.Bytes != 9 {
			t.Errorf("%v is not a RefusedError of ErrTooLarge", err)
		}
	})
}
