package cos_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/localcos"
)

// Faults of one request, from which a call has to recover.
func passing() map[string]localcos.Fault {
	return map[string]localcos.Fault{
		"an upload that is torn":           {TearUpload: 1000},
		"an internal error":                {Status: 500, Code: "InternalError"},
		"a service that is busy":           {Status: 503, Code: "SlowDown"},
		"an answer that is lost":           {Drop: true},
		"an answer that is no XML":         {Status: 502},
		"a checksum that is wrong":         {WrongCRC: true},
		"credentials that have expired":    {Status: 400, Code: "ExpiredToken"},
		"a disk that is full for a moment": {DiskFull: 500},
	}
}

func TestPutRecovers(t *testing.T) {
	t.Parallel()
	small, large := content(2000), content(3*mib+5)
	for name, fault := range passing() {
		for _, ifAbsent := range []bool{false, true} {
			for size, data := range map[string][]byte{"whole": small, "in parts": large} {
				kind := map[bool]string{true: ", only where none is", false: ""}[ifAbsent]
				t.Run("puts "+size+kind+" through "+name, func(t *testing.T) {
					t.Parallel()
					// Every request fails once: the first of each path and method.
					failed := map[string]bool{}
					w := newWorld(t, func(_ int, r *http.Request) *localcos.Fault {
						id := r.Method + r.URL.Path + r.URL.Query().Get("partNumber") + r.URL.Query().Get("uploadId")
						if failed[id] || r.Method == http.MethodHead || r.Method == http.MethodDelete {
							return nil
						}
						failed[id] = true
						if r.Method == http.MethodPost && (fault.DiskFull > 0 || fault.TearUpload > 0 || fault.WrongCRC) {
							return nil // it has next to no body
						}
						return &fault
					}, nil)
					o, err := w.PutBytes(t.Context(), "key", data, cos.PutOptions{IfAbsent: ifAbsent, WithoutMD5: ifAbsent})
					if err != nil {
						t.Fatal(err)
					}
					if o.Size != int64(len(data)) || o.CRC64 != cos.CRC64(0, data) || o.ETag == "" {
						t.Errorf("got %+v", o)
					}
					w.has("key", data)
				})
			}
		}
	}
}

