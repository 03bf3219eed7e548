//go:build !linux

package media

import "os"

// Bounds of a child are set on Linux only, which is what the platform runs.
func bind(int, bounds) {}

func widen(*os.File) {}
