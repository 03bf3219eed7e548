// Command pack puts the binaries of functions into the zips that the platform
// takes: one file at the root, named main, which everyone may execute.
//
//	go run ./internal/pack dist bin/dump     # dist/dump.zip
//
// The same binary gives the same zip, byte for byte, on any machine.
package main

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: pack FOLDER BINARY...")
		os.Exit(2)
	}
	for _, binary := range os.Args[2:] {
		to := filepath.Join(os.Args[1], filepath.Base(binary)+".zip")
		if err := packFile(to, binary); err != nil {
			fmt.Fprintln(os.Stderr, "pack:", err)
			os.Exit(1)
		}
	}
}

func packFile(to, binary string) error {
	from, err := os.Open(binary)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	zipped, err := os.Create(to)
	if err != nil {
		return err
	}
	if err := pack(zipped, from); err != nil {
		zipped.Close()
		return fmt.Errorf("write %s: %w", to, err)
	}
	return zipped.Close()
}

// earliest is the first time a zip can hold. A fixed time makes the zip depend
// on the binary alone.
var earliest = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func pack(to io.Writer, binary io.Reader) error {
	archive := zip.NewWriter(to)
	archive.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	header := &zip.FileHeader{Name: "main", Method: zip.Deflate, Modified: earliest}
	header.SetMode(0o755)
	file, err := archive.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, binary); err != nil {
		return err
	}
	return archive.Close()
}
