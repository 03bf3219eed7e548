package localcos_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// serveVariable makes the test binary a server on the folder that it names.
const serveVariable = "LOCALCOS_TEST_SERVE"

func TestMain(m *testing.M) {
	dir := os.Getenv(serveVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	s, err := localcos.New(localcos.Config{Dir: dir, Unsigned: true, Buckets: []string{bucket}})
	if err == nil {
		err = s.Start("127.0.0.1:0")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.URL())
	_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends, or kills
}

// startProcess starts a server of its own process and opens its bucket.
func startProcess(t *testing.T, dir string) (kill func(), b *cos.Bucket) {
	t.Helper()
	process := exec.CommandContext(t.Context(), os.Args[0])
	process.Env = append(os.Environ(), serveVariable+"="+dir)
	process.Stderr = os.Stderr
	if _, err := process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	t.Cleanup(kill)
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	b, err = cos.Open(cos.Config{
		Bucket: bucket, Region: localcos.DefaultRegion, Endpoint: strings.TrimSpace(url), PartSize: cos.MinPartSize,
		Credentials: cos.Static("id", secret.New("key")), Retries: -1, BackOff: time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return kill, b
}

func TestKill(t *testing.T) {
	t.Parallel()
	const kills, writers = 5, 4
	dir := t.TempDir()
	type written struct {
		mu       sync.Mutex
		answered map[string][]byte   // the last content whose put was answered
		open     map[string][][]byte // contents that were not answered since: each may be there
	}
	w := &written{answered: map[string][]byte{}, open: map[string][][]byte{}}
	for round := range kills {
		kill, b := startProcess(t, dir)
		enough := make(chan struct{})
		var group sync.WaitGroup
		for writer := range writers {
			group.Go(func() {
				for i := 0; ; i++ {
					key := fmt.Sprintf("key %d of %d", i%3, writer)
					size := []int{10, 100_000, 2*cos.MinPartSize + 1}[i%3]
					content := bytes.Repeat([]byte{byte('a' + round), byte(i), byte(writer)}, size/3)
					w.mu.Lock()
					w.open[key] = append(w.open[key], content)
					w.mu.Unlock()
					if _, err := b.Put(t.Context(), key, bytes.NewReader(content), cos.PutOptions{}); err != nil {
						return // killed
					}
					w.mu.Lock()
					w.answered[key], w.open[key] = content, nil
					w.mu.Unlock()
					if i == 6 {
						select {
						case enough <- struct{}{}:
						default:
						}
					}
				}
			})
		}
		select {
		case <-enough:
		case <-time.After(time.Minute):
			t.Error("nothing was written within a minute")
		}
		kill() // in the middle of what the others do
		group.Wait()

		kill, b = startProcess(t, dir)
		for writer := range writers {
			for i := range 3 {
				key := fmt.Sprintf("key %d of %d", i, writer)
				body, _, err := b.Get(t.Context(), key)
				if errors.Is(err, cos.ErrNotFound) && w.answered[key] == nil {
					continue
				} else if err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				got, err := io.ReadAll(body)
				if err = errors.Join(err, body.Close()); err != nil {
					t.Fatalf("round %d: %v", round, err)
				}
				ok := bytes.Equal(got, w.answered[key])
				for _, content := range w.open[key] {
					ok = ok || bytes.Equal(got, content)
				}
				if !ok {
					t.Errorf("round %d: %s has %d bytes, of no put that was answered last or not at all", round, key, len(got))
				}
				w.answered[key], w.open[key] = got, nil
			}
		}
		kill()
	}
}
