package batch_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// javaRecord is a record as the Java client read it: fields are hexadecimal, nil where null,
// and "sha256:" with the hash where they are longer than 32 bytes.
type javaRecord struct {
	Offset    int64        `json:"offset"`
	Timestamp int64        `json:"timestamp"`
	Key       *string      `json:"key"`
	Value     *string      `json:"value"`
	Headers   []javaHeader `json:"headers"`
}

type javaHeader struct {
	Key   string  `json:"key"`
	Value *string `json:"value"`
}

func asJava(r batch.Record) javaRecord {
	field := func(b []byte) *string {
		if b == nil {
			return nil
		}
		s := hex.EncodeToString(b)
		if len(b) > 32 {
			sum := sha256.Sum256(b)
			s = "sha256:" + hex.EncodeToString(sum[:])
		}
		return &s
	}
	j := javaRecord{r.Offset, r.Timestamp, field(r.Key), field(r.Value), []javaHeader{}}
	for _, h := range r.Headers {
		j.Headers = append(j.Headers, javaHeader{hex.EncodeToString([]byte(h.Key)), field(h.Value)})
	}
	return j
}

// readAll decodes a log of any format.
func readAll(t *testing.T, p []byte) []javaRecord {
	t.Helper()
	var d batch.Decoder
	var got []javaRecord
	for {
		b, rest, err := batch.Next(p)
		seq := b.Records(&d)
		if errors.Is(err, batch.ErrOldFormat) {
			var m batch.Message
			m, rest, err = batch.NextMessage(p)
			seq = m.Records(&d)
		} else if b == nil {
			return got
		} else if err := b.Verify(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, asJava(r))
		}
		p = rest
	}
}

func TestJavaClient(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/java/*.bin")
	if err != nil || len(files) == 0 {
		t.Fatal("no fixtures", err)
	}
	for _, file := range files {
		t.Run("what Java wrote is read as Java reads it: "+filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			log, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			expected, err := os.ReadFile(strings.TrimSuffix(file, ".bin") + ".json")
			if err != nil {
				t.Fatal(err)
			}
			var want []javaRecord
			if err := json.Unmarshal(expected, &want); err != nil {
				t.Fatal(err)
			}
			got := readAll(t, log)
			if len(got) == 0 {
				t.Error("nothing read")
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestMarker(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]batch.MarkerType{"commit": batch.Commit, "abort": batch.Abort} {
		t.Run("the marker that Java writes is read: "+name, func(t *testing.T) {
			t.Parallel()
			log, err := os.ReadFile("testdata/java/v2-marker-" + name + ".bin")
			if err != nil {
				t.Fatal(err)
			}
			b := batch.Batch(log)
			m, err := b.Marker()
			if err != nil || m.Type != want || m.CoordinatorEpoch != 99 || m.Type.String() != name {
				t.Errorf("%+v: %v", m, err)
			}
			if !b.Control() || !b.Transactional() || b.ProducerID() != 4711 || b.ProducerEpoch() != 3 || b.BaseOffset() != 77 {
				t.Error("wrong header")
			}
		})
	}
	t.Run("what is no marker is an error", func(t *testing.T) {
		t.Parallel()
		data := build(t, batch.Options{}, batch.Record{Key: []byte{0, 0}})
		empty := patched(data[:batch.HeaderSize], func(b batch.Batch) { b[22] |= 0x20; be.PutUint32(b[57:], 0) })
		for _, b := range []batch.Batch{nil, data, patched(data, attribute(0x20)), empty} {
			if m, err := b.Marker(); !errors.Is(err, batch.ErrCorrupt) {
				t.Errorf("%+v, %v", m, err)
			}
		}
	})
}
