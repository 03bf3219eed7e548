package api_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// rig is a platform that runs, the API over it, and a client of that.
type rig struct {
	testing.TB
	platform *emulator.Platform
	server   *api.Server
	http     *httptest.Server
	client   apitest.Client
	stop     func()
}

func newRig(t testing.TB, change ...func(*emulator.Config, *api.Config)) *rig {
	t.Helper()
	var platform emulator.Config
	config := api.Config{Keys: map[string]secret.String{apitest.SecretID: secret.New(apitest.SecretKey)}}
	for _, c := range change {
		c(&platform, &config)
	}
	r := &rig{TB: t}
	var err error
	if r.platform, err = emulator.New(platform); err != nil {
		t.Fatal(err)
	}
	config.Platform = r.platform
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ran := make(chan error, 1)
	go func() { ran <- r.platform.Run(ctx) }()
	if r.server, err = api.New(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	r.http = httptest.NewServer(r.server)
	r.client = apitest.Client{URL: r.http.URL}
	r.stop = sync.OnceFunc(func() {
		r.http.Close()
		cancel()
		if err := errors.Join(r.server.Close(), <-ran, r.platform.Close()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

type object = map[string]any

// call does an action that has to succeed.
func (r *rig) call(action string, request object) object {
	r.Helper()
	result := object{}
	if err := r.client.Call(r.Context(), action, request, &result); err != nil {
		r.Fatalf("%s: %v", action, err)
	}
	return result
}

// refused does an action that has to be refused with a code.
func (r *rig) refused(code, action string, request object) *apitest.Error {
	r.Helper()
	err := r.client.Call(r.Context(), action, request, nil)
	var e *apitest.Error
	if !errors.As(err, &e) || e.Code != code {
		r.Fatalf("%s: got %v, want the code %s", action, err, code)
	}
	return e
}

// function is a request of CreateFunction for the probe, with changes.
func function(t testing.TB, name string, change ...object) object {
	t.Helper()
	f := object{
		"FunctionName": name, "Handler": "main", "Runtime": "Go1", "MemorySize": 256, "Timeout": 20,
		"Code":        object{"ZipFile": zipFile(t)},
		"Environment": variables("SHAPE", "round"),
	}
	for _, c := range change {
		for k, v := range c {
			if v == nil {
				delete(f, k)
			} else {
				f[k] = v
			}
		}
	}
	return f
}

// zipFile is the probe as the parameter ZipFile. It is made once: packing takes
// as long as all else of a test.
func zipFile(t testing.TB) string {
	packed.once.Do(func() { packed.text = apitest.ZipFile(apitest.Zip(t, probeDir)) })
	return packed.text
}

var packed struct {
	once sync.Once
	text string
}

// active waits until a function is Active and returns it.
func (r *rig) active(name string) object {
	r.Helper()
	var f object
	await(r, name+" is Active", func() bool {
		f = r.call("GetFunction", object{"FunctionName": name})
		return f["Status"] == "Active"
	})
	return f
}

// await polls until something is so, and fails the test when it is not so for
// long.
func await(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
