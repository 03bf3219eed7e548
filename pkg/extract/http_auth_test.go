package extract_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

func TestAuth(t *testing.T) {
	t.Parallel()
	const auth = "    auth: {header: X-Api-Key, env: KEY, prefix: 'Token '}\n    headers: {X-Tenant: {env: TENANT}}\n"
	job := func(t *testing.T, url, settings string) *job {
		j := newJob(t, httpFile(url, auth+settings))
		j.env["KEY"], j.env["TENANT"] = "hunter2", "t1"
		return j
	}
	t.Run("is a header with a value of the environment", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, says("[]"))
		job(t, a.URL, "").run()
		if h := a.asked()[0].Header; h.Get("X-Api-Key") != "Token hunter2" || h.Get("X-Tenant") != "t1" {
			t.Errorf("%v", h)
		}
	})
	t.Run("is in no error, also where the source repeats it", func(t *testing.T) {
		t.Parallel()
		for _, code := range []int{401, 400, 500} {
			a := newAPI(t, func(w http.ResponseWriter, r *http.Request) { status(code, r.Header.Get("X-Api-Key"))(w, r) })
			_, err := job(t, a.URL, "").fails(fmt.Sprint(code))
			if strings.Contains(err.Error(), "hunter2") {
				t.Error(err)
			}
		}
	})
	t.Run("goes with a redirect on the same host", func(t *testing.T) {
		t.Parallel()
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				http.Redirect(w, r, "/orders", http.StatusFound)
				return
			}
			fmt.Fprint(w, "[]")
		})
		job(t, a.URL, "").run()
		if asked := a.asked(); len(asked) != 2 || asked[1].Header.Get("X-Api-Key") != "Token hunter2" {
			t.Errorf("asked %d times", len(asked))
		}
	})
	t.Run("never goes to another host, by a redirect or a link, and nobody goes there unasked", func(t *testing.T) {
		t.Parallel()
		other := newAPI(t, says(list(orders(3, 5))))
		for _, c := range []struct {
			paging string
			answer http.HandlerFunc
		}{
			{"", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
			}},
			{"    paging: {link: next}\n", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Link", "<"+other.URL+">; rel=next")
				fmt.Fprint(w, "[]")
			}},
		} {
			a := newAPI(t, c.answer)
			if _, err := job(t, a.URL, c.paging).fails("the source", other.URL, "redirects: any"); !errors.Is(err, extract.ErrPolicy) || len(other.asked()) != 0 {
				t.Error(err)
			}
			j := job(t, a.URL, c.paging+"    redirects: any\n")
			j.run()
			j.wants("orders", orders(3, 5)...)
			for _, r := range other.asked() {
				if r.Header.Get("X-Api-Key") != "" || r.Header.Get("X-Tenant") != "" {
					t.Errorf("%v", r.Header)
				}
			}
		}
	})
	t.Run("nor by a path that would be a host, or a cursor that is committed", func(t *testing.T) {
		t.Parallel()
		const paging = "    paging: {link: next}\n"
		other := newAPI(t, says(list(orders(3, 5))))
		path := strings.TrimPrefix(other.URL, "http:") + "/latest"
		var a *api
		a = newAPI(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				w.Header().Set("Link", "<"+a.URL+path+">; rel=next")
			}
			fmt.Fprintf(w, `[{"id":%q}]`, r.URL.Path)
		})
		for _, redirects := range []string{"same-host", "none", "any"} {
			a.asked()
			j := job(t, a.URL+"/", paging+"    redirects: "+redirects+"\n")
			for range 2 { // in the same run, and from the cursor
				j.run()
			}
			asked := a.asked()
			if len(asked) != 3 || asked[1].RequestURI != path || asked[2].RequestURI != path || len(other.asked()) != 0 {
				t.Errorf("%s: asked %d times", redirects, len(asked))
			}
		}
		j := job(t, a.URL+"/", paging)
		j.run()
		for _, at := range []string{path, other.URL + "/latest"} {
			j.stands("http json link", fmt.Sprintf(`{"at":%q}`, at))
			if _, err := j.fails("the committed cursor", other.URL); !errors.Is(err, extract.ErrPolicy) || len(other.asked()) != 0 {
				t.Error(err)
			}
		}
	})
	t.Run("and no request goes to a file or the like, nor from https to http", func(t *testing.T) {
		t.Parallel()
		for _, to := range []string{"file:///etc/passwd", "gopher://x/", "ftp://x/y"} {
			a := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", to)
				w.WriteHeader(http.StatusFound)
			})
			if _, err := job(t, a.URL, "    redirects: any\n").fails("neither http nor https"); !errors.Is(err, extract.ErrPolicy) {
				t.Error(err)
			}
		}
		a := newAPI(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) })
		if _, err := job(t, a.URL, "    redirects: none\n").fails("redirects to"); !errors.Is(err, extract.ErrPolicy) {
			t.Error(err)
		}
		if _, err := job(t, a.URL, "").fails("redirects more than 10 times"); !errors.Is(err, extract.ErrSource) {
			t.Error(err)
		}
	})
	t.Run("and a certificate that nobody has signed is refused", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewTLSServer(says("[]"))
		t.Cleanup(server.Close)
		job(t, server.URL, "").fails("certificate")
	})
}
