package emulator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Platform runs functions on this machine. Its methods may be called from
// several goroutines at once.
type Platform struct {
	config  Config
	home    string // folder of this platform alone, removed by Close
	spawn   spawner
	ports   ports
	history history
	events  events
	closing chan struct{} // closed when Close begins
	abort   chan struct{} // closed when running invocations are given up

	deploying sync.Mutex // one change of functions and triggers at a time

	mu        sync.Mutex
	functions map[string]*deployed // by FunctionID
	triggers  map[triggerKey]trigger
	runs      context.Context // of Run; nil while it is not running
	async     *asyncRun       // of Run, too
	serial    int
	closed    bool
	running   sync.WaitGroup // invocations, and Run
	retired   sync.WaitGroup // versions whose processes are still ending
}

// New makes a platform without functions. It must be closed.
func New(config Config) (*Platform, error) {
	config = config.withDefaults()
	if err := config.Kafka.check(); err != nil {
		return nil, fmt.Errorf("settings of Kafka triggers: %w", err)
	}
	if err := config.Async.check(); err != nil {
		return nil, fmt.Errorf("settings of asynchronous invocations: %w", err)
	}
	home, err := makeHome(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("create the platform's folder: %w", err)
	}
	return &Platform{
		config:    config,
		home:      home,
		history:   history{limit: config.Keep},
		events:    events{keep: config.KeepEvents},
		closing:   make(chan struct{}),
		abort:     make(chan struct{}),
		functions: map[string]*deployed{},
		triggers:  map[triggerKey]trigger{},
	}, nil
}

// makeHome makes a new folder in dir, which is created too.
func makeHome(dir string) (string, error) {
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
	}
	return os.MkdirTemp(dir, "scf-")
}

// begin counts an invocation as running, until done.
func (p *Platform) begin() (done func(), err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, ErrClosed
	}
	p.running.Add(1)
	return p.running.Done, nil
}

// FunctionStatus is one deployed function and its processes.
type FunctionStatus struct {
	Name string `json:"name"` // its FunctionID
	// Idle and Busy count its instances, of $LATEST and of published versions;
	// those of code that was replaced are not included.
	Idle int `json:"idle"`
	Busy int `json:"busy"`
}

// Functions returns the deployed functions by name.
func (p *Platform) Functions() []FunctionStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []FunctionStatus
	for _, name := range slices.Sorted(maps.Keys(p.functions)) {
		s := FunctionStatus{Name: name}
		for _, f := range p.functions[name].all() {
			idle, busy := f.pool.count()
			s.Idle, s.Busy = s.Idle+idle, s.Busy+busy
		}
		all = append(all, s)
	}
	return all
}

// Invocations returns the last invocations, oldest first (Config.Keep). It may
// be called after Close.
func (p *Platform) Invocations() []Invocation { return p.history.list() }

// install makes a function, or new code of one, callable as $LATEST.
// Invocations that are running finish on the code that they began with.
func (p *Platform) install(settings scf.Function, codeDir string) error {
	f, err := p.build(settings, latest, codeDir)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errors.Join(ErrClosed, removeTree(filepath.Dir(f.code)))
	}
	d := p.functions[f.id()]
	if d == nil {
		d = &deployed{id: f.id(), versions: map[string]*function{}, aliases: map[string]Alias{
			scf.DefaultQualifier: {Name: scf.DefaultQualifier, Version: latest},
		}}
		p.functions[d.id] = d
	}
	p.retire(d.latest)
	d.latest = f
	d.changes++
	return nil
}

// build makes a version that nothing calls yet.
func (p *Platform) build(settings scf.Function, version, codeDir string) (*function, error) {
	p.mu.Lock()
	p.serial++
	home := filepath.Join(p.home, settings.Name, strconv.Itoa(p.serial))
	p.mu.Unlock()
	settings.Environment = maps.Clone(settings.Environment)
	f := &function{Function: settings, version: version, code: filepath.Join(home, "code")}
	binary, err := installCode(codeDir, settings.Handler, f.code)
	if err != nil {
		return nil, errors.Join(err, removeTree(home))
	}
	f.pool = newPool(p, launch{
		binary: binary, dir: f.code, scratch: filepath.Join(home, "instances"), env: f.processEnv(p.config),
		timeout: p.config.StartTimeout, logSize: p.config.LogBytes, line: p.lineHook(f.Name),
	})
	return f, nil
}

func (p *Platform) lineHook(function string) func(string, []byte) {
	hook := p.config.Hooks.Output
	if hook == nil {
		return nil
	}
	return func(requestID string, line []byte) { hook(function, requestID, line) }
}

// retire ends a version in the background and removes its code. p.mu is held.
func (p *Platform) retire(f *function) {
	if f == nil {
		return
	}
	f.pool.close()
	p.retired.Add(1)
	go func() {
		defer p.retired.Done()
		<-f.pool.drained
		if err := removeTree(filepath.Dir(f.code)); err != nil {
			p.config.Log.Warn("remove the code of a former version", "function", f.Name, "error", err)
		}
	}()
}

// Close ends the platform: Run returns, no invocation begins any more, running
// ones may finish within Config.StopGrace and are given up then, and all
// processes are ended. Calling it again does nothing.
func (p *Platform) Close() error {
	p.mu.Lock()
	again := p.closed
	p.closed = true
	p.mu.Unlock()
	if again {
		return nil
	}
	close(p.closing)
	if !within(p.config.StopGrace, p.running.Wait) {
		close(p.abort)
		p.running.Wait()
	}
	var errs []error
	for _, t := range p.list() {
		errs = append(errs, t.close())
	}
	p.mu.Lock()
	for _, d := range p.functions {
		for _, f := range d.all() {
			p.retire(f)
		}
	}
	p.mu.Unlock()
	p.retired.Wait()
	p.spawn.close()
	errs = append(errs, p.ports.close(), removeTree(p.home))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close the platform: %w", err)
	}
	return nil
}

// within reports whether f returns within d. It goes on where it does not.
func within(d time.Duration, f func()) bool {
	done := make(chan struct{})
	go func() {
		f()
		close(done)
	}()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
