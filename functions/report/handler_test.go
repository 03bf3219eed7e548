package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/fn/fntest"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
	"github.com/scf-etl/scf-etl/pkg/webhook"
)

const bucketName = "data-1250000000"

// world is a bucket with a dataset of two days, and the environment of the function.
func world(t *testing.T) (*cos.Bucket, map[string]string) {
	t.Helper()
	server, err := localcos.New(localcos.Config{
		Dir: t.TempDir(), Buckets: []string{bucketName},
		Keys: map[string]localcos.Key{
			"id":   {Secret: secret.New("the-secret-key")},
			"role": {Secret: secret.New("of-the-role"), Token: secret.New("token")},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	bucket, err := cos.Place{Bucket: bucketName, Region: localcos.DefaultRegion, Endpoint: server.URL(), SecretID: "id", SecretKey: secret.New("the-secret-key")}.Open(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bucket.Close)
	load(t, bucket)
	return bucket, map[string]string{
		"COS_BUCKET": bucketName, "COS_ENDPOINT": server.URL(), "COS_SECRET_ID": "id", "COS_SECRET_KEY": "the-secret-key",
		"REPORT": "testdata/small.yaml",
	}
}

// get asks for a link as a browser does, to which every name below localhost is this machine.
func get(t *testing.T, link, endpoint string) (*http.Response, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(endpoint, "http://"))
	}}}
	answer, err := client.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer, string(body)
}

// load writes what clean and load leave of the log of a web server: 10 rows an hour on the day that the event is about,
// 5 on the one before.
func load(t *testing.T, bucket *cos.Bucket) {
	t.Helper()
	columns := []dataset.Column{
		{Name: "@timestamp", Type: dataset.Timestamp}, {Name: "client", Type: dataset.String}, {Name: "method", Type: dataset.String},
		{Name: "path", Type: dataset.String}, {Name: "status", Type: dataset.Int}, {Name: "size", Type: dataset.Int},
	}
	data := dataset.New(bucket, "dataset")
	begin := time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC) // midnight in Shanghai
	for hour := range 48 {
		at := begin.Add(time.Duration(hour) * time.Hour)
		rows := dataset.NewRows(columns)
		for i := range 5 + 5*(hour/24) {
			err := rows.Append(at.Add(time.Duration(i)*time.Minute), fmt.Sprintf("10.0.%d.0", i), "GET", fmt.Sprintf("/%d", i%3), int64(200+100*(i%4)), int64(1000*i))
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := data.Write(t.Context(), dataset.TimeFolders(at.UnixMilli()), "rows", rows); err != nil {
			t.Fatal(err)
		}
	}
}

func due(t *testing.T) []byte {
	t.Helper()
	payload, err := os.ReadFile("testdata/event.json")
	if err != nil {
		t.Fatal(err)
	}
	return payload
}

// read gives an object.
func read(t *testing.T, bucket *cos.Bucket, key string) (string, cos.Object) {
	t.Helper()
	body, object, err := bucket.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text), object
}

// posts keeps what a webhook gets, and answers with a status.
type posts struct {
	mu     sync.Mutex
	status int
	keys   []string
	bodies []string
}

func (p *posts) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys, p.bodies = append(p.keys, request.Header.Get(webhook.IdempotencyKey)), append(p.bodies, string(body))
	w.WriteHeader(p.status)
}

