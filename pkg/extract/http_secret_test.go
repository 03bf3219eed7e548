package extract_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

func TestSecretsOfHeaders(t *testing.T) {
	t.Parallel()
	const token, tenant, other = "hunter2<\"&>", "Basic dHdvOndvcmRz", "k-4711"
	const file = "    auth: {env: KEY, prefix: 'Bearer '}\n    headers: {Proxy-Authorization: {env: TENANT}, X-Key: {env: OTHER}}\n"
	padding := strings.Repeat("x", 75)
	for name, answer := range map[string]http.HandlerFunc{
		"alone":                                  status(400, "invalid token: "+token),
		"with the prefix":                        status(500, "Bearer "+token),
		"of another header":                      status(404, tenant+" knows no "+other),
		"of another header, without the scheme":  status(502, strings.TrimPrefix(tenant, "Basic ")),
		"in a query":                             status(400, "/?token=hunter2%3C%22%26%3E"),
		"in JSON":                                status(400, `{"token":"hunter2\u003c\"\u0026\u003e"}`),
		"in what is no page":                     says("token " + token),
		"in an object without a list":            says(`{"k-4711":1}`),
		"in what begins as HTML does":            says("<b>" + token + tenant),
		"where an excerpt of no page ends":       says(padding + token),
		"where an excerpt of an error ends":      status(400, padding+token),
		"in HTML where an excerpt ends":          html(padding + token),
		"in the reason beside the status":        raw("HTTP/1.1 400 no k-4711 here\r\nContent-Length: 0\r\n\r\n"),
		"in the address that it redirects to":    raw("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2/k-4711\r\nContent-Length: 0\r\n\r\n"),
		"in the names of an object without list": says(`{"` + strings.Repeat("y", 297) + `k-4711":1}`),
	} {
		t.Run("are in no error, where the source repeats one "+name, func(t *testing.T) {
			t.Parallel()
			j := newJob(t, httpFile(newAPI(t, answer).URL, file))
			j.env["KEY"], j.env["TENANT"], j.env["OTHER"] = token, tenant, other
			_, err := j.fails()
			for _, part := range []string{"hunt", "dHdv", "k-4"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("%q is in it: %v", part, err)
				}
			}
			if !errors.Is(err, extract.ErrSource) && !errors.Is(err, extract.ErrPolicy) {
				t.Error(err)
			}
		})
	}
	t.Run("that are too short to be any leave errors as they are", func(t *testing.T) {
		t.Parallel()
		j := newJob(t, httpFile(newAPI(t, status(404, "no 1")).URL, "    headers: {X-Tenant: {env: TENANT}}\n"))
		j.env["TENANT"] = "1"
		j.fails("no 1", "127.0.0.1")
	})
}

func html(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, body)
	}
}

// raw answers with bytes.
func raw(answer string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		fmt.Fprint(buffered, answer)
		buffered.Flush()
		connection.Close()
	}
}
