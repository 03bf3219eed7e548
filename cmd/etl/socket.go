package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// socketVariable names the socket where no flag does.
const socketVariable = "ETL_SOCKET"

// socketTimeout bounds one answer: both ends are on this machine.
const socketTimeout = 5 * time.Second

// socketFlag is the Unix socket on which etl up tells its status: whoever may
// open the file may ask.
type socketFlag struct{ file string }

func newSocketFlag(cmd *cobra.Command) *socketFlag {
	f := &socketFlag{}
	usage := "Unix socket on which etl up tells its status (default $" + socketVariable + ", else one of the user's cache for each folder)"
	cmd.Flags().StringVar(&f.file, "socket", "", usage)
	return f
}

// path is what the flag or the environment names; where neither does, byFolder.
func (f socketFlag) path(environ map[string]string, folder string) (path string, byFolder bool) {
	if path = cmp.Or(f.file, environ[socketVariable]); path != "" {
		return path, false
	}
	return folderSocket(folder), true
}

// folderSocket is the socket of the service in a folder: the same for etl up and etl
// status, and only the user's. It is empty where the user has no cache, or one with a
// name that is too long for a socket.
func folderSocket(folder string) string {
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(folder))
	path := filepath.Join(cache, "scf-etl", "status", hex.EncodeToString(sum[:8]))
	if len(path) > maxSocketPath {
		return ""
	}
	return path
}

// maxSocketPath is how many bytes every system takes for the name of a socket.
const maxSocketPath = 100

// tellStatus serves the status where etl status looks for it. A socket that somebody named has
// to be there; that of the folder is there where it can be, and a second etl up of one folder
// leaves it to the first.
func (a *app) tellStatus(ctx context.Context, flag socketFlag, folder string, status func() []emulator.TriggerStatus) (stop func(), err error) {
	path, byFolder := flag.path(a.environ, folder)
	if !byFolder {
		return serveStatus(ctx, path, status)
	}
	if path != "" {
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			if stop, err = serveStatus(ctx, path, status); err == nil {
				return stop, nil
			}
		}
		fmt.Fprintf(a.stderr, "etl status cannot ask this one, unless both have a --socket of their own: %v\n", err)
	}
	return func() {}, nil
}

// serveStatus answers GET / on the socket with the status of the triggers in
// JSON until stop is called, which removes the socket. What a former run has
// left at path is replaced; a socket that somebody answers on is an error.
func serveStatus(ctx context.Context, path string, status func() []emulator.TriggerStatus) (stop func(), err error) {
	listener, err := listenSocket(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("tell the status on %s: %w", path, err)
	}
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(status()) // who asked and went away does not want to know
		}),
		ReadHeaderTimeout: socketTimeout,
		WriteTimeout:      socketTimeout,
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // why: it ends with Close alone
	}()
	return func() {
		_ = server.Close()
		<-served
	}, nil
}

// listenSocket listens at path, over what a process that was killed has left.
func listenSocket(ctx context.Context, path string) (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "unix", path)
	if !errors.Is(err, syscall.EADDRINUSE) {
		return listener, err
	}
	if connection, err := dialSocket(ctx, path); err == nil {
		connection.Close()
		return nil, errors.New("another etl up answers there: give each a socket of its own")
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeSocket {
		return nil, errors.New("the file is no socket: name another one")
	}
	if err := os.Remove(path); err != nil {
		return nil, err
	}
	return config.Listen(ctx, "unix", path)
}

// askStatus asks the etl up behind a socket.
func askStatus(ctx context.Context, path string) ([]emulator.TriggerStatus, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return dialSocket(ctx, path) }
	client := &http.Client{
		Timeout:   socketTimeout,
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: dial},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://socket/", nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no etl up answers on %s: start one, with the same --socket where you give one: %w", path, err)
	}
	defer response.Body.Close()
	var status []emulator.TriggerStatus
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil {
		return nil, fmt.Errorf("read the status from %s: %w", path, err)
	}
	return status, nil
}

func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, "unix", path)
}
