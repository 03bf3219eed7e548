//go:build !unix

package localcos

import (
	"os"
	"path/filepath"
)

// lock only creates the file: here a second server on one folder is not
// noticed.
func lock(dir string) (unlock func() error, err error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}
