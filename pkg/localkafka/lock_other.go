//go:build !unix

package localkafka

import (
	"os"
	"path/filepath"
)

// lockDir only creates the file: here a second process on one folder is not
// noticed.
func lockDir(dir string) (*os.File, error) {
	return os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
}
