package extract

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // the driver
	_ "github.com/jackc/pgx/v5/stdlib" // the driver
)

// server is a database on this machine, of this test.
type server struct {
	kind, dsn string
	db        *sql.DB
	folder    string
	process   *exec.Cmd
	ended     chan struct{}
}

// servers are started when the first test needs them, and ended by TestMain.
var servers struct {
	postgres, mariadb once
}

// once is a server that is started once.
type once struct {
	sync.Once
	server *server
	fault  error
}

func (o *once) get(t *testing.T, start func(context.Context) (*server, error)) *server {
	t.Helper()
	o.Do(func() { o.server, o.fault = start(context.WithoutCancel(t.Context())) })
	var missing *missingError
	switch {
	case errors.As(o.fault, &missing) && os.Getenv("ETL_REQUIRE_DOCKER") != "1":
		t.Skip(o.fault)
	case o.fault != nil:
		t.Fatal(o.fault)
	}
	return o.server
}

func (o *once) stop() {
	if o.server != nil {
		o.server.stop()
	}
}

// missingError says that a program is not installed.
type missingError struct{ program, debian string }

func (e *missingError) Error() string {
	return fmt.Sprintf("there is no %s here: apt-get install %s", e.program, e.debian)
}

// program finds one, also where Debian keeps those that are for several releases.
func program(name, debian string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/", "/usr/sbin/"} {
		if found, _ := filepath.Glob(pattern + name); len(found) > 0 {
			return found[len(found)-1], nil
		}
	}
	return "", &missingError{name, debian}
}

// newServer makes a folder of the user that the server runs as: they refuse to run as
// root.
func newServer(kind, owner string) (*server, error) {
	s := &server{kind: kind, ended: make(chan struct{})}
	var err error
	if s.folder, err = os.MkdirTemp("", "etl-"+kind+"-"); err != nil || os.Getuid() != 0 {
		return s, err
	}
	id, err := identity(owner)
	if err != nil {
		return s, err
	}
	return s, os.Chown(s.folder, int(id.Uid), int(id.Gid))
}

func identity(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32) // numbers, on Linux
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func (s *server) command(owner, path string, arguments ...string) (*exec.Cmd, error) {
	c := exec.Command(path, arguments...)
	c.Dir = s.folder
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.folder, "LC_ALL=C", "TZ=UTC"}
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Getuid() == 0 {
		id, err := identity(owner)
		if err != nil {
			return nil, err
		}
		c.SysProcAttr.Credential = id
	}
	return c, nil
}

// run runs a program to its end.
func (s *server) run(owner, path string, arguments ...string) error {
	c, err := s.command(owner, path, arguments...)
	if err != nil {
		return err
	}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", path, err, out)
	}
	return nil
}

// start starts the server and waits until it answers.
func (s *server) start(ctx context.Context, driver, owner, path string, arguments ...string) error {
	c, err := s.command(owner, path, arguments...)
	if err != nil {
		return err
	}
	var log strings.Builder
	c.Stdout, c.Stderr = &log, &log
	if err := c.Start(); err != nil {
		return err
	}
	s.process = c
	go func() {
		_ = c.Wait() // it is ended by a signal
		close(s.ended)
	}()
	if s.db, err = sql.Open(driver, s.dsn); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		if err = s.db.PingContext(ctx); err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("%s has ended: %w\n%s", path, err, log.String())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", path, err)
		case <-ticker.C:
		}
	}
}

func (s *server) stop() {
	if s.db != nil {
		s.db.Close()
	}
	if s.process != nil {
		_ = s.process.Process.Signal(syscall.SIGQUIT) // PostgreSQL's way to stop at once; MariaDB takes it too
		select {
		case <-s.ended:
		case <-time.After(5 * time.Second):
			_ = s.process.Process.Kill()
			<-s.ended
		}
	}
	os.RemoveAll(s.folder)
}

func freePort() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, err
}

func startPostgres(ctx context.Context) (*server, error) {
	const owner = "postgres"
	initdb, err := program("initdb", "postgresql")
	if err != nil {
		return nil, err
	}
	postgres, err := program("postgres", "postgresql")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s, err := newServer("postgres", owner)
	if err != nil {
		return s, err
	}
	data := filepath.Join(s.folder, "data")
	if err := s.run(owner, initdb, "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return s, err
	}
	s.dsn = "postgres://postgres@127.0.0.1:" + port + "/postgres"
	return s, s.start(ctx, "pgx", owner, postgres, "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "max_connections=30")
}

func startMariaDB(ctx context.Context) (*server, error) {
	const owner = "mysql"
	install, err := program("mariadb-install-db", "mariadb-server")
	if err != nil {
		return nil, err
	}
	mariadbd, err := program("mariadbd", "mariadb-server")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s, err := newServer("mariadb", owner)
	if err != nil {
		return s, err
	}
	data := filepath.Join(s.folder, "data")
	if err := s.run(owner, install, "--no-defaults", "--datadir="+data, "--auth-root-authentication-method=normal",
		"--skip-test-db", "--innodb-flush-log-at-trx-commit=0"); err != nil {
		return s, err
	}
	s.dsn = "root@tcp(127.0.0.1:" + port + ")/mysql"
	return s, s.start(ctx, "mysql", owner, mariadbd, "--no-defaults", "--datadir="+data, "--port="+port, "--bind-address=127.0.0.1",
		"--socket="+filepath.Join(s.folder, "s"), "--pid-file="+filepath.Join(s.folder, "pid"), "--skip-name-resolve",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", "--tmpdir="+s.folder)
}

func (s *server) exec(t testing.TB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%.300s: %v", statement, err)
		}
	}
}
