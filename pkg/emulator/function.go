package emulator

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// function is one deployed version of a function: settings and code as they
// were at the time. It does not change, but for what it says of triggers that are
// not driven; a later deployment makes another one.
type function struct {
	scf.Function

	version string // $LATEST, or the number of a published one
	code    string // folder with a copy of the code
	pool    *pool
}

func (f *function) timeout() time.Duration { return time.Duration(f.Timeout) * time.Second }
func (f *function) id() string             { return FunctionID(f.Namespace, f.Name) }
func (f *function) namespace() string      { return cmp.Or(f.Namespace, scf.DefaultNamespace) }

// installCode copies the code into a folder of its own, so that a rebuild of the
// program does not change what is deployed, and makes it read-only as /var/user
// is in the cloud.
func installCode(codeDir, handler, to string) (binary string, err error) {
	source := filepath.Join(codeDir, handler)
	info, err := os.Stat(source)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%s holds no file %s, which the handler names: build the function first", codeDir, handler)
	case err != nil:
		return "", err
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o100 == 0:
		return "", fmt.Errorf("%s has mode %v: the file that the handler names must be executable (0755)", source, info.Mode())
	}
	if err := checkSize(codeDir); err != nil {
		return "", err
	}
	if err := os.CopyFS(to, os.DirFS(codeDir)); err != nil {
		return "", err
	}
	return filepath.Join(to, handler), setWritable(to, false)
}

// checkSize refuses code that is larger than the cloud takes, unzipped.
func checkSize(codeDir string) error {
	var size int64
	err := filepath.WalkDir(codeDir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if err == nil && size > scf.MaxCode {
		err = fmt.Errorf("the code in %s has %d bytes, allowed are %d: the folder must hold the binary and what it reads, nothing else",
			codeDir, size, int64(scf.MaxCode))
	}
	return err
}

// setWritable changes whether the owner may write a tree.
func setWritable(root string, writable bool) error {
	return filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink != 0 {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		mode := info.Mode().Perm() &^ 0o222
		if writable {
			mode |= 0o200
		}
		return os.Chmod(path, mode)
	})
}

// removeTree removes a folder that holds read-only ones: deployed code, or what
// a function has left in its scratch folder.
func removeTree(root string) error {
	// why: only root can remove files from a read-only folder. What cannot be
	// changed is reported by the removal.
	_ = setWritable(root, true)
	return os.RemoveAll(root)
}

// processEnv is the environment that a process of the function starts with,
// but for the three variables that differ from process to process. Of this
// program's own environment only PATH is handed on.
func (f *function) processEnv(c Config) []string {
	env := map[string]string{"PATH": os.Getenv("PATH"), "LANG": "en_US.UTF8"}
	maps.Copy(env, f.Environment)
	maps.Copy(env, map[string]string{
		"USER_CODE_ROOT":      f.code,
		"SCF_RUNTIME":         scf.DefaultRuntime,
		"SCF_FUNCTIONNAME":    f.Name,
		"SCF_FUNCTIONVERSION": f.version,
		"TENCENTCLOUD_REGION": c.Region,
		"TENCENTCLOUD_RUNENV": "SCF",
	})
	list := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		list = append(list, k+"="+env[k])
	}
	return list
}

// invokeEnv is what an invocation brings along: scf-go-lib puts it into the
// environment of the process before it calls the handler.
func (f *function) invokeEnv(c Credentials) map[string]string {
	env := maps.Clone(f.Environment)
	if env == nil {
		env = map[string]string{}
	}
	for k, v := range map[string]string{
		"TENCENTCLOUD_SECRETID":     c.SecretID,
		"TENCENTCLOUD_SECRETKEY":    c.SecretKey.Reveal(),
		"TENCENTCLOUD_SESSIONTOKEN": c.SessionToken.Reveal(),
	} {
		if v != "" {
			env[k] = v
		}
	}
	return env
}
