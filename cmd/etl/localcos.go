package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// objectStore is COS of this machine, beside a platform. The zero value is none.
type objectStore struct {
	server   *localcos.Server // nil where another process has it
	id       string           // empty: there is none
	key      secret.String
	platform atomic.Pointer[emulator.Platform] // that is told of objects
}

// storeOptions say where the object store is.
type storeOptions struct {
	address string   // host:port; empty for none
	dir     string   // folder of the objects
	buckets []string // that are there at least
	region  string
}

// storeFor is what custom.local.cos says, for the functions of a service that need it:
// with a trigger on a bucket, or an address of the store in their environment.
func storeFor(service *scf.Service, folder string) (storeOptions, error) {
	local := service.Local.COS
	if local == nil || !slices.ContainsFunc(service.Functions, func(f scf.Function) bool { return needsStore(f, local.Address) }) {
		return storeOptions{}, nil
	}
	return storeAt(service, folder, local.Address)
}

func needsStore(f scf.Function, address string) bool {
	for _, e := range f.Events {
		if e.COS != nil {
			return true
		}
	}
	for _, value := range f.Environment {
		if strings.TrimPrefix(value, "http://") == address {
			return true
		}
	}
	return false
}

// storeAt is the store of a service on an address.
func storeAt(service *scf.Service, folder, address string) (storeOptions, error) {
	o := storeOptions{address: address, region: service.Region}
	if local := service.Local.COS; local != nil {
		o.buckets = slices.Clone(local.Buckets)
		if local.Dir != "" {
			o.dir = below(folder, local.Dir)
		}
	}
	for _, f := range service.Functions {
		for _, e := range f.Events {
			if e.COS != nil && scf.ValidBucketDomain(e.COS.Bucket) {
				o.buckets = append(o.buckets, e.COS.BucketName())
			}
		}
	}
	if o.dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return o, usagef("no folder to keep objects in, name one with custom.local.cos.dir: %v", err)
		}
		o.dir = filepath.Join(cache, "scf-etl", cmp.Or(service.Name, "serve"), "cos")
	}
	return o, nil
}

// knownStore is a store with nothing but its keys.
func (a *app) knownStore(o storeOptions) (*objectStore, error) {
	s := &objectStore{}
	if o.address == "" {
		return s, nil
	}
	id, keys, err := a.apiKeys(o.address)
	s.id, s.key = id, keys[id]
	return s, err
}

// joinStore is startStore for a command that runs beside etl up: where something
// answers on the address already, that is taken.
func (a *app) joinStore(ctx context.Context, o storeOptions) (*objectStore, error) {
	if o.address != "" {
		var dialer net.Dialer
		if c, err := dialer.DialContext(ctx, "tcp", o.address); err == nil {
			s, known := a.knownStore(o)
			return s, errors.Join(known, c.Close())
		}
	}
	return a.startStore(o, func(string, ...any) {})
}

// startStore answers COS on an address, and says what to export for it.
func (a *app) startStore(o storeOptions, say func(string, ...any)) (*objectStore, error) {
	s, err := a.knownStore(o)
	if err != nil || s.id == "" {
		return s, err
	}
	s.server, err = localcos.New(localcos.Config{
		Dir: o.dir, Keys: map[string]localcos.Key{s.id: {Secret: s.key}}, Buckets: o.buckets, Region: o.region,
		Notify: func(e event.COS) {
			if p := s.platform.Load(); p != nil {
				p.Notify(e)
			}
		},
	})
	if err != nil {
		return nil, err
	}
	if err := s.server.Start(o.address); err != nil {
		return nil, errors.Join(inUse(err), s.server.Close())
	}
	say("COS: %s, objects in %s, buckets %s", s.server.URL(), o.dir, cmp.Or(strings.Join(s.server.Buckets(), ", "), "none yet"))
	return s, nil
}

// credentials are delivered to functions: keys that the store takes. nil without a store.
func (s *objectStore) credentials() func(context.Context) (emulator.Credentials, error) {
	if s.id == "" {
		return nil
	}
	return func(context.Context) (emulator.Credentials, error) {
		return emulator.Credentials{SecretID: s.id, SecretKey: s.key}, nil
	}
}

// open opens an object of a bucket that is named without its APPID, as the SCF API
// names it. nil without a store.
func (s *objectStore) open() func(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
	if s.server == nil {
		return nil
	}
	return func(ctx context.Context, bucket, key string) (io.ReadCloser, error) {
		for _, full := range s.server.Buckets() {
			if name := full[:strings.LastIndexByte(full, '-')]; name != bucket && full != bucket {
				continue
			}
			b, err := cos.Open(cos.Config{Bucket: full, Region: scf.DefaultRegion, Endpoint: s.server.URL(), Credentials: cos.Static(s.id, s.key)})
			if err != nil {
				return nil, err
			}
			body, _, err := b.Get(ctx, strings.TrimPrefix(key, "/"))
			return body, err
		}
		return nil, fmt.Errorf("no bucket %s here: the buckets are %s", bucket, strings.Join(s.server.Buckets(), ", "))
	}
}

func (s *objectStore) close() error {
	if s.server == nil {
		return nil
	}
	return s.server.Close()
}
