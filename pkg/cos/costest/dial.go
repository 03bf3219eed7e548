package costest

import (
	"net/http"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// throughEndpoint dials the bucket's endpoint, because a name like
// BUCKET.localhost is known to browsers, and not to every resolver.
func throughEndpoint(b *cos.Bucket) *http.Transport { return b.Transport() }
