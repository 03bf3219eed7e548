//go:build unix

package media

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// lockFolder takes a folder until it is closed or the process ends, however it ends. The lock
// is on the folder itself: a child does not inherit it, and a removed one is nobody's.
func lockFolder(dir string) (io.Closer, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