func TestPutFails(t *testing.T) {
	t.Parallel()
	small, large := content(2000), content(3*mib+5)
	for name, c := range map[string]struct {
		fault    localcos.Fault
		want     error
		requests int // of a body that is put whole
		says     string
	}{
		"an upload that is always torn": {localcos.Fault{TearUpload: 1000}, cos.ErrUnavailable, 6, "network"},
		"a service that is gone":        {localcos.Fault{Status: 503, Code: "ServiceUnavailable"}, cos.ErrUnavailable, 6, "try again later"},
		"a disk that is full":           {localcos.Fault{DiskFull: 500}, cos.ErrUnavailable, 6, "no space left"},
		"access denied":                 {localcos.Fault{Status: 403, Code: "AccessDenied"}, cos.ErrAccess, 1, "SecretId"},
		"a bucket that is gone":         {localcos.Fault{Status: 404, Code: "NoSuchBucket"}, cos.ErrNoBucket, 1, "APPID"},
		"expired credentials":           {localcos.Fault{Status: 400, Code: "ExpiredToken"}, cos.ErrExpired, 2, "new credentials"},
		"a wrong clock":                 {localcos.Fault{Status: 403, Code: "RequestTimeTooSkewed"}, cos.ErrAccess, 1, "clock"},
		"something it does not take":    {localcos.Fault{Status: 400, Code: "InvalidArgument"}, cos.ErrInvalid, 1, "InvalidArgument"},
	} {
		for size, data := range map[string][]byte{"whole": small, "in parts": large} {
			t.Run("leaves the object as it was and says so, "+size+", for "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, nil, nil)
				if _, err := w.Put(t.Context(), "key", strings.NewReader("before"), cos.PutOptions{}); err != nil {
					t.Fatal(err)
				}
				w.heal()
				w.fault = func(_ int, r *http.Request) *localcos.Fault {
					if r.Method == http.MethodPost && r.URL.Query().Has("uploads") || r.Method == http.MethodDelete {
						return nil // fails in the middle
					}
					return &c.fault
				}
				_, err := w.Put(t.Context(), "key", bytes.NewReader(data), cos.PutOptions{})
				var e *cos.Error
				if !errors.Is(err, c.want) || !errors.As(err, &e) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
				if e.Op != "put" || e.Bucket != bucketName || e.Key != "key" || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v: want the call, the object, and %q", err, c.says)
				}
				if e.Status != 0 && (e.RequestID == "" || !strings.Contains(err.Error(), e.RequestID)) {
					t.Errorf("%v: want the request id", err)
				}
				if got := w.requests(); size == "whole" && got != c.requests {
					t.Errorf("%d requests, want %d", got, c.requests)
				}
				w.has("key", []byte("before"))
				if n := w.uploads(); n != 0 {
					t.Errorf("%d uploads are left", n)
				}
			})
		}
	}
	t.Run("finds a checksum that is always wrong", func(t *testing.T) {
		t.Parallel()
		for _, data := range [][]byte{small, large} {
			w := newWorld(t, func(int, *http.Request) *localcos.Fault { return &localcos.Fault{WrongCRC: true} }, nil)
			if _, err := w.Put(t.Context(), "key", bytes.NewReader(data), cos.PutOptions{}); !errors.Is(err, cos.ErrCorrupt) {
				t.Errorf("got %v, want ErrCorrupt", err)
			}
			if n := w.uploads(); n != 0 {
				t.Errorf("%d uploads are left", n)
			}
		}
	})
	t.Run("leaves no object whose parts do not make the whole", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, func(_ int, r *http.Request) *localcos.Fault {
			if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") {
				return &localcos.Fault{WrongCRC: true}
			}
			return nil
		}, nil)
		if _, err := w.Put(t.Context(), "key", bytes.NewReader(large), cos.PutOptions{IfAbsent: true}); !errors.Is(err, cos.ErrCorrupt) {
			t.Errorf("got %v, want ErrCorrupt", err)
		}
		w.heal()
		if _, err := w.Head(t.Context(), "key"); !errors.Is(err, cos.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	})
	t.Run("has what was changed on its way refused, or without the digest removed again", func(t *testing.T) {
		t.Parallel()
		for _, o := range []cos.PutOptions{
			{}, {IfAbsent: true}, {WithoutMD5: true}, {IfAbsent: true, WithoutMD5: true},
		} {
			w := newWorld(t, func(_ int, r *http.Request) *localcos.Fault {
				if r.Method == http.MethodPut {
					return &localcos.Fault{FlipUpload: 1500}
				}
				return nil
			}, nil)
			if _, err := w.PutBytes(t.Context(), "key", small, o); !errors.Is(err, cos.ErrCorrupt) && !errors.Is(err, cos.ErrInvalid) {
				t.Errorf("%+v: got %v, want ErrCorrupt", o, err)
			}
			w.heal()
			if _, err := w.Head(t.Context(), "key"); !errors.Is(err, cos.ErrNotFound) {
				t.Errorf("%+v: got %v, want ErrNotFound", o, err)
			}
		}
	})
	t.Run("gives up when its context ends, and removes the parts", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		w := newWorld(t, func(_ int, r *http.Request) *localcos.Fault {
			if r.URL.Query().Get("partNumber") == "2" {
				cancel(enough)
				return &localcos.Fault{Delay: time.Hour}
			}
			return nil
		}, nil)
		if _, err := w.Put(ctx, "key", bytes.NewReader(large), cos.PutOptions{}); !errors.Is(err, enough) {
			t.Errorf("got %v, want the cause of the end", err)
		}
		if n := w.uploads(); n != 0 {
			t.Errorf("%d uploads are left", n)
		}
	})
	t.Run("takes another writer's object for another's, also where its own answer was lost", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, nil, nil)
		if _, err := w.Put(t.Context(), "key", strings.NewReader("mine"), cos.PutOptions{IfAbsent: true}); err != nil {
			t.Fatal(err)
		}
		w.heal()
		w.fault = func(n int, r *http.Request) *localcos.Fault {
			if n == 1 {
				return &localcos.Fault{Status: 500, Code: "InternalError"}
			}
			return nil
		}
		if _, err := w.Put(t.Context(), "key", strings.NewReader("mine"), cos.PutOptions{IfAbsent: true}); !errors.Is(err, cos.ErrExists) {
			t.Errorf("got %v, want ErrExists: the same content, of another writer", err)
		}
	})
}

