package costest

import (
	"context"
	"crypto/rand"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// Run runs the suite. Each test opens a bucket of its own, or the same again:
// it works below a prefix of its own, and removes what it made.
func Run(t *testing.T, open func(t *testing.T) *cos.Bucket) {
	for name, test := range map[string]func(*fixture){
		"gives back what was put, of any length":        gives,
		"keeps metadata and the media type":             keeps,
		"puts a long body in parts":                     inParts,
		"says that an object does not exist":            notFound,
		"creates an object only where none is":          createsOnce,
		"lets one of many writers win":                  oneWins,
		"creates an object in parts only where none is": createsPartsOnce,
		"reads ranges": ranges,
		"lists in the order of the keys, over pages, and where told": lists,
		"lists folders":                                                listsFolders,
		"takes keys of every kind":                                     oddKeys,
		"refuses keys that are none":                                   noKeys,
		"copies with the metadata":                                     copies,
		"copies in parts":                                              copiesInParts,
		"deletes one, many and none":                                   deletes,
		"makes URLs that need no credentials":                          presigns,
		"leaves nothing of a put that failed":                          leavesNothing,
		"replaces an object while it is read, and the reader sees one": oneVersion,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(newFixture(t, open(t)))
		})
	}
}

// fixture is one test: a bucket, and a prefix that is removed at the end.
type fixture struct {
	*testing.T
	bucket *cos.Bucket
	prefix string
	ctx    context.Context
}

func newFixture(t *testing.T, bucket *cos.Bucket) *fixture {
	f := &fixture{t, bucket, "costest/" + rand.Text() + "/", t.Context()}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), time.Minute)
		defer cancel()
		var keys []string
		for o, err := range bucket.List(ctx, cos.ListOptions{Prefix: f.prefix}) {
			if err != nil {
				t.Errorf("clean up: %v", err)
				return
			}
			keys = append(keys, o.Key)
		}
		if err := bucket.Delete(ctx, keys...); err != nil {
			t.Errorf("clean up: %v", err)
		}
	})
	return f
}
