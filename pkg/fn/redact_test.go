package fn

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestTheRedactor(t *testing.T) {
	t.Parallel()

	t.Run("removes a secret as it is and as it stands in JSON, and of two the longer first", func(t *testing.T) {
		t.Parallel()
		var r redactor
		r.know([]string{`pass"word\<1>`, "abcdefgh", "abcdefghij"})
		got := r.text(`raw pass"word\<1> quoted "pass\"word\\<1>" long abcdefghij short abcdefgh`)
		want := `raw [redacted] quoted "[redacted]" long [redacted] short [redacted]`
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})

	t.Run("leaves words alone that a short secret happens to be", func(t *testing.T) {
		t.Parallel()
		var r redactor
		r.know([]string{"", "topic"})
		if got := r.text("topic t"); got != "topic t" {
			t.Errorf("got %q, want it unchanged", got)
		}
	})

	t.Run("keeps the chain of an error it cleans", func(t *testing.T) {
		t.Parallel()
		var r redactor
		r.know([]string{"long-secret"})
		err := r.clean(errors.Join(io.ErrUnexpectedEOF, errors.New("at long-secret")))
		if !errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "long-secret") {
			t.Errorf("got %v, want it clean and in the chain", err)
		}
	})

	t.Run("gives on the error of the writer behind it", func(t *testing.T) {
		t.Parallel()
		var r redactor
		out, in := io.Pipe()
		out.Close()
		if _, err := r.writer(in).Write([]byte("line\n")); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v, want io.ErrClosedPipe", err)
		}
	})
}
