package cos_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestCredentials(t *testing.T) {
	t.Parallel()
	// open gives a bucket whose credentials are temporary: each time another, good
	// for an hour.
	revoked := func(s *localcos.Server, id string) { // what a role that was changed does to them
		s.SetKey(id, localcos.Key{Secret: secret.New("key" + id), Token: secret.New("token" + id[2:]), Expires: time.Unix(1, 0)})
	}
	var servers sync.Map
	open := func(t *testing.T, now *time.Time, given *int, broken *bool) *cos.Bucket {
		t.Helper()
		clock := func() time.Time { return *now }
		server, err := localcos.New(localcos.Config{
			Dir: t.TempDir(), Buckets: []string{bucketName}, Now: clock, Keys: map[string]localcos.Key{"none": {}},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Close() })
		if err := server.Start("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		bucket, err := cos.Open(cos.Config{
			Bucket: bucketName, Region: localcos.DefaultRegion, Endpoint: server.URL(), Now: clock, BackOff: time.Millisecond,
			Credentials: func(context.Context) (cos.Credentials, error) {
				if *broken {
					return cos.Credentials{}, errors.New("the metadata service does not answer")
				}
				*given++
				id, token := fmt.Sprintf("id%d", *given), secret.New(fmt.Sprintf("token%d", *given))
				expires := now.Add(time.Hour)
				server.SetKey(id, localcos.Key{Secret: secret.New("key" + id), Token: token, Expires: expires})
				return cos.Credentials{SecretID: id, SecretKey: secret.New("key" + id), SessionToken: token, Expires: expires}, nil
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(bucket.Close)
		servers.Store(bucket, server)
		return bucket
	}
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	put := func(b *cos.Bucket) error {
		_, err := b.Put(context.WithoutCancel(t.Context()), "key", strings.NewReader("content"), cos.PutOptions{})
		return err
	}
	t.Run("are kept, and renewed before they expire", func(t *testing.T) {
		t.Parallel()
		now, given, broken := begin, 0, false
		b := open(t, &now, &given, &broken)
		for _, step := range []struct {
			after time.Duration
			given int
		}{{0, 1}, {30 * time.Minute, 1}, {56 * time.Minute, 2}, {100 * time.Minute, 2}, {5 * time.Hour, 3}} {
			now = begin.Add(step.after)
			if err := put(b); err != nil || given != step.given {
				t.Errorf("after %s: %v, and they were given %d times, want %d", step.after, err, given, step.given)
			}
		}
	})
	t.Run("are renewed early where the service does not take them any more", func(t *testing.T) {
		t.Parallel()
		now, given, broken := begin, 0, false
		b := open(t, &now, &given, &broken)
		if err := put(b); err != nil {
			t.Fatal(err)
		}
		server, _ := servers.Load(b)
		revoked(server.(*localcos.Server), "id1")
		if err := put(b); err != nil || given != 2 {
			t.Errorf("got %v, and they were given %d times, want 2", err, given)
		}
	})
	t.Run("are used to their end where none are to be had", func(t *testing.T) {
		t.Parallel()
		now, given, broken := begin, 0, false
		b := open(t, &now, &given, &broken)
		if err := put(b); err != nil {
			t.Fatal(err)
		}
		broken = true
		now = begin.Add(58 * time.Minute)
		if err := put(b); err != nil {
			t.Errorf("before the end: %v", err)
		}
		now = begin.Add(2 * time.Hour)
		if err := put(b); !errors.Is(err, cos.ErrAccess) || !strings.Contains(err.Error(), "metadata service") {
			t.Errorf("after the end: got %v, want ErrAccess and why", err)
		}
		broken = false
		if err := put(b); err != nil {
			t.Errorf("when there are some again: %v", err)
		}
	})
	t.Run("sign URLs, with their token", func(t *testing.T) {
		t.Parallel()
		now, given, broken := begin, 0, false
		url, err := open(t, &now, &given, &broken).Presign(t.Context(), "GET", "key", time.Minute)
		if err != nil || !strings.Contains(url, "x-cos-security-token=token1") || strings.Contains(url, "keyid1") {
			t.Errorf("got %s, %v", url, err)
		}
	})
	for name, c := range map[string]cos.Credentials{
		"no SecretId":     {SecretKey: secret.New("k")},
		"no SecretKey":    {SecretID: "id"},
		"a line break":    {SecretID: "id", SecretKey: secret.New("k\n")},
		"an end long ago": {SecretID: "id", SecretKey: secret.New("sesame"), Expires: begin},
	} {
		t.Run("are refused before anything is sent where they have "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // nothing is sent: it would never come back
				b, err := cos.Open(cos.Config{
					Bucket: bucketName, Region: "ap-guangzhou", Endpoint: "http://127.0.0.1:1",
					Credentials: func(context.Context) (cos.Credentials, error) { return c, nil },
					Now:         func() time.Time { return begin.Add(time.Second) },
				})
				if err != nil {
					t.Fatal(err)
				}
				_, err = b.Head(t.Context(), "key")
				if !errors.Is(err, cos.ErrAccess) && !errors.Is(err, cos.ErrExpired) || strings.Contains(fmt.Sprint(err), "sesame") {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}
