package api_test

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestAuthentication(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(_ *emulator.Config, c *api.Config) { c.Token, c.Region = secret.New("token"), "ap-guangzhou" })
	good := r.client
	good.Token = "token"
	now := func(d time.Duration) func(*apitest.Client) {
		return func(c *apitest.Client) { c.Now = func() time.Time { return time.Now().Add(d) } }
	}
	tamper := func(change func(*http.Request)) func(*apitest.Client) {
		return func(c *apitest.Client) { c.Tamper = change }
	}
	set := func(name, value string) func(*apitest.Client) {
		return tamper(func(r *http.Request) { r.Header.Set(name, value) })
	}
	replace := func(old, new string) func(*apitest.Client) {
		return tamper(func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		})
	}
	for why, c := range map[string]struct {
		code   string
		change func(*apitest.Client)
	}{
		"a good request":          {"", func(*apitest.Client) {}},
		"a clock 4 minutes late":  {"", now(-4 * time.Minute)},
		"a clock 4 minutes early": {"", now(4 * time.Minute)},
		"a clock 6 minutes late":  {"AuthFailure.SignatureExpire", now(-6 * time.Minute)},
		"a clock 6 minutes early": {"AuthFailure.SignatureExpire", now(6 * time.Minute)},
		"another id": {"AuthFailure.SecretIdNotFound",
			func(c *apitest.Client) { c.SecretID = "nobody" }},
		"another key": {"AuthFailure.SignatureFailure",
			func(c *apitest.Client) { c.Key = secret.New("other") }},
		"another token": {"AuthFailure.TokenFailure", func(c *apitest.Client) { c.Token = "other" }},
		"no token":      {"AuthFailure.TokenFailure", func(c *apitest.Client) { c.Token = "" }},
		"another host than was signed": {"AuthFailure.SignatureFailure",
			tamper(func(r *http.Request) { r.Host = "scf.tencentcloudapi.com" })},
		"another content type": {"AuthFailure.SignatureFailure", set("Content-Type", "text/plain")},
		"a time that was not signed": {"AuthFailure.SignatureFailure",
			set("X-TC-Timestamp", strconv.FormatInt(time.Now().Unix()-1, 10))},
		"a time that is none":    {"InvalidParameter", set("X-TC-Timestamp", "now")},
		"no time":                {"MissingParameter", set("X-TC-Timestamp", "")},
		"no signature":           {"MissingParameter", set("Authorization", "")},
		"no signature asked for": {"AuthFailure.InvalidAuthorization", set("Authorization", "SKIP")},
		"another algorithm": {"AuthFailure.InvalidAuthorization",
			replace("TC3-HMAC-SHA256", "TC3-HMAC-SHA1")},
		"the scope of another service": {"AuthFailure.SignatureFailure", replace("/scf/", "/cos/")},
		"the scope of another day": {"AuthFailure.SignatureFailure",
			replace("/"+time.Now().UTC().Format(time.DateOnly)+"/", "/2019-02-25/")},
		"a host that is not signed": {"AuthFailure.InvalidAuthorization",
			replace("content-type;host", "content-type")},
		"another version":               {"NoSuchVersion", set("X-TC-Version", "2017-03-12")},
		"no version":                    {"MissingParameter", set("X-TC-Version", "")},
		"no region":                     {"MissingParameter", set("X-TC-Region", "")},
		"another region":                {"UnsupportedRegion", func(c *apitest.Client) { c.Region = "ap-tokyo" }},
		"an action that does not exist": {"InvalidAction", set("X-TC-Action", "DropFunction")},
		"no action":                     {"MissingParameter", set("X-TC-Action", "")},
		"another method": {"UnsupportedProtocol",
			tamper(func(r *http.Request) { r.Method = http.MethodPut })},
		"another path":             {"InvalidRequest", tamper(func(r *http.Request) { r.URL.Path = "/x" })},
		"a body that is too large": {"RequestSizeLimitExceeded", nil},
		"a body that was not signed": {"AuthFailure.SignatureFailure", tamper(func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{ }")), 3
		})},
		"a body that is no object":     {"InvalidParameter", nil},
		"a body with something behind": {"InvalidParameter", nil},
	} {
		t.Run(why, func(t *testing.T) {
			r := rig{TB: t, client: good}
			var err error
			switch why {
			case "a body that is too large":
				err = r.client.Call(t.Context(), "ListFunctions", object{"SearchKey": strings.Repeat("x", 10<<20)}, nil)
			case "a body that is no object", "a body with something behind":
				body := map[bool]string{true: "[]", false: "{} {}"}[why == "a body that is no object"]
				_, answer, failed := r.client.Post(t.Context(), "ListFunctions", []byte(body))
				if failed != nil || !strings.Contains(string(answer), `"Code":"`+c.code+`"`) {
					t.Errorf("got %s, %v", answer, failed)
				}
				return
			default:
				c.change(&r.client)
				err = r.client.Call(t.Context(), "ListFunctions", object{}, nil)
			}
			r.has(err, c.code)
		})
	}
}

// has checks what came of a request; no code is success.
func (r rig) has(err error, code string) {
	r.Helper()
	var e *apitest.Error
	if errors.As(err, &e) && e.Code == code && e.RequestID != "" || err == nil && code == "" {
		return
	}
	r.Errorf("got %v, want the code %q", err, code)
}
