package api

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
	"sync/atomic"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Server is the API over one platform: an http.Handler. Functions that the
// platform has got otherwise are seen and changed too.
type Server struct {
	config   Config
	platform *emulator.Platform
	store    store
	codes    codes
	limit    limit
	count    atomic.Int64
	downloads

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	gate sync.RWMutex   // held by requests for reading, by Close for good
	work sync.WaitGroup // changes under way
	temp string         // the folder to remove

	mu        sync.Mutex
	functions map[string]*entry // by emulator.FunctionID
}

// entry is one function.
type entry struct {
	change sync.Mutex // one change at a time
	state  atomic.Pointer[state]
}

// New makes an API, with what Config.State has of former runs: their functions
// are deployed to the platform again, what was under way is finished or marked
// as failed, and triggers whose cluster does not answer yet are made as soon as
// it does. ctx is for that alone.
func New(ctx context.Context, config Config) (*Server, error) {
	config = config.withDefaults()
	s := &Server{config: config, platform: config.Platform, functions: map[string]*entry{},
		limit: limit{most: config.RateLimit}}
	// why not of ctx: changes under way end with Close.
	s.ctx, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	folder := config.State
	var err error
	if folder == "" {
		if s.temp, err = os.MkdirTemp("", "scf-api-"); err != nil {
			return nil, fmt.Errorf("make a folder for the API: %w", err)
		}
		folder = s.temp
	}
	if err = s.open(ctx, folder); err != nil {
		return nil, errors.Join(fmt.Errorf("read the functions of %s: %w", folder, err), s.Close())
	}
	return s, nil
}

func (s *Server) open(ctx context.Context, folder string) (err error) {
	if err := s.downloads.begin(); err != nil {
		return err
	}
	if s.codes, err = openCodes(filepath.Join(folder, "code")); err != nil {
		return err
	}
	if s.store, err = openStore(folder); err != nil {
		return err
	}
	return s.restore(ctx)
}

// Close ends the API: requests that are being answered are given up where they
// wait, and what is under way is left as the state has it, for the next start. The
// platform goes on.
func (s *Server) Close() error {
	s.stop()
	s.gate.Lock()
	defer s.gate.Unlock()
	s.work.Wait()
	err := s.store.close()
	if s.temp != "" {
		err = errors.Join(err, os.RemoveAll(s.temp))
	}
	return err
}

// entry finds a function; the error is the service's.
func (s *Server) entry(namespace, name string) (*entry, error) {
	if name == "" {
		return nil, missing("FunctionName")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.functions[emulator.FunctionID(namespace, name)]
	if e == nil {
		return nil, refuse("ResourceNotFound.Function",
			"The function %s does not exist in the namespace %s.", name, orDefault(namespace))
	}
	return e, nil
}

func orDefault(namespace string) string {
	if namespace == "" {
		return scf.DefaultNamespace
	}
	return namespace
}

// read finds the state of a function.
func (s *Server) read(namespace, name string) (*state, error) {
	e, err := s.entry(namespace, name)
	if err != nil {
		return nil, err
	}
	return e.state.Load(), nil
}

// edit finds a function to change, alone until done is called, with a state
// that can be changed. code is the refusal where it is in none of the states.
func (s *Server) edit(namespace, name, code string, in ...Status) (e *entry, st *state, done func(), err error) {
	e, err = s.entry(namespace, name)
	if err != nil {
		return nil, nil, nil, err
	}
	e.change.Lock()
	st = e.state.Load().clone()
	switch {
	case !s.has(e, st):
		err = refuse("ResourceNotFound.Function",
			"The function %s does not exist in the namespace %s.", name, orDefault(namespace))
	case !slices.Contains(in, st.Latest.Status):
		err = badState(code, st.Latest.Status)
	}
	if err != nil {
		e.change.Unlock()
		return nil, nil, nil, err
	}
	return e, st, e.change.Unlock, nil
}

// has reports whether a function is still there.
func (s *Server) has(e *entry, st *state) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.functions[st.platformID()] == e
}

// keep makes a state the one of its function, durably. e.change is held.
func (s *Server) keep(e *entry, st *state) error {
	if err := s.store.put(st); err != nil {
		return refuse("InternalError.System", "The change was not made: %v.", err)
	}
	e.state.Store(st)
	return nil
}

// all are the functions, by namespace and name.
func (s *Server) all() []*entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*entry
	for _, id := range slices.Sorted(maps.Keys(s.functions)) {
		list = append(list, s.functions[id])
	}
	return list
}

// adopt makes the functions be those of the platform: others may deploy to it.
func (s *Server) adopt() {
	for _, f := range s.platform.Functions() {
		info, err := s.platform.Describe(f.Name)
		if err != nil {
			continue // it was removed in this moment
		}
		s.mu.Lock()
		e := s.functions[info.ID]
		if e == nil {
			e = &entry{}
			e.state.Store(adopted(info, nil, s.config.Now()))
			s.functions[info.ID] = e
		}
		s.mu.Unlock()
		// why: a function that is being changed here is not changed by others.
		if e.change.TryLock() {
			if now := e.state.Load(); now.deployments != info.Deployments && now.Serving != nil {
				e.state.Store(adopted(info, now, s.config.Now()))
			}
			e.change.Unlock()
		}
	}
	s.forget()
}

// forget drops functions that others have removed from the platform.
func (s *Server) forget() {
	for _, e := range s.all() {
		if !e.change.TryLock() {
			continue
		}
		st := e.state.Load()
		if _, err := s.platform.Describe(st.platformID()); errors.Is(err,
			emulator.ErrUnknownFunction) && st.Serving != nil && st.Latest.Status == Active {
			if s.store.remove(st) == nil {
				s.drop(st)
			}
		}
		e.change.Unlock()
	}
}

func (s *Server) drop(st *state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.functions, st.platformID())
}

// adopted is the state of a function that was deployed otherwise. before is
// what was known of it; nil for nothing.
func adopted(info emulator.FunctionInfo, before *state, now time.Time) *state {
	st := &state{ID: functionID(info.ID), AddTime: now}
	if before != nil {
		st = before.clone()
	}
	st.deployments = info.Deployments
	st.Latest = version{Number: latest, Settings: info.Versions[0].Settings, Status: Active, AddTime: st.AddTime,
		ModTime: now}
	st.Serving = &version{}
	*st.Serving = st.Latest
	for _, v := range info.Versions[1:] {
		if n, err := strconv.Atoi(v.Number); err == nil {
			st.LastVersion = max(st.LastVersion, n)
		}
		if st.version(v.Number) == nil {
			st.Versions = append(st.Versions,
				version{Number: v.Number, Settings: v.Settings, Status: Active, AddTime: now, ModTime: now})
		}
	}
	for _, a := range info.Aliases {
		if st.alias(a.Name) == nil {
			st.Aliases = append(st.Aliases, alias{Alias: a, AddTime: now, ModTime: now})
		}
	}
	var triggers []trigger
	for _, t := range info.Triggers {
		known := trigger{AddTime: now, ModTime: now}
		if old := st.trigger(t.Kind(), t.Name()); old != nil {
			known = *old
		}
		known.Settings = t
		triggers = append(triggers, known)
	}
	st.Triggers = triggers
	return st
}

// functionID is the id of a function, made of its name so that it stays.
func functionID(id string) string { return "lam-" + digest([]byte(id))[:8] }
