package emulator_test

import (
	"errors"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

func TestSend(t *testing.T) {
	p := newProbed(t, emulator.Config{})
	if _, err := p.Send(t.Context(), function, []byte(`{}`), emulator.InvokeOptions{}); !errors.Is(err, emulator.ErrNotRunning) {
		t.Errorf("before Run: got %v, want ErrNotRunning", err)
	}
	start(t, p.Platform)
	var id string
	await(t, "the event was taken", func() bool {
		var err error
		id, err = p.Send(t.Context(), function, []byte(`{}`), emulator.InvokeOptions{})
		return err == nil
	})
	await(t, "it was delivered under its request id", func() bool {
		all := p.Invocations()
		return len(all) == 1 && all[0].RequestID == id && all[0].Error == nil
	})
	large := make([]byte, 128<<10+1)
	if _, err := p.Send(t.Context(), function, large, emulator.InvokeOptions{}); !errors.Is(err, emulator.ErrEventTooLarge) {
		t.Errorf("an event above 128 KB: got %v, want ErrEventTooLarge", err)
	}
	if _, err := p.Send(t.Context(), function, nil, emulator.InvokeOptions{Qualifier: "7"}); !errors.Is(err, emulator.ErrUnknownQualifier) {
		t.Errorf("another version: got %v, want ErrUnknownQualifier", err)
	}
}
