package objects_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/deadletter/objects"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const letterBucket = "letters-1250000000"

// server starts COS with one bucket, and gives what reaches it.
func server(t *testing.T) cos.Config {
	t.Helper()
	key := secret.New("the-key")
	s, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Keys: map[string]localcos.Key{"id": {Secret: key}}, Buckets: []string{letterBucket},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("localhost:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return cos.Config{
		Bucket: letterBucket, Region: localcos.DefaultRegion, Endpoint: s.URL(), Credentials: cos.Static("id", key), Retries: -1,
	}
}

func store(t *testing.T, config cos.Config) *objects.Store {
	t.Helper()
	s, err := objects.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	config := server(t)
	writer := store(t, config)
	reading := config
	reading.Bucket, reading.Region = "", ""
	reader := store(t, reading) // as a command has it, which knows nothing but the letter

	t.Run("a record that was put is found by the URL of its letter alone", func(t *testing.T) {
		t.Parallel()
		want := deadletter.Letter{
			Topic: "access", Partition: 3,
			Record: batch.Record{Offset: 7, Key: []byte("k"), Value: bytes.Repeat([]byte("line "), 1<<20), Headers: []batch.Header{{Key: "h"}}},
		}
		letter, err := want.InObject(t.Context(), writer, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(letter.Object, "https://letters-1250000000.cos.ap-guangzhou.myqcloud.com/deadletter/access/3/00000000000000000007-") {
			t.Errorf("URL %s", letter.Object)
		}
		got, err := letter.Whole(t.Context(), reader)
		if err != nil || !bytes.Equal(got.Record.Value, want.Record.Value) || len(got.Record.Headers) != 1 {
			t.Errorf("got %d bytes, %v", len(got.Record.Value), err)
		}
	})

	t.Run("an object that is gone is ErrNoObject", func(t *testing.T) {
		t.Parallel()
		_, err := reader.Get(t.Context(), "https://letters-1250000000.cos.ap-guangzhou.myqcloud.com/deadletter/a/0/1-x.batch")
		if !errors.Is(err, deadletter.ErrNoObject) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("a URL that is none of a dead letter's object is refused before anything is sent", func(t *testing.T) {
		t.Parallel()
		for _, address := range []string{
			"", "x", "http://letters-1250000000.cos.ap-guangzhou.myqcloud.com/deadletter/a", "https://example.com/deadletter/a",
			"https://letters-1250000000.cos.ap-guangzhou.myqcloud.com.example.com/deadletter/a",
			"https://letters-1250000000.cos.ap-guangzhou.myqcloud.com/other/a", "https://u:p@letters-1250000000.cos.ap-guangzhou.myqcloud.com/deadletter/a",
			"https://letters-1250000000.cos.ap-guangzhou.myqcloud.com/deadletter/a?x=y", "https://../deadletter/a", "://\x00",
		} {
			if _, err := reader.Get(t.Context(), address); err == nil || !strings.Contains(err.Error(), "is no URL of") {
				t.Errorf("%q: got %v", address, err)
			}
		}
	})

	t.Run("a bucket that does not exist, or a wrong key, is an error that says so", func(t *testing.T) {
		t.Parallel()
		other := config
		other.Bucket = "nowhere-1250000000"
		if _, err := store(t, other).Put(t.Context(), "a", nil); !errors.Is(err, cos.ErrNoBucket) {
			t.Errorf("got %v", err)
		}
		other = config
		other.Credentials = cos.Static("id", secret.New("wrong"))
		if _, err := store(t, other).Put(t.Context(), "a", nil); !errors.Is(err, cos.ErrAccess) || strings.Contains(err.Error(), "wrong") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("a name that no bucket can have is refused at once", func(t *testing.T) {
		t.Parallel()
		if _, err := objects.New(cos.Config{Bucket: "Letters", Region: "x", Credentials: config.Credentials}); err == nil {
			t.Error("no error")
		}
	})
}
