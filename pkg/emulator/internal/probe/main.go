// Command probe is a function for the tests of the local platform. It tells
// what it was given and misbehaves on command.
//
// It stands on scf-go-lib alone, as any function for this platform may: so the
// tests are about the platform and not about this project's own functions.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tencentyun/scf-go-lib/cloudfunction"
	"github.com/tencentyun/scf-go-lib/functioncontext"
)

func main() {
	if len(os.Args) > 1 { // a descendant of its own, see Command.Spawn
		time.Sleep(time.Hour)
	}
	fmt.Println("probe starts")
	switch os.Getenv("PROBE_START") {
	case "exit":
		fmt.Println("no configuration")
		os.Exit(3)
	case "hang":
		time.Sleep(time.Hour)
	}
	h := &handler{started: os.Environ()}
	if os.Getenv("PROBE_RELAY") != "" {
		r, err := newRelay(os.Getenv("_LAMBDA_SERVER_PORT"))
		if err != nil {
			log.Fatal(err)
		}
		h.relay = r
		_ = os.Setenv("_LAMBDA_SERVER_PORT", r.inner)
	}
	cloudfunction.StartHandler(h)
}

type handler struct {
	relay   *relay
	count   int
	held    [][]byte
	started []string // the environment that the process began with
}

// Answer is what an invocation tells about itself.
type Answer struct {
	PID         int
	Invocation  int // of this process, from 1
	RequestID   string
	Function    string
	Version     string
	Namespace   string
	MemoryMB    int
	TimeLimitMS int
	Deadline    time.Time
	Environ     []string
	Started     []string // the environment that the process began with
	Kept        string   // what an invocation before has left in TMPDIR
	Dir         string
	Digest      string // SHA-256 of the event
	Client      string
	Files       int `json:",omitempty"`
	Descendant  int `json:",omitempty"`
	Event       json.RawMessage
}

// Invoke implements cloudfunction.Handler.
func (h *handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	in := time.Now()
	h.count++
	switch os.Getenv("PROBE_START") {
	case "discard":
		return nil, nil
	case "stamp":
		return fmt.Appendf(nil, `{"In":%d,"Out":%d}`, in.UnixNano(), time.Now().UnixNano()), nil
	}
	// why: before the record, so that a test that sees it can change the commands
	do := commands(event)
	a := h.describe(ctx, event)
	if err := record(a); err != nil {
		return nil, err
	}
	for _, c := range do {
		if padding, err := h.obey(c, &a); err != nil || padding != nil {
			return padding, err
		}
	}
	if len(a.Event) > 64<<10 || !json.Valid(a.Event) {
		a.Event = nil
	}
	return json.Marshal(a)
}

func (h *handler) describe(ctx context.Context, event []byte) Answer {
	a := Answer{PID: os.Getpid(), Invocation: h.count, Environ: os.Environ(), Started: h.started, Event: event}
	kept, _ := os.ReadFile(filepath.Join(os.TempDir(), "kept"))
	a.Kept = string(kept)
	a.Dir, _ = os.Getwd()
	a.Digest = fmt.Sprintf("%x", sha256.Sum256(event))
	a.Deadline, _ = ctx.Deadline()
	if f, ok := functioncontext.FromContext(ctx); ok {
		a.RequestID, a.Function, a.Version, a.Namespace = f.RequestID, f.FunctionName, f.FunctionVersion, f.Namespace
		a.MemoryMB, a.TimeLimitMS = int(f.MemoryLimitInMb), int(f.TimeLimitInMs)
		client, _ := json.Marshal(f.ClientContext)
		a.Client = string(client)
	}
	return a
}

// Record is one line of the file PROBE_RECORD: written before the probe obeys.
type Record struct {
	PID       int
	RequestID string
	Time      time.Time
	Client    string
	Environ   []string
	Event     string
}

func record(a Answer) error {
	path := os.Getenv("PROBE_RECORD")
	if path == "" {
		return nil
	}
	line, err := json.Marshal(Record{PID: a.PID, RequestID: a.RequestID, Time: time.Now(), Client: a.Client, Environ: a.Environ, Event: string(a.Event)})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(append(line, '\n'))
	return err
}

// commands come with the event, from the environment, or from a file that a
// test can change in between; the first that says anything counts.
func commands(event []byte) []Command {
	var with struct{ Do []Command }
	if json.Unmarshal(event, &with) == nil && with.Do != nil {
		return with.Do
	}
	text := os.Getenv("PROBE_DO")
	if path := os.Getenv("PROBE_CONTROL"); path != "" {
		if b, err := os.ReadFile(path); err == nil {
			text = string(b)
		}
	}
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	var list []Command
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		log.Fatalf("probe: command %q: %v", text, err)
	}
	return list
}