func TestReport(t *testing.T) {
	t.Parallel()
	const page, data = "reports/requests/2026-01-02/report.html", "reports/requests/2026-01-02/report.json"

	t.Run("a firing writes the page of its period, and gives a link to it", func(t *testing.T) {
		t.Parallel()
		bucket, environment := world(t)
		delete(environment, "REPORT") // the one that is built in
		function := fntest.Deploy(t, New, environment)
		result, err := function.Invoke(due(t))
		if err != nil || result.Page != page || result.Data != data || result.Posted {
			t.Fatalf("%+v, %v", result, err)
		}
		html, object := read(t, bucket, page)
		if object.ContentType != "text/html; charset=utf-8" || !strings.Contains(html, `<p class="value">240</p>`) {
			t.Errorf("%s, %.300s", object.ContentType, html)
		}
		if answer, got := get(t, result.Link, environment["COS_ENDPOINT"]); answer.StatusCode != 200 || got != html {
			t.Errorf("the link gives %s, %d bytes", answer.Status, len(got))
		}
		text, _ := read(t, bucket, data)
		var made struct {
			Period struct{ Label string }
			Parts  []struct {
				Kind          string
				Value, Before any
			}
		}
		if err := json.Unmarshal([]byte(text), &made); err != nil || made.Period.Label != "2026-01-02" ||
			made.Parts[0].Value != 240. || made.Parts[0].Before != 120. {
			t.Errorf("%.500s, %v", text, err)
		}
		if log := function.Log(); strings.Contains(log, "the-secret-key") || strings.Contains(log, "q-signature") {
			t.Error("the log has a key, or a link")
		}
	})

	t.Run("an event that is sent again writes the same bytes", func(t *testing.T) {
		t.Parallel()
		bucket, environment := world(t)
		var pages [2]string
		for i := range pages {
			if _, err := fntest.Invoke(t, New, environment, due(t)); err != nil {
				t.Fatal(err)
			}
			html, _ := read(t, bucket, page)
			text, _ := read(t, bucket, data)
			pages[i] = html + text
		}
		if pages[0] != pages[1] {
			t.Error("they differ")
		}
	})

	t.Run("the summary is posted once it is stored, with the same key in a redelivery", func(t *testing.T) {
		t.Parallel()
		_, environment := world(t)
		receiver := &posts{status: 200}
		server := httptest.NewServer(receiver)
		defer server.Close()
		environment["WEBHOOK_URL"] = server.URL + "/the-webhook-token"
		function := fntest.Deploy(t, New, environment)
		for range 2 {
			if result, err := function.Invoke(due(t)); err != nil || !result.Posted || result.Link != "" {
				t.Fatalf("%+v, %v", result, err)
			}
		}
		var got struct {
			Report  string
			Numbers []struct {
				Title, Text string
				Change      *float64
			}
			Page, Data string
		}
		if err := json.Unmarshal([]byte(receiver.bodies[0]), &got); err != nil || len(receiver.keys) != 2 ||
			receiver.keys[0] != receiver.keys[1] || len(receiver.keys[0]) != 32 {
			t.Fatalf("%v, %v", receiver.keys, err)
		}
		if got.Report != "requests" || got.Numbers[0].Text != "240 (▲ 100 %)" || !strings.Contains(got.Page, page) || !strings.Contains(got.Data, data) {
			t.Errorf("got %+v", got)
		}
		if strings.Contains(function.Log(), "the-webhook-token") {
			t.Error("the webhook's address is in the log")
		}
	})

	t.Run("the form for WeCom is markdown", func(t *testing.T) {
		t.Parallel()
		_, environment := world(t)
		receiver := &posts{status: 200} // without an errcode
		server := httptest.NewServer(receiver)
		defer server.Close()
		environment["WEBHOOK_URL"], environment["WEBHOOK_FORM"] = server.URL+"/the-webhook-token", "wecom"
		_, err := fntest.Invoke(t, New, environment, due(t))
		if err == nil || !strings.Contains(err.Error(), "errcode") {
			t.Errorf("an answer without a code is taken: %v", err)
		}
		if !strings.Contains(receiver.bodies[0], `"msgtype":"markdown"`) {
			t.Errorf("got %s", receiver.bodies[0])
		}
	})

	t.Run("a webhook that refuses is an error that does not show its address, and the page is there", func(t *testing.T) {
		t.Parallel()
		bucket, environment := world(t)
		server := httptest.NewServer(&posts{status: 403})
		defer server.Close()
		environment["WEBHOOK_URL"] = server.URL + "/the-webhook-token"
		function := fntest.Deploy(t, New, environment)
		_, err := function.Invoke(due(t))
		if err == nil || !strings.Contains(err.Error(), "is at "+page+", and its summary was not taken") || !strings.Contains(err.Error(), "403") {
			t.Errorf("got %v", err)
		}
		if strings.Contains(fmt.Sprint(err, function.Log()), "the-webhook-token") {
			t.Error("the webhook's address is shown")
		}
		read(t, bucket, page)
	})

	t.Run("without a key it has the rights of its role", func(t *testing.T) {
		t.Parallel()
		_, environment := world(t)
		delete(environment, "COS_SECRET_ID")
		delete(environment, "COS_SECRET_KEY")
		function := fntest.Deploy(t, New, environment)
		if _, err := function.Invoke(due(t), fntest.WithCredentials("role", "of-the-role", "another token")); err == nil {
			t.Error("a token that the service does not know is taken")
		}
		result, err := function.Invoke(due(t), fntest.WithCredentials("role", "of-the-role", "token"))
		if err != nil || !strings.Contains(result.Link, "x-cos-security-token") {
			t.Errorf("%+v, %v", result, err)
		}
	})

	t.Run("before anything was loaded there is a page without data", func(t *testing.T) {
		t.Parallel()
		bucket, environment := world(t)
		environment["DATASET"] = "another"
		if _, err := fntest.Invoke(t, New, environment, due(t)); err != nil {
			t.Fatal(err)
		}
		if html, _ := read(t, bucket, page); !strings.Contains(html, "No data in this period") {
			t.Error("it does not say so")
		}
	})

	t.Run("REPORT is another report, and a mistake in it is named with its place, before anything is connected to", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "mine.yaml")
		if err := os.WriteFile(file, []byte("version: 1\nnmae: x\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		environment := map[string]string{"COS_BUCKET": bucketName, "COS_ENDPOINT": "http://127.0.0.1:1", "REPORT": file}
		_, err := fntest.Invoke(t, New, environment, due(t))
		if err == nil || !strings.Contains(err.Error(), `mine.yaml:2:1: the file has no setting "nmae": did you mean "name"?`) {
			t.Errorf("got %v", err)
		}
	})

	t.Run("settings with mistakes are all named", func(t *testing.T) {
		t.Parallel()
		_, err := fntest.Invoke(t, New, map[string]string{
			"DATASET": "../x", "PAGES": "", "LINK": "1000h", "WEBHOOK_URL": "no address", "WEBHOOK_FORM": "teams", "COS_SECRET_ID": "id",
		}, due(t))
		if err == nil {
			t.Fatal("they are taken")
		}
		for _, key := range []string{"DATASET", "LINK", "WEBHOOK_URL", "WEBHOOK_FORM", "COS_BUCKET", "COS_SECRET_ID"} {
			if !strings.Contains(err.Error(), key) {
				t.Errorf("%v does not name %s", err, key)
			}
		}
	})
	t.Run("pages are not put into the dataset", func(t *testing.T) {
		t.Parallel()
		_, err := fntest.Invoke(t, New, map[string]string{"COS_BUCKET": bucketName, "PAGES": "dataset/pages"}, due(t))
		if err == nil || !strings.Contains(err.Error(), "PAGES") {
			t.Errorf("got %v", err)
		}
	})
}
