package cos_test

import (
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	good := func() cos.Config {
		return cos.Config{Bucket: "backup-1250000000", Region: "ap-guangzhou", Credentials: cos.Static("id", secret.New("key"))}
	}
	t.Run("takes the name, the region and credentials", func(t *testing.T) {
		t.Parallel()
		b, err := cos.Open(good())
		if err != nil || b.Name() != "backup-1250000000" {
			t.Errorf("got %v, %v", b, err)
		}
	})
	for name, c := range map[string]struct {
		change func(*cos.Config)
		want   string
	}{
		"a bucket without its APPID":   {func(c *cos.Config) { c.Bucket = "backup" }, "NAME-APPID"},
		"a bucket with a path":         {func(c *cos.Config) { c.Bucket = "a/b-1" }, "NAME-APPID"},
		"a region that is a host name": {func(c *cos.Config) { c.Region = "evil.com/" }, "ap-guangzhou"},
		"no credentials":               {func(c *cos.Config) { c.Credentials = nil }, "SecretId"},
		"parts below the minimum":      {func(c *cos.Config) { c.PartSize = 1000 }, "part size 1000"},
		"an endpoint without a scheme": {func(c *cos.Config) { c.Endpoint = "localhost:9436" }, "http://localhost:9436"},
		"an endpoint with a path":      {func(c *cos.Config) { c.Endpoint = "http://localhost/cos" }, "http://localhost:9436"},
	} {
		t.Run("refuses "+name+" and says what it wants", func(t *testing.T) {
			t.Parallel()
			config := good()
			c.change(&config)
			if _, err := cos.Open(config); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}
