package tc3_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator/api/tc3"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// The example of the page "Signature v3".
const (
	exampleSignature = "72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
	exampleID        = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
	exampleKey       = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
	exampleTime      = 1551113065
	exampleBody      = `{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}`
)

func example() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "https://cvm.tencentcloudapi.com/", nil)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("X-TC-Action", "DescribeInstances")
	return r
}

func TestSignature(t *testing.T) {
	t.Parallel()
	a := tc3.Authorization{SecretID: exampleID, Date: "2019-02-25", Service: "cvm", SignedHeaders: []string{"content-type", "host"}}
	if got := tc3.Signature(example(), []byte(exampleBody), a, exampleTime, secret.New(exampleKey)); got != exampleSignature {
		t.Errorf("got %s, want %s", got, exampleSignature)
	}
	for why, other := range map[string]func(*http.Request, *tc3.Authorization) (body string, at int64, key string){
		"the body": func(*http.Request, *tc3.Authorization) (string, int64, string) {
			return exampleBody + " ", exampleTime, exampleKey
		},
		"the time": func(*http.Request, *tc3.Authorization) (string, int64, string) {
			return exampleBody, exampleTime + 1, exampleKey
		},
		"the key": func(*http.Request, *tc3.Authorization) (string, int64, string) {
			return exampleBody, exampleTime, exampleKey + "x"
		},
		"the service": func(_ *http.Request, a *tc3.Authorization) (string, int64, string) {
			a.Service = "scf"
			return exampleBody, exampleTime, exampleKey
		},
		"the host": func(r *http.Request, _ *tc3.Authorization) (string, int64, string) {
			r.Host = "localhost"
			return exampleBody, exampleTime, exampleKey
		},
		"the path": func(r *http.Request, _ *tc3.Authorization) (string, int64, string) {
			r.URL.Path = "/x"
			return exampleBody, exampleTime, exampleKey
		},
	} {
		r, a := example(), a
		body, at, key := other(r, &a)
		if got := tc3.Signature(r, []byte(body), a, at, secret.New(key)); got == exampleSignature {
			t.Errorf("%s does not count", why)
		}
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	r := example()
	tc3.Sign(r, []byte(exampleBody), "cvm", exampleID, secret.New(exampleKey), time.Unix(exampleTime, 0))
	a, err := tc3.Parse(r.Header.Get("Authorization"))
	if err != nil {
		t.Fatal(err)
	}
	if a.SecretID != exampleID || a.Date != "2019-02-25" || a.Service != "cvm" || a.Signature != exampleSignature {
		t.Errorf("got %+v", a)
	}
	if got := r.Header.Get("X-TC-Timestamp"); got != "1551113065" {
		t.Errorf("timestamp %s", got)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	const good = "TC3-HMAC-SHA256 Credential=id/2019-02-25/scf/tc3_request, SignedHeaders=content-type;host, Signature=00"
	if _, err := tc3.Parse(good); err != nil {
		t.Fatal(err)
	}
	for why, header := range map[string]string{
		"nothing":                  "",
		"another algorithm":        strings.Replace(good, "SHA256", "SHA1", 1),
		"a word too long":          strings.Replace(good, "SHA256 ", "SHA256X ", 1),
		"no credential":            "TC3-HMAC-SHA256 SignedHeaders=host, Signature=00",
		"a scope without an end":   strings.Replace(good, "/tc3_request", "", 1),
		"another end of the scope": strings.Replace(good, "tc3_request", "tc4_request", 1),
		"no id":                    strings.Replace(good, "=id/", "=/", 1),
		"no signed headers":        strings.Replace(good, "content-type;host", "", 1),
		"no signature":             strings.Replace(good, "Signature=00", "Signature=", 1),
		"a part without a value":   good + ", x",
	} {
		if a, err := tc3.Parse(header); err == nil {
			t.Errorf("%s: got %+v, want an error", why, a)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("TC3-HMAC-SHA256 Credential=id/2019-02-25/scf/tc3_request, SignedHeaders=content-type;host, Signature=00")
	f.Add("TC3-HMAC-SHA256 ,=,;/")
	f.Fuzz(func(t *testing.T, header string) {
		a, err := tc3.Parse(header)
		if err != nil {
			return
		}
		again, err := tc3.Parse(a.String())
		if err != nil && !strings.ContainsAny(header, ",= \t\n\v\f\r\u0085\u00a0") {
			t.Errorf("%q is read as %+v, which is not read again: %v", header, a, err)
		}
		_ = tc3.Signature(example(), nil, again, 0, secret.New("key"))
	})
}
