package costest_test

import (
	"os"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/cos/costest"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const (
	bucketName = "costest-1250000000"
	secretID   = "AKIDexample"
)

func TestLocal(t *testing.T) {
	t.Parallel()
	secretKey := secret.New("key-of-a-test")
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucketName}, Keys: map[string]localcos.Key{secretID: {Secret: secretKey}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	costest.Run(t, func(t *testing.T) *cos.Bucket {
		return open(t, cos.Config{
			Bucket: bucketName, Region: localcos.DefaultRegion, Endpoint: server.URL(), Credentials: cos.Static(secretID, secretKey),
		})
	})
}

func TestReal(t *testing.T) {
	t.Parallel()
	config := cos.Config{
		Bucket: os.Getenv("COS_TEST_BUCKET"), Region: os.Getenv("COS_TEST_REGION"),
		Credentials: cos.Static(os.Getenv("TENCENTCLOUD_SECRET_ID"), secret.New(os.Getenv("TENCENTCLOUD_SECRET_KEY"))),
	}
	if config.Bucket == "" || config.Region == "" || os.Getenv("TENCENTCLOUD_SECRET_ID") == "" || os.Getenv("TENCENTCLOUD_SECRET_KEY") == "" {
		t.Skip("runs on a real bucket: set COS_TEST_BUCKET, COS_TEST_REGION, TENCENTCLOUD_SECRET_ID and TENCENTCLOUD_SECRET_KEY; " +
			"it costs a few thousand requests")
	}
	costest.Run(t, func(t *testing.T) *cos.Bucket { return open(t, config) })
}

func open(t *testing.T, config cos.Config) *cos.Bucket {
	t.Helper()
	config.PartSize, config.CopyLimit = costest.PartSize, costest.PartSize
	bucket, err := cos.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bucket.Close)
	return bucket
}
