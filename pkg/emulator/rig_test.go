package emulator_test

import (
	"context"
	"sync"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// platform makes one for the length of a test.
func platform(t testing.TB, c emulator.Config) *emulator.Platform {
	t.Helper()
	p, err := emulator.New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return p
}

// start runs the triggers until the end of the test, or until stop.
func start(t testing.TB, p *emulator.Platform) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("run: %v", err)
			}
		})
	}
	t.Cleanup(stop)
	return stop
}
