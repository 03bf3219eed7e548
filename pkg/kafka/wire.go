package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// What is needed of the wire protocol for the requests that kafka-go
// cannot carry raw, or not in the version that is needed: https://kafka.apache.org/protocol

const maxFrame = 256 << 20 // a larger answer is a broken or hostile peer

var errShortResponse = errors.New("response ends before its fields do")

// request appends the fields of a request; finish writes its length.
type request struct{ b []byte }

func newRequest(buf []byte, key, version int16, correlation int32, clientID string) *request {
	r := &request{b: buf[:0]}
	r.int32(0) // length, see finish
	r.int16(key)
	r.int16(version)
	r.int32(correlation)
	r.string(clientID)
	return r
}

func (r *request) int8(v int8)   { r.b = append(r.b, byte(v)) }
func (r *request) int16(v int16) { r.b = binary.BigEndian.AppendUint16(r.b, uint16(v)) }
func (r *request) int32(v int32) { r.b = binary.BigEndian.AppendUint32(r.b, uint32(v)) }
func (r *request) int64(v int64) { r.b = binary.BigEndian.AppendUint64(r.b, uint64(v)) }
func (r *request) string(s string) {
	r.int16(int16(len(s)))
	r.b = append(r.b, s...)
}

// nullableString writes "" as null.
func (r *request) nullableString(s string) {
	if s == "" {
		r.int16(-1)
		return
	}
	r.string(s)
}

// The compact forms belong to flexible versions (KIP-482).
func (r *request) uvarint(v uint64)       { r.b = binary.AppendUvarint(r.b, v) }
func (r *request) compactString(s string) { r.uvarint(uint64(len(s)) + 1); r.b = append(r.b, s...) }
func (r *request) noTags()                { r.uvarint(0) }

// finish sets the length, counting extra bytes that the caller sends after.
func (r *request) finish(extra int) []byte {
	binary.BigEndian.PutUint32(r.b, uint32(len(r.b)-4+extra))
	return r.b
}

// firstRead is how much memory a frame's length alone may claim; more comes
// as the bytes do.
const firstRead = 1 << 20

// readFrame reads one response into buf, growing it as needed.
func readFrame(r io.Reader, buf []byte) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return buf, err
	}
	n := int(int32(binary.BigEndian.Uint32(head[:])))
	if n < 4 || n > maxFrame {
		return buf, fmt.Errorf("response of %d bytes: not a Kafka broker, or not this protocol", n)
	}
	buf = buf[:0]
	for len(buf) < n {
		if len(buf) == cap(buf) {
			grown := make([]byte, len(buf), min(n, max(firstRead, 2*cap(buf))))
			copy(grown, buf)
			buf = grown
		}
		end := min(n, cap(buf))
		if _, err := io.ReadFull(r, buf[len(buf):end]); err != nil {
			return buf, unexpected(err)
		}
		buf = buf[:end]
	}
	return buf, nil
}

// unexpected is what an end inside a frame is.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// response reads the fields of an answer. After the first short read every
// later read gives zero and err is set, so that callers check once.
type response struct {
	b   []byte
	err error
}

// newResponse begins with the correlation id, which must be that of the request.
func newResponse(frame []byte, correlation int32) *response {
	r := &response{b: frame}
	if id := r.int32(); id != correlation && r.err == nil {
		r.fail(fmt.Errorf("answer to request %d, want %d", id, correlation))
	}
	return r
}

// fail keeps the first error and ends reading.
func (r *response) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// one reads the length of an array that must have one element.
func (r *response) one(of string) {
	if n := r.array(); n != 1 {
		r.fail(fmt.Errorf("answer for %d %ss, want 1", n, of))
	}
}

func (r *response) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail(errShortResponse)
		return nil
	}
	p := r.b[:n:n]
	r.b = r.b[n:]
	return p
}

func (r *response) int16() int16 {
	if p := r.take(2); p != nil {
		return int16(binary.BigEndian.Uint16(p))
	}
	return 0
}

func (r *response) int32() int32 {
	if p := r.take(4); p != nil {
		return int32(binary.BigEndian.Uint32(p))
	}
	return 0
}

func (r *response) int64() int64 {
	if p := r.take(8); p != nil {
		return int64(binary.BigEndian.Uint64(p))
	}
	return 0
}

// int32s reads n numbers.
func (r *response) int32s(n int) []int32 {
	p := r.take(4 * n)
	numbers := make([]int32, len(p)/4)
	for i := range numbers {
		numbers[i] = int32(binary.BigEndian.Uint32(p[4*i:]))
	}
	return numbers
}

func (r *response) bool() bool {
	p := r.take(1)
	return p != nil && p[0] != 0
}

func (r *response) string() string {
	n := r.int16()
	if n < 0 {
		return ""
	}
	return string(r.take(int(n)))
}

func (r *response) skipString() {
	if n := r.int16(); n > 0 {
		r.take(int(n))
	}
}

// count reads an array's length, bounded by what the rest can hold at
// least one byte an element.
func (r *response) count(n int64) int {
	if n < 0 {
		return 0
	}
	if n > int64(len(r.b)) {
		r.fail(errShortResponse)
		return 0
	}
	return int(n)
}

func (r *response) array() int { return r.count(int64(r.int32())) }

func (r *response) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail(errShortResponse)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *response) compactArray() int { return r.count(int64(r.uvarint()) - 1) }

func (r *response) compactString() string {
	n := r.uvarint()
	if n == 0 {
		return ""
	}
	if n-1 > uint64(len(r.b)) {
		r.fail(errShortResponse)
		return ""
	}
	return string(r.take(int(n - 1)))
}

func (r *response) skipCompactString() {
	if n := r.uvarint(); n > 1 {
		r.skip(n - 1)
	}
}

// skip takes a length that may not fit into an int.
func (r *response) skip(n uint64) {
	if n > uint64(len(r.b)) {
		r.fail(errShortResponse)
		return
	}
	r.take(int(n))
}

func (r *response) skipTags() {
	for n := r.uvarint(); n > 0 && r.err == nil; n-- {
		r.uvarint()
		r.skip(r.uvarint())
	}
}
