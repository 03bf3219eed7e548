// Package apitest calls the API of SCF from tests: a client that signs, and
// zips of functions.
package apitest

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator/api/tc3"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// The keys of Client, where it has none of its own.
const (
	SecretID  = "local"
	SecretKey = "local"
)

// Client calls one API. The zero value of a field has the default named beside it.
type Client struct {
	URL      string        // http://localhost:9583
	SecretID string        // SecretID
	Key      secret.String // SecretKey
	Token    string        // none
	Region   string        // ap-guangzhou
	Now      func() time.Time
	// Change changes a request before it is signed, Tamper after; nil does not.
	Change, Tamper func(*http.Request)
}

// Error is what an answer says went wrong.
type Error struct{ Code, Message, RequestID string }

// Error gives the code, the message and the request.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s (%s)", e.Code, e.Message, e.RequestID) }

// Call does an action, and decodes the answer into result unless that is nil.
// What the API refuses is an *Error.
func (c Client) Call(ctx context.Context, action string, request, result any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	_, answer, err := c.Post(ctx, action, body)
	if err != nil {
		return err
	}
	var envelope struct {
		Response struct {
			Error     *Error
			RequestId string
		}
	}
	if err := json.Unmarshal(answer, &envelope); err != nil {
		return fmt.Errorf("%s: answer %.200q: %w", action, answer, err)
	}
	if e := envelope.Response.Error; e != nil {
		e.RequestID = envelope.Response.RequestId
		return e
	}
	if envelope.Response.RequestId == "" {
		return fmt.Errorf("%s: the answer %.200q has no RequestId", action, answer)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer, &struct{ Response any }{result})
}

// Post sends any body as the request of an action.
func (c Client) Post(ctx context.Context, action string, body []byte) (status int, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/", bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Host = r.URL.Host
	for name, value := range map[string]string{
		"Content-Type": "application/json", "X-TC-Action": action, "X-TC-Version": "2018-04-16",
		"X-TC-Region": or(c.Region, "ap-guangzhou"), "X-TC-Token": c.Token,
	} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	if c.Change != nil {
		c.Change(r)
	}
	key, now := c.Key, time.Now()
	if key.Empty() {
		key = secret.New(SecretKey)
	}
	if c.Now != nil {
		now = c.Now()
	}
	tc3.Sign(r, body, "scf", or(c.SecretID, SecretID), key, now)
	if c.Tamper != nil {
		c.Tamper(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func or(v, otherwise string) string {
	if v == "" {
		return otherwise
	}
	return v
}

// Zip is the zip of a folder's files, each with its mode.
func Zip(t testing.TB, folder string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		header := &zip.FileHeader{Name: f.Name(), Method: zip.Deflate}
		header.SetMode(info.Mode())
		entry, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		content, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ZipFile is the parameter of that name for a zip.
func ZipFile(zip []byte) string { return base64.StdEncoding.EncodeToString(zip) }
