//go:build !unix

package media

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// lockFolder makes a file that only its owner can have. What a killed process leaves, stays
// here until somebody removes it.
func lockFolder(dir string) (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, errors.New("somebody is in it")
	}
	return f, nil
}
