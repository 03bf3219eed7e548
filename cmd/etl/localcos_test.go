package main

import (
	"context"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

const uploadsDomain = "uploads-1250000000.cos.ap-guangzhou.myqcloud.com"

// uploads is a service with a function on a bucket.
func uploads(address string) *scf.Service {
	return &scf.Service{
		Name: "uploads", Region: scf.DefaultRegion, Local: scf.Local{COS: &scf.LocalCOS{Address: address, Dir: "objects", Buckets: []string{"code-1250000000"}}},
		Functions: []scf.Function{{
			Key: "list", Name: "uploads-dev-list", Handler: "main", MemorySize: 128, Timeout: 20,
			Events: []scf.Trigger{{COS: &scf.COSTrigger{
				Bucket: uploadsDomain, Events: "cos:ObjectCreated:*", Prefix: "in/", Enabled: true, Qualifier: scf.DefaultQualifier,
			}}},
		}},
	}
}

func TestStoreFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*scf.Service)
		want   string
	}{
		"a function with a trigger on a bucket": {func(*scf.Service) {}, "localhost:9436"},
		"a function that is told its address": {func(s *scf.Service) {
			s.Functions[0].Events, s.Functions[0].Environment = nil, map[string]string{"COS_ENDPOINT": "http://localhost:9436"}
		}, "localhost:9436"},
		"none": {func(s *scf.Service) { s.Functions[0].Events = nil }, ""},
	} {
		t.Run("a store is there for "+name, func(t *testing.T) {
			t.Parallel()
			service := uploads("localhost:9436")
			test.change(service)
			got, err := storeFor(service, "/service")
			if err != nil || got.address != test.want || got.address != "" && got.dir != filepath.FromSlash("/service/objects") {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestObjectStore(t *testing.T) {
	t.Parallel()
	a := &app{environ: map[string]string{}, stdout: io.Discard, stderr: io.Discard}
	service, folder := uploads("localhost:0"), t.TempDir()
	options, err := storeFor(service, folder)
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	store, err := a.startStore(options, func(format string, args ...any) { said = append(said, format) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.close() })
	put := func(bucket, key string) {
		t.Helper()
		b, err := cos.Open(cos.Config{Bucket: bucket, Region: scf.DefaultRegion, Endpoint: store.server.URL(), Credentials: cos.Static(store.id, store.key)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.Put(t.Context(), key, strings.NewReader("content"), cos.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("an object that is put invokes the function of its trigger, with keys that the store takes", func(t *testing.T) {
		code := t.TempDir()
		build := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(code, "main"), "../../pkg/emulator/internal/probe")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		invoked := make(chan emulator.Invocation, 10)
		platform, err := emulator.New(emulator.Config{
			Credentials: store.credentials(), Hooks: emulator.Hooks{Invoked: func(i emulator.Invocation) { invoked <- i }},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { platform.Close() })
		store.platform.Store(platform)
		if err := platform.Deploy(t.Context(), service.Functions[0], code); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		go platform.Run(ctx)
		for ctx.Err() == nil && platform.Triggers()[0].COS.State != emulator.Waiting {
			runtime.Gosched() // until Run has begun
		}
		put("uploads-1250000000", "out/no")
		put("uploads-1250000000", "in/yes")
		select {
		case i := <-invoked:
			if i.Trigger != uploadsDomain || i.Error != nil {
				t.Errorf("invoked by %s: %v", i.Trigger, i.Error)
			}
		case <-ctx.Done():
			t.Fatal("nothing was invoked")
		}
		if s := platform.Triggers()[0].Async; s.Sent != 1 {
			t.Errorf("%d events", s.Sent)
		}
	})

	t.Run("code is found in a bucket that is named without its APPID", func(t *testing.T) {
		put("code-1250000000", "etl/dump.zip")
		body, err := store.open()(t.Context(), "code", "/etl/dump.zip")
		if err != nil {
			t.Fatal(err)
		}
		defer body.Close()
		if got, err := io.ReadAll(body); err != nil || string(got) != "content" {
			t.Errorf("got %q, %v", got, err)
		}
		if _, err := store.open()(t.Context(), "none", "/x"); err == nil || !strings.Contains(err.Error(), "code-1250000000") {
			t.Errorf("got %v", err)
		}
	})

	t.Run("a second command takes the store that is there", func(t *testing.T) {
		options := options
		options.address = store.server.Addr()
		second, err := a.joinStore(t.Context(), options)
		if err != nil || second.server != nil || second.credentials() == nil {
			t.Errorf("got %+v, %v", second, err)
		}
	})
}
