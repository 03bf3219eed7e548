package emulator

import (
	"testing"
)

func TestPorts(t *testing.T) {
	t.Parallel()
	t.Run("no port is handed out twice at a time, not even by two platforms", func(t *testing.T) {
		t.Parallel()
		var all [2]ports
		taken := map[int]bool{}
		for range 150 { // more than a block
			for i := range all {
				port, err := all[i].take()
				if err != nil {
					t.Fatal(err)
				}
				if taken[port] {
					t.Fatalf("port %d was handed out twice", port)
				}
				taken[port] = true
			}
		}
		for i := range all {
			if err := all[i].close(); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("a port that was given back is handed out again", func(t *testing.T) {
		t.Parallel()
		var p ports
		t.Cleanup(func() { _ = p.close() })
		first, err := p.take()
		if err != nil {
			t.Fatal(err)
		}
		p.giveBack(first)
		for range blockSize - 1 {
			port, err := p.take()
			if err != nil {
				t.Fatal(err)
			}
			if port == first {
				return
			}
		}
		t.Errorf("port %d did not come again", first)
	})
}
