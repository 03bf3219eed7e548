package cos_test

import (
	"errors"
	"net/http"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
)

func TestVersions(t *testing.T) {
	t.Parallel()

	t.Run("a bucket without versions says so, and one that may not be asked is access denied", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil, nil)
		if has, err := w.Versions(t.Context()); has || err != nil {
			t.Errorf("%v, %v", has, err)
		}
		w.fault = func(int, *http.Request) *localcos.Fault { return &localcos.Fault{Status: 403, Code: "AccessDenied"} }
		if _, err := w.Versions(t.Context()); !errors.Is(err, cos.ErrAccess) {
			t.Errorf("%v", err)
		}
	})

	t.Run("a bucket that does not exist is no bucket without versions", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil, func(c *cos.Config) { c.Bucket = "other-1250000000" })
		if _, err := w.Versions(t.Context()); !errors.Is(err, cos.ErrNoBucket) {
			t.Errorf("%v", err)
		}
	})
}
