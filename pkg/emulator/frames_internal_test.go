package emulator

import (
	"bytes"
	"encoding/gob"
	"errors"
	"io"
	"strings"
	"testing"
)

// stream is a connection that only gives bytes, a few at a time.
type stream struct {
	io.Reader
	io.Writer
}

func (stream) Close() error { return nil }

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

func guarded(b []byte, limit uint64, slow bool) *frameGuard {
	var r io.Reader = bytes.NewReader(b)
	if slow {
		r = oneByte{r}
	}
	return &frameGuard{ReadWriteCloser: stream{Reader: r}, limit: limit}
}

func TestFrameGuard(t *testing.T) {
	t.Parallel()
	var messages bytes.Buffer
	enc := gob.NewEncoder(&messages)
	for _, v := range []string{"a", "", strings.Repeat("b", 100), strings.Repeat("c", 70_000)} {
		if err := enc.Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	for _, slow := range []bool{false, true} {
		t.Run("gob messages up to the limit pass unchanged", func(t *testing.T) {
			t.Parallel()
			got, err := io.ReadAll(guarded(messages.Bytes(), 70_100, slow))
			if err != nil || !bytes.Equal(got, messages.Bytes()) {
				t.Errorf("got %d bytes, %v, want %d", len(got), err, messages.Len())
			}
		})
		t.Run("a larger message is refused by its length", func(t *testing.T) {
			t.Parallel()
			g := guarded(messages.Bytes(), 1000, slow)
			_, err := io.ReadAll(g)
			if n := g.announced.Load(); err == nil || n < 70_000 || n > 70_010 {
				t.Errorf("got %v, announced %d", err, n)
			}
		})
		t.Run("a length of more than 8 bytes is no gob", func(t *testing.T) {
			t.Parallel()
			if _, err := io.ReadAll(guarded([]byte{1, 0, 0x80, 1, 2, 3}, 1000, slow)); !errors.Is(err, errNoGob) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzFrameGuard(f *testing.F) {
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Add([]byte{0xf8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		fast, slow := guarded(b, 64, false), guarded(b, 64, true)
		_, errFast := io.ReadAll(fast)
		_, errSlow := io.ReadAll(slow)
		if (errFast == nil) != (errSlow == nil) || fast.announced.Load() != slow.announced.Load() {
			t.Errorf("at once: %v, byte by byte: %v", errFast, errSlow)
		}
	})
}
