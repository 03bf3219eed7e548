package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/secret"
	"github.com/scf-etl/scf-etl/pkg/webhook"
)

const token = "the-secret-token"

// receiver answers each request with the next of its answers, the last for ever, and keeps what it got.
type receiver struct {
	mu      sync.Mutex
	answers []func(http.ResponseWriter)
	keys    []string
	bodies  []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	answer := r.answers[min(len(r.keys), len(r.answers)-1)]
	r.keys, r.bodies = append(r.keys, request.Header.Get(webhook.IdempotencyKey)), append(r.bodies, string(body))
	answer(w)
}

func (r *receiver) got() (keys, bodies []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys, r.bodies
}

func status(code int, body string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// hook is one at a receiver with answers.
func hook(t *testing.T, answers ...func(http.ResponseWriter)) (webhook.Hook, *receiver) {
	t.Helper()
	r := &receiver{answers: answers}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return webhook.Hook{URL: secret.New(server.URL + "/" + token + "?key=" + token), BackOff: time.Millisecond}, r
}

func torn(w http.ResponseWriter) {
	panic(http.ErrAbortHandler)
}

func TestPost(t *testing.T) {
	t.Parallel()

	t.Run("a message that is taken is sent once, with its key", func(t *testing.T) {
		t.Parallel()
		h, r := hook(t, status(204, ""))
		if err := h.Post(t.Context(), "k1", []byte(`{"a":1}`)); err != nil {
			t.Fatal(err)
		}
		if keys, bodies := r.got(); len(keys) != 1 || keys[0] != "k1" || bodies[0] != `{"a":1}` {
			t.Errorf("got %v, %v", keys, bodies)
		}
	})
	for name, answer := range map[string]func(http.ResponseWriter){
		"a torn connection": torn, "500": status(500, "oops"), "503": status(503, ""), "429": status(429, "slow down"),
	} {
		t.Run("it is sent again, with the same key, after "+name, func(t *testing.T) {
			t.Parallel()
			h, r := hook(t, answer, answer, status(200, "ok"))
			if err := h.Post(t.Context(), "k2", []byte("{}")); err != nil {
				t.Fatal(err)
			}
			if keys, _ := r.got(); strings.Join(keys, " ") != "k2 k2 k2" {
				t.Errorf("got %v", keys)
			}
		})
	}
	t.Run("it waits as long as the receiver says", func(t *testing.T) {
		t.Parallel()
		h, r := hook(t, func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(429)
		}, status(200, ""))
		begun := time.Now()
		if err := h.Post(t.Context(), "k", nil); err != nil || time.Since(begun) < time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
		if keys, _ := r.got(); len(keys) != 2 {
			t.Errorf("got %v", keys)
		}
	})
	t.Run("tries have an end, and the last answer is told", func(t *testing.T) {
		t.Parallel()
		h, r := hook(t, status(500, "the disk\nis full"))
		h.Tries = 3
		err := h.Post(t.Context(), "k", nil)
		if err == nil || !strings.Contains(err.Error(), "after 3 tries: the receiver answers 500 Internal Server Error: the disk is full") {
			t.Errorf("got %v", err)
		}
		if keys, _ := r.got(); len(keys) != 3 {
			t.Errorf("%d tries", len(keys))
		}
	})
	for _, code := range []int{400, 401, 404, 410} {
		t.Run(fmt.Sprintf("what %d refuses is not sent again", code), func(t *testing.T) {
			t.Parallel()
			h, r := hook(t, status(code, "no"))
			if err := h.Post(t.Context(), "k", nil); err == nil {
				t.Error("no error")
			}
			if keys, _ := r.got(); len(keys) != 1 {
				t.Errorf("%d tries", len(keys))
			}
		})
	}
	t.Run("a redirect is not followed", func(t *testing.T) {
		t.Parallel()
		other, elsewhere := hook(t, status(200, ""))
		h, _ := hook(t, func(w http.ResponseWriter) {
			w.Header().Set("Location", other.URL.Reveal())
			w.WriteHeader(307)
		})
		if err := h.Post(t.Context(), "k", nil); err == nil || !strings.Contains(err.Error(), "redirects are not followed") {
			t.Errorf("got %v", err)
		}
		if keys, _ := elsewhere.got(); len(keys) > 0 {
			t.Error("it was followed")
		}
	})
	t.Run("it ends with the context", func(t *testing.T) {
		t.Parallel()
		h, _ := hook(t, status(500, ""))
		h.BackOff = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := h.Post(ctx, "k", nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no error shows the address", func(t *testing.T) {
		t.Parallel()
		refused := webhook.Hook{URL: secret.New("http://127.0.0.1:1/" + token), Tries: 1}
		broken := webhook.Hook{URL: secret.New("http://[::1/" + token)}
		noisy, r := hook(t, status(400, ""))
		r.answers[0] = status(400, "cannot POST /"+token+"?key="+token)
		gone, _ := hook(t, torn)
		gone.Tries = 1
		for _, h := range []webhook.Hook{refused, broken, noisy, gone, {URL: secret.New("ftp://" + token)}, {URL: secret.New("https://user:" + token + "@host/")}} {
			if err := h.Post(t.Context(), "k", nil); err == nil || strings.Contains(err.Error(), token) {
				t.Errorf("got %v", err)
			}
		}
	})
}

func message() webhook.Message {
	return webhook.Message{
		Title: "Requests <b> & *more*",
		Lines: []webhook.Line{{"Requests", "1,984 (▼ 1.6 %)"}, {"</font>", "a|b"}},
		Links: []webhook.Link{{"the page", "http://host/a?b=c&d=e"}},
		Data:  map[string]any{"report": "requests"},
	}
}

func TestForm(t *testing.T) {
	t.Parallel()

	t.Run("json is the data", func(t *testing.T) {
		t.Parallel()
		if body, err := webhook.JSON.Body(message()); err != nil || string(body) != `{"report":"requests"}` {
			t.Errorf("got %s, %v", body, err)
		}
	})
	t.Run("slack is text with its three characters escaped", func(t *testing.T) {
		t.Parallel()
		body, err := webhook.Slack.Body(message())
		var got struct{ Text string }
		if err != nil || json.Unmarshal(body, &got) != nil {
			t.Fatalf("%s, %v", body, err)
		}
		want := "*Requests &lt;b&gt; &amp; *more**\n• Requests: *1,984 (▼ 1.6 %)*\n• &lt;/font&gt;: *a|b*\n<http://host/a?b=c&d=e|the page>"
		if got.Text != want {
			t.Errorf("got %q", got.Text)
		}
	})
	t.Run("wecom is markdown without tags, of no more than it takes", func(t *testing.T) {
		t.Parallel()
		m := message()
		for range 500 {
			m.Lines = append(m.Lines, webhook.Line{Name: strings.Repeat("名", 200), Text: "1"})
		}
		body, err := webhook.WeCom.Body(m)
		var got struct {
			Msgtype  string
			Markdown struct{ Content string }
		}
		if err != nil || json.Unmarshal(body, &got) != nil {
			t.Fatalf("%s, %v", body, err)
		}
		content := got.Markdown.Content
		if got.Msgtype != "markdown" || len(content) > 4096 || strings.Contains(content, "<") ||
			!strings.HasSuffix(content, "\n[the page](http://host/a?b=c&d=e)") || !strings.HasPrefix(content, "### Requests ＜b＞") {
			t.Errorf("%d bytes: %.300s", len(content), content)
		}
	})
	t.Run("wecom's links, signed with a long token, are left out where they do not fit, and it says so", func(t *testing.T) {
		t.Parallel()
		m := message()
		m.Links = []webhook.Link{
			{Text: "page", URL: "http://host/?" + strings.Repeat("t", 2500)},
			{Text: "data", URL: "http://host/?" + strings.Repeat("t", 2500)},
		}
		body, err := webhook.WeCom.Body(m)
		var got struct{ Markdown struct{ Content string } }
		if err != nil || json.Unmarshal(body, &got) != nil {
			t.Fatalf("%s, %v", body, err)
		}
		content := got.Markdown.Content
		if len(content) > 4096 || !strings.Contains(content, "\n[page](") || strings.Contains(content, "[data]") ||
			!strings.HasSuffix(content, "(link left out: too long for this message)") {
			t.Errorf("%d bytes: %.200s", len(content), content)
		}
	})
	t.Run("wecom's own code says whether a message was taken", func(t *testing.T) {
		t.Parallel()
		for answer, tries := range map[string]int{
			`{"errcode":0,"errmsg":"ok"}`: 1, `{"errcode":93000,"errmsg":"invalid webhook url"}`: 1, `<html>`: 1, `{"errcode":45009,"errmsg":"limit"}`: 3,
		} {
			h, r := hook(t, status(200, answer))
			h.Accept, h.Tries = webhook.WeCom.Accept(), 3
			err := h.Post(t.Context(), "k", nil)
			if keys, _ := r.got(); (err == nil) != strings.Contains(answer, ":0,") || len(keys) != tries {
				t.Errorf("%s: %v after %d tries", answer, err, len(keys))
			}
		}
	})
	t.Run("another form is refused", func(t *testing.T) {
		t.Parallel()
		if err := new(webhook.Form).UnmarshalText([]byte("teams")); err == nil {
			t.Error("it is taken")
		}
	})
}
