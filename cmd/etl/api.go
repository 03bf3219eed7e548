package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const (
	// apiAddress is where etl serve answers.
	apiAddress = "localhost:9583"
	// localKey is id and key of the API where the environment has none.
	localKey = "local"
	// apiChangeTime lets a function be seen to change, and clients have to wait
	// for it as in the cloud.
	apiChangeTime = 100 * time.Millisecond
	// apiHeaderTimeout bounds the head of a request. The rest is not bounded: an
	// invocation may take 15 minutes.
	apiHeaderTimeout = 10 * time.Second
)

// apiOptions are what the SCF API needs to know.
type apiOptions struct {
	address string
	state   string // the folder that keeps functions; empty for none
	// object opens objects of COS for code that is given as one; nil knows none.
	object func(ctx context.Context, bucket, key string) (io.ReadCloser, error)
}

// apiKeys takes the keys of the environment, else the local ones.
func (a *app) apiKeys(address string) (id string, keys map[string]secret.String, err error) {
	id, key := a.environ[secretIDVariable], a.environ[secretKeyVariable]
	if (id == "") != (key == "") {
		return "", nil, usagef("one of %s and %s is set: set both, or neither", secretIDVariable, secretKeyVariable)
	}
	if id != "" {
		return id, map[string]secret.String{id: secret.New(key)}, nil
	}
	if !loopback(address) {
		return "", nil, usagef("%s is not of this machine alone: set %s and %s, for anybody knows the local keys", address, secretIDVariable, secretKeyVariable)
	}
	return localKey, map[string]secret.String{localKey: secret.New(localKey)}, nil
}

// loopback reports whether only this machine reaches an address.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// serveAPI answers the SCF API over a platform until stop is called, and says
// what to export for it.
func (a *app) serveAPI(ctx context.Context, platform *emulator.Platform, o apiOptions,
	say func(string, ...any)) (stop func() error, err error) {
	id, keys, err := a.apiKeys(o.address)
	if err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", o.address)
	if err != nil {
		return nil, fmt.Errorf("serve the SCF API: %w", err)
	}
	handler, err := api.New(ctx, api.Config{
		Platform: platform, Keys: keys, State: o.state, Object: o.object, ChangeTime: apiChangeTime,
		Called: func(c api.Call) { say("%s", callLine(c)) },
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: apiHeaderTimeout}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // why: it ends with Close alone
	}()
	host, _, _ := net.SplitHostPort(o.address) // what Listen has taken
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	say("SCF API: export TENCENTCLOUD_SCF_ENDPOINT=http://%s%s", net.JoinHostPort(host, port), exportKeys(id))
	return func() error {
		err := server.Close()
		<-served
		return errors.Join(err, handler.Close())
	}, nil
}

// exportKeys are the variables of the local keys; those that the environment
// has need no telling.
func exportKeys(id string) string {
	if id != localKey {
		return ", with the keys of the environment"
	}
	return fmt.Sprintf(" %s=%s %s=%s", secretIDVariable, localKey, secretKeyVariable, localKey)
}

// callLine is one call of the API.
func callLine(c api.Call) string {
	what := strings.TrimSpace(c.Action + " " + c.Function)
	if c.Code == "" {
		return fmt.Sprintf("api %s: ok, %v", what, c.Took.Round(time.Millisecond))
	}
	return fmt.Sprintf("api %s: %s: %s", what, c.Code, c.Message)
}
