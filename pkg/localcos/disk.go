package localcos

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// The folder:
//
//	localcos.json                 says that the folder is ours
//	lock                          held by the server
//	BUCKET/bucket.json            when it was created, its lifecycle
//	BUCKET/objects/HH/HASH.json   an object: its key, headers, and the files of its body
//	BUCKET/uploads/ID/upload.json an upload under way; NUMBER.json are its parts
//	BUCKET/data/HH/FILE           bytes, to which objects and parts refer
//
// HASH is of the key: so no key, however long or hostile, leaves the folder or
// meets another where capitals are not told apart.
const (
	markerFile  = "localcos.json"
	marker      = "{\"format\":1}\n"
	bucketFile  = "bucket.json"
	uploadFile  = "upload.json"
	objectsPath = "objects"
	uploadsPath = "uploads"
	dataPath    = "data"
	folderMode  = 0o700
	fileMode    = 0o600
)

// claim makes the folder ours, and refuses one that has something else in it.
func claim(dir string) error {
	if err := os.MkdirAll(dir, folderMode); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(dir, markerFile))
	switch {
	case err == nil && string(text) == marker:
		return nil
	case err == nil:
		return errors.New("it was written by another version: name another folder")
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	found, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range found {
		if entry.Name() != "lock" { // of a process that was killed right here
			return errors.New("it has something else in it: name an empty folder, or one that is not there yet")
		}
	}
	return replace(filepath.Join(dir, markerFile), []byte(marker), true)
}

// replace writes a file whole or not at all.
func replace(path string, content []byte, sync bool) error {
	temporary := path + ".new"
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil && sync {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		if err = os.Rename(temporary, path); err == nil && sync {
			err = syncFolder(filepath.Dir(path))
		}
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(temporary))
	}
	return nil
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	// why the error is dropped: some systems cannot sync a folder, and need not
	_ = f.Sync()
	return f.Close()
}

func writeJSON(path string, value any, sync bool) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return replace(path, append(text, '\n'), sync)
}

// maxMeta bounds a metadata file: an object of 10,000 parts has about 600 KB.
const maxMeta = 16 << 20

func readJSON(path string, value any) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if info.Size() > maxMeta {
		return fmt.Errorf("%s has %d bytes", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// hashOf is the name of a key's file.
func hashOf(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9]{8,64}$`)

// inShards is where a file of that name is: in one of 256 folders.
func inShards(dir, name string) string { return filepath.Join(dir, hashOf(name)[:2], name) }
