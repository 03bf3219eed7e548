package api

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// addressTime is how long the URL of a function's code can be used [?]:
// that it expires is stated, and not when.
const addressTime = 10 * time.Minute

// downloads are URLs that carry their permission, as those of COS do.
type downloads struct{ key []byte }

func (d *downloads) begin() error {
	d.key = make([]byte, sha256.Size)
	_, err := rand.Read(d.key)
	return err
}

// permission lets download one zip until a time.
func (d *downloads) permission(sum, until string) string {
	m := hmac.New(sha256.New, d.key)
	m.Write([]byte(sum + "?" + until))
	return hex.EncodeToString(m.Sum(nil))
}

type getFunctionAddressRequest struct{ FunctionName, Namespace, Qualifier string }

// host is the key under which the context of a request has the host that it
// was sent to.
type host struct{}

// getFunctionAddress gives the URL of a zip.
func (s *Server) getFunctionAddress(ctx context.Context, r getFunctionAddressRequest) (any, error) {
	st, err := s.read(r.Namespace, r.FunctionName)
	if err != nil {
		return nil, err
	}
	v, err := st.qualified(r.Qualifier)
	if err != nil {
		return nil, err
	}
	sum := v.Code.SHA256
	if sum == "" {
		return nil, refuse("FailedOperation.GetFunctionAddress",
			"The code of %s was not deployed by this API: it has no zip.", st.name())
	}
	until := strconv.FormatInt(s.config.Now().Add(addressTime).Unix(), 10)
	to, _ := ctx.Value(host{}).(string)
	return struct{ Url, CodeSha256 string }{
		fmt.Sprintf("http://%s/code/%s.zip?until=%s&permission=%s", to, sum, until, s.permission(sum, until)), sum,
	}, nil
}

// codePath is that of a zip: nothing else of a request becomes a path.
var codePath = regexp.MustCompile(`^/code/([0-9a-f]{64})\.zip$`)

// download answers a request for a zip; it is false where it is none.
func (s *Server) download(w http.ResponseWriter, r *http.Request) bool {
	m := codePath.FindStringSubmatch(r.URL.Path)
	if r.Method != http.MethodGet || m == nil {
		return false
	}
	until := r.URL.Query().Get("until")
	expires, err := strconv.ParseInt(until, 10, 64)
	if err != nil || !same(s.permission(m[1], until),
		r.URL.Query().Get("permission")) || s.config.Now().Unix() > expires {
		http.Error(w, "the address is not valid, or has expired", http.StatusForbidden)
		return true
	}
	w.Header().Set("Content-Type", "application/zip")
	http.ServeFile(w, r, s.codes.path(m[1]))
	return true
}
