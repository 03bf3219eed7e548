package event_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/event"
)

func TestHTTPDecodesTheSample(t *testing.T) {
	t.Parallel()
	want := event.HTTP{
		Method: "POST", Path: "/orders", Query: url.Values{"a": {"1"}, "b": {"2"}},
		Header: http.Header{
			"Accept": {"*/*"}, "Accept-Encoding": {"gzip, deflate, br"}, "Cache-Control": {"no-cache"},
			"Connection": {"keep-alive"}, "Content-Length": {"22"}, "Content-Type": {"application/json"},
			"X-Scf-Remote-Addr": {"192.0.2.145"},
		},
		Body: []byte(`{"test":"hello world"}`),
	}
	var got event.HTTP
	if err := got.UnmarshalJSON(must(event.Sample(event.KindHTTP))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.RemoteAddr() != "192.0.2.145" {
		t.Errorf("remote address is %q", got.RemoteAddr())
	}
}

func TestHTTPTakesTheEventOfAPIGateway(t *testing.T) {
	t.Parallel()
	payload := `{"requestContext":{"stage":"release"},"isBase64Encoded":true,"body":"AP8=","httpMethod":"GET",` +
		`"headers":{"accept":["a","b"],"x-empty":null},"queryString":{"a":["1","2"],"flag":true},"pathParameters":{}}`
	want := event.HTTP{
		Method: "GET", Query: url.Values{"a": {"1", "2"}, "flag": {""}},
		Header: http.Header{"Accept": {"a", "b"}, "X-Empty": {""}}, Body: []byte{0, 0xFF},
	}
	var got event.HTTP
	if err := got.UnmarshalJSON([]byte(payload)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHTTPRefusesWhatIsNoRequest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, payload, want string }{
		{"the event of another trigger", `{"Records":[]}`, "decode http event: httpMethod: it is missing: this is not the event of a function URL (byte 0)"},
		{"a body that is no text", `{"body":{}}`, "decode http event: body: want a string, not an object (byte 8)"},
		{"a body that is not base64", `{"httpMethod":"GET","body":"?","isBase64Encoded":true}`, "decode http event: body: it is marked isBase64Encoded and is not base64 (byte 27)"},
		{"headers that are no object", `{"headers":[]}`, "decode http event: headers: want an object, not an array (byte 11)"},
		{"a mark that is no bool", `{"isBase64Encoded":1}`, "decode http event: isBase64Encoded: want a bool, not a number (byte 19)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got event.HTTP
			if err := got.UnmarshalJSON([]byte(tt.payload)); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestHTTPRoundTrip(t *testing.T) {
	t.Parallel()
	want := event.HTTP{
		Method: "PUT", Path: "/a b", Query: url.Values{"q": {"1", "2"}, "e": {""}},
		Header: http.Header{"Accept": {"a", "b"}}, Body: []byte("<深圳>\n"),
	}
	var got event.HTTP
	if err := json.Unmarshal(must(json.Marshal(want)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestHTTPLogAttrsLeaveSecretsOut(t *testing.T) {
	t.Parallel()
	h := event.HTTP{
		Method: "GET", Path: "/p", Query: url.Values{"token": {"secret"}},
		Header: http.Header{"Authorization": {"secret"}}, Body: []byte("secret"),
	}
	if got, want := logLine(t, h.LogAttrs()), "method=GET path=/p bytes=6"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestHTTPResponseEncodesAsThePlatformReadsIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		response event.HTTPResponse
		want     string
	}{
		{"the zero value is an empty 200", event.HTTPResponse{}, `{"isBase64Encoded":false,"statusCode":200,"headers":{},"body":""}`},
		{
			"one value is a string and several are a list",
			event.HTTPResponse{StatusCode: 404, Header: http.Header{"A": {"1"}, "B": {"2", "3"}}, Body: []byte("no")},
			`{"isBase64Encoded":false,"statusCode":404,"headers":{"A":"1","B":["2","3"]},"body":"no"}`,
		},
		{"a body that is not text goes in base64", event.HTTPResponse{Body: []byte{0, 0xFF}}, `{"isBase64Encoded":true,"statusCode":200,"headers":{},"body":"AP8="}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := must(json.Marshal(tt.response))
			if string(got) != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			var back event.HTTPResponse
			if err := back.UnmarshalJSON(got); err != nil {
				t.Fatal(err)
			}
			if string(back.Body) != string(tt.response.Body) {
				t.Errorf("the body came back as %q", back.Body)
			}
		})
	}
}

func TestHTTPResponseWithoutStatusIsItselfTheBody(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{`"Hello, world!"`, `{"message":"hi","body":"x","headers":1}`, `[1,2]`, `null`, `{}`} {
		var got event.HTTPResponse
		if err := got.UnmarshalJSON([]byte(answer)); err != nil {
			t.Errorf("%s: %v", answer, err)
			continue
		}
		want := event.HTTPResponse{
			StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(answer),
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", answer, diff)
		}
	}
}

func TestHTTPResponseRefusesWhatThePlatformCannotSend(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{``, `Hello`, `{"statusCode":"abc"}`, `{"statusCode":99}`, `{"statusCode":1000}`, `{"statusCode":-1}`, `{"statusCode":200,"headers":1}`, `{"headers":1,"statusCode":200}`, `{"statusCode":200,"body":{}}`} {
		var got event.HTTPResponse
		if err := got.UnmarshalJSON([]byte(answer)); err == nil {
			t.Errorf("%s was accepted: %+v", answer, got)
		}
	}
}

func TestHTTPResponseLogAttrs(t *testing.T) {
	t.Parallel()
	r := event.HTTPResponse{StatusCode: 201, Body: []byte("ok")}
	if got, want := logLine(t, r.LogAttrs()), "status=201 response_bytes=2"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