func TestGetRecovers(t *testing.T) {
	t.Parallel()
	data := content(2*mib + 7)
	put := func(t *testing.T, fault func(int, *http.Request) *localcos.Fault) *world {
		w := newWorld(t, nil, func(c *cos.Config) { c.Stall = 2 * time.Second })
		if _, err := w.Put(t.Context(), "key", bytes.NewReader(data), cos.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		w.heal()
		w.fault = fault
		return w
	}
	read := func(t *testing.T, w *world) ([]byte, error) {
		body, _, err := w.Get(t.Context(), "key")
		if err != nil {
			return nil, err
		}
		got, err := io.ReadAll(body)
		if closed := body.Close(); closed != nil {
			t.Error(closed)
		}
		return got, err
	}
	t.Run("goes on where a connection was cut, as often as it is", func(t *testing.T) {
		t.Parallel()
		w := put(t, func(n int, _ *http.Request) *localcos.Fault { return &localcos.Fault{CutDownload: mib / 4} })
		got, err := read(t, w)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("got %d bytes of %d, %v", len(got), len(data), err)
		}
		if n := w.requests(); n < 8 {
			t.Errorf("%d requests: it was not cut", n)
		}
	})
	t.Run("goes on through errors of the service", func(t *testing.T) {
		t.Parallel()
		w := put(t, func(n int, _ *http.Request) *localcos.Fault {
			if n%2 == 1 {
				return &localcos.Fault{Status: 503, Code: "SlowDown"}
			}
			return &localcos.Fault{CutDownload: mib}
		})
		if got, err := read(t, w); err != nil || !bytes.Equal(got, data) {
			t.Errorf("got %d bytes of %d, %v", len(got), len(data), err)
		}
	})
	t.Run("goes on where a connection stands still", func(t *testing.T) {
		t.Parallel()
		w := put(t, func(n int, _ *http.Request) *localcos.Fault {
			if n == 1 {
				return &localcos.Fault{Delay: time.Hour}
			}
			return nil
		})
		if got, err := read(t, w); err != nil || !bytes.Equal(got, data) {
			t.Errorf("got %d bytes of %d, %v", len(got), len(data), err)
		}
	})
	t.Run("ends where nothing comes any more", func(t *testing.T) {
		t.Parallel()
		w := put(t, func(n int, _ *http.Request) *localcos.Fault {
			if n == 1 {
				return &localcos.Fault{CutDownload: 1000}
			}
			return &localcos.Fault{Status: 500, Code: "InternalError"}
		})
		if got, err := read(t, w); !errors.Is(err, cos.ErrUnavailable) || len(got) != 1000 {
			t.Errorf("got %d bytes, %v, want 1000 and ErrUnavailable", len(got), err)
		}
		if n := w.requests(); n > 8 {
			t.Errorf("%d requests", n)
		}
	})
	t.Run("finds a byte that is another, at the end", func(t *testing.T) {
		t.Parallel()
		for _, at := range []int64{1, mib, int64(len(data))} {
			w := put(t, func(int, *http.Request) *localcos.Fault { return &localcos.Fault{Flip: at} })
			if got, err := read(t, w); !errors.Is(err, cos.ErrCorrupt) || len(got) != len(data) {
				t.Errorf("got %d bytes, %v, want ErrCorrupt behind all", len(got), err)
			}
		}
	})
	t.Run("never gives a mixture of two versions", func(t *testing.T) {
		t.Parallel()
		w := put(t, func(int, *http.Request) *localcos.Fault { return &localcos.Fault{CutDownload: mib} })
		body, _, err := w.Get(t.Context(), "key")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(body, make([]byte, mib)); err != nil {
			t.Fatal(err)
		}
		w.heal()
		if _, err := w.Put(t.Context(), "key", bytes.NewReader(content(2*mib + 7)[1:]), cos.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(body); !errors.Is(err, cos.ErrChanged) {
			t.Errorf("got %v, want ErrChanged", err)
		}
		_ = body.Close()
	})
	t.Run("ends with the context", func(t *testing.T) {
		t.Parallel()
		w := put(t, func(int, *http.Request) *localcos.Fault { return &localcos.Fault{CutDownload: 1000} })
		ctx, cancel := context.WithCancel(t.Context())
		body, _, err := w.Get(ctx, "key")
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if _, err := io.ReadAll(body); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		_ = body.Close()
	})
}

func TestMissingBucket(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(c *cos.Config) { c.Bucket = "none-1250000000" })
	_, err := w.Head(t.Context(), "key")
	_, _, err2 := w.Get(t.Context(), "key")
	_, err3 := w.Put(t.Context(), "key", bytes.NewReader(content(3*mib)), cos.PutOptions{IfAbsent: true})
	_, err4 := w.Copy(t.Context(), "key", "other")
	err5 := w.Delete(t.Context(), "a", "b")
	err6 := w.Exists(t.Context())
	var err7 error
	for _, err7 = range w.List(t.Context(), cos.ListOptions{}) {
	}
	for i, err := range []error{err, err2, err3, err4, err5, err6, err7} {
		if !errors.Is(err, cos.ErrNoBucket) {
			t.Errorf("call %d: got %v, want ErrNoBucket", i, err)
		}
	}
}

func TestDeleteFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(int, *http.Request) *localcos.Fault { return &localcos.Fault{Status: 403, Code: "AccessDenied"} }, nil)
	err := w.Delete(t.Context(), "one", "two", "three")
	for _, key := range []string{"one", "two", "three"} {
		if !errors.Is(err, cos.ErrAccess) || !strings.Contains(err.Error(), bucketName+"/"+key+":") {
			t.Errorf("%v: want %s named", err, key)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const concurrency = 2
	var acknowledged atomic.Int64
	w := newWorld(t, nil, func(c *cos.Config) { c.Concurrency = concurrency })
	w.fault = func(_ int, r *http.Request) *localcos.Fault {
		if r.Method == http.MethodPut {
			acknowledged.Add(r.ContentLength)
			return &localcos.Fault{Delay: 5 * time.Millisecond} // so that reading would run ahead
		}
		return nil
	}
	data := content(24 * mib)
	body := &counted{Reader: bytes.NewReader(data)}
	body.check = func(read int64) {
		// A part is acknowledged when it begins here, so those under way count.
		if ahead := read - acknowledged.Load(); ahead > (concurrency+1)*mib {
			t.Errorf("%d bytes were read ahead, want at most %d", ahead, (concurrency+1)*mib)
		}
	}
	if _, err := w.Put(t.Context(), "key", body, cos.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	w.has("key", data)
}

type counted struct {
	io.Reader
	read  int64
	check func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	c.check(c.read)
	return n, err
}
