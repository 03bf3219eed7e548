package localcos_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/localcos"
)

func TestBuckets(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	host := func(name, method, target string) answer {
		return s.send(newRequest(t.Context(), method, "http://"+name+target, nil))
	}
	t.Run("are created, listed and removed by any name of the host", func(t *testing.T) {
		for _, name := range []string{"new-1.cos.ap-guangzhou.myqcloud.com", "new-1.localhost:9436", "new-1.cos.example.com"} {
			for _, step := range []struct {
				method, target string
				status         int
			}{
				{"HEAD", "/", 404}, {"PUT", "/", 200}, {"PUT", "/", 409}, {"HEAD", "/", 200}, {"PUT", "/k", 200}, {"DELETE", "/", 409},
				{"DELETE", "/k", 204}, {"GET", "/?location", 200}, {"GET", "/?versioning", 200}, {"DELETE", "/", 204}, {"DELETE", "/", 404}, {"PUT", "/k", 404},
			} {
				if a := host(name, step.method, step.target); a.status != step.status {
					t.Errorf("%s %s%s: got %d %s, want %d", step.method, name, step.target, a.status, a.body, step.status)
				}
			}
		}
		for _, name := range []string{"service.cos.myqcloud.com", "cos.ap-guangzhou.myqcloud.com", "localhost:9436", "127.0.0.1:9436", "[::1]:9436"} {
			if a := host(name, "GET", "/"); a.status != 200 || !strings.Contains(a.body, "<Name>"+bucket+"</Name>") {
				t.Errorf("%s: got %d %s", name, a.status, a.body)
			}
		}
	})
	t.Run("have names with an APPID", func(t *testing.T) {
		for _, name := range []string{"noappid", "-a-1", "a.b", "..", "Upper-x", "a_b-1", strings.Repeat("x", 60) + "-1"} {
			if a := host(name+".localhost", "PUT", "/"); a.status < 400 || a.status > 405 {
				t.Errorf("%q: got %d %s", name, a.status, a.body)
			}
		}
	})
}

func TestStart(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	if err := s.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(""); err == nil {
		t.Error("started twice")
	}
	t.Run("answers at its address, and as a proxy of the real host names", func(t *testing.T) {
		proxy, err := url.Parse(s.URL())
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy)}}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+bucket+".cos.ap-guangzhou.myqcloud.com/k", strings.NewReader("content"))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != 200 {
			t.Errorf("got %s %s", answer.Status, text)
		}
		if a := s.want(200, "GET", "/k", nil); a.body != "content" {
			t.Errorf("got %q", a.body)
		}
	})
	t.Run("closes twice, and gives the folder up", func(t *testing.T) {
		dir := t.TempDir()
		for range 2 {
			s := newServer(t, func(c *localcos.Config) { c.Dir = dir })
			if err := s.Start("127.0.0.1:0"); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
