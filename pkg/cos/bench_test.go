package cos_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Both ends are in one process here: the figure is of client and server together.
func BenchmarkPutAndGet(b *testing.B) {
	server, err := localcos.New(localcos.Config{Dir: b.TempDir(), Unsigned: true, Buckets: []string{bucketName}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		b.Fatal(err)
	}
	bucket, err := cos.Open(cos.Config{
		Bucket: bucketName, Region: localcos.DefaultRegion, Endpoint: server.URL(), Credentials: cos.Static("id", secret.New("key")),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(bucket.Close)
	data := content(64 * mib)
	b.Run("put", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := bucket.Put(b.Context(), "key", bytes.NewReader(data), cos.PutOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		buffer := make([]byte, 256<<10)
		for b.Loop() {
			body, _, err := bucket.Get(b.Context(), "key")
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, body, buffer); err != nil {
				b.Fatal(err)
			}
			_ = body.Close()
		}
	})
}
