package localcos

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// DefaultRegion is where the buckets are where Config names no region.
const DefaultRegion = "ap-guangzhou"

// Config says where the objects are and who may ask for them. Dir, and Keys or
// Unsigned, have to be set.
type Config struct {
	// Dir is the folder of the buckets. It is created; a folder with something
	// else in it is refused. One server at a time has it.
	Dir string
	// Keys are the SecretIds whose signatures are taken.
	Keys map[string]Key
	// Unsigned takes requests without looking at their signature.
	Unsigned bool
	// Buckets are created where they do not exist: full names, NAME-APPID.
	Buckets []string
	// Versioned are buckets that say that they keep versions, and overwrite where they are
	// not to, as one with versions does. No version is kept. For tests.
	Versioned []string
	// Region is the long name, DefaultRegion by default.
	Region string
	// Fsync writes every object through to the disk before it is answered, so that
	// it outlives a machine that loses power. Without it, it outlives the process.
	Fsync bool
	// Now is the clock; time.Now by default.
	Now func() time.Time
	// NewID makes the ids of requests, uploads and files: letters and digits,
	// never the same twice. Random by default.
	NewID func() string
	// Notify, where set, is called after an object was created or removed, by the
	// goroutine of the request before it answers. What it does not take down is
	// lost with the process.
	Notify func(event.COS)
	// Fault, where set, is asked about every request. nil is none. For tests.
	Fault func(*http.Request) *Fault
	// Log gets what no answer tells: files that are not as they should be. It is
	// silent by default.
	Log *slog.Logger
}

// Key is a secret key. That of a role is temporary: it has a Token and expires.
type Key struct {
	// Secret is the SecretKey.
	Secret secret.String
	// Token is what a request has to carry beside the signature; empty for none.
	Token secret.String
	// Expires is when it is taken no longer; zero is never.
	Expires time.Time
}

// Server is a COS server. It is an http.Handler; Start gives it an address.
type Server struct {
	config Config
	unlock func() error

	mu      sync.RWMutex // of keys and buckets
	keys    map[string]Key
	buckets map[string]*bucket

	http     *http.Server
	listener net.Listener
	closing  sync.Once
	closed   chan struct{}
	gate     sync.RWMutex // held for reading by every request
}

var bucketName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?-[0-9]{1,20}$`)

// New opens the folder, reads what is in it, and removes what an unfinished
// request left. Close it.
func New(config Config) (*Server, error) {
	if config.Dir == "" {
		return nil, errors.New("open COS folder: no folder is named")
	}
	if len(config.Keys) == 0 && !config.Unsigned {
		return nil, fmt.Errorf("open COS folder %s: set Keys, or Unsigned to take requests from everybody", config.Dir)
	}
	if config.Region == "" {
		config.Region = DefaultRegion
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.NewID == nil {
		config.NewID = newID
	}
	if config.Log == nil {
		config.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{config: config, keys: map[string]Key{}, buckets: map[string]*bucket{}, closed: make(chan struct{})}
	for id, key := range config.Keys {
		s.keys[id] = key
	}
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("open COS folder %s: %w", config.Dir, err)
	}
	return s, nil
}

func (s *Server) open() (err error) {
	if err := claim(s.config.Dir); err != nil {
		return err
	}
	if s.unlock, err = lock(s.config.Dir); err != nil {
		return err
	}
	if err := s.load(); err != nil {
		return errors.Join(err, s.unlock())
	}
	return nil
}

func (s *Server) load() error {
	found, err := os.ReadDir(s.config.Dir)
	if err != nil {
		return err
	}
	for _, entry := range found {
		if entry.IsDir() && bucketName.MatchString(entry.Name()) {
			if err := s.loadBucket(entry.Name()); err != nil {
				return err
			}
		}
	}
	for _, name := range s.config.Buckets {
		if err := s.createBucket(name); err != nil && !errors.Is(err, errBucketExists) {
			return fmt.Errorf("bucket %q: %w", name, err)
		}
	}
	return nil
}

// SetKey adds a key, or replaces it.
func (s *Server) SetKey(id string, key Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[id] = key
}

func newID() string {
	var id [12]byte
	_, _ = rand.Read(id[:]) // it never fails
	return hex.EncodeToString(id[:])
}
