//go:build unix

package api

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// lock holds a file for this process alone; the system frees it when the
// process ends, however it does.
func lock(path string) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another API uses the folder, end it or name another folder: lock %s: %w", path, err), f.Close())
	}
	return f.Close, nil
}
