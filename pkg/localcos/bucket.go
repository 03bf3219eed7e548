package localcos

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// bucket keeps the metadata of all objects in memory, about half a kilobyte
// each, and the bodies on the disk.
type bucket struct {
	name string
	dir  string
	s    *Server

	mu      sync.RWMutex
	gone    bool
	state   bucketState
	objects map[string]*object
	keys    []string // sorted
	uploads map[string]*upload
	files   map[string]int // how many objects, parts and readers refer to a file of data
	unread  int            // objects and uploads whose metadata could not be read
}

type bucketState struct {
	Created   time.Time `json:"created"`
	Lifecycle string    `json:"lifecycle,omitempty"` // the XML, as it came
}

func (s *Server) newBucket(name string) *bucket {
	return &bucket{
		name: name, dir: filepath.Join(s.config.Dir, name), s: s,
		objects: map[string]*object{}, uploads: map[string]*upload{}, files: map[string]int{},
	}
}

func (s *Server) bucket(name string) (*bucket, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if b := s.buckets[name]; b != nil {
		return b, nil
	}
	return nil, errNoSuchBucket
}

func (s *Server) createBucket(name string) error {
	if !bucketName.MatchString(name) {
		return refuse(400, "InvalidBucketName", "The specified bucket is not valid: want NAME-APPID.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.buckets[name] != nil {
		return errBucketExists
	}
	b := s.newBucket(name)
	b.state.Created = s.config.Now().UTC()
	for _, folder := range []string{objectsPath, uploadsPath, dataPath} {
		if err := os.MkdirAll(filepath.Join(b.dir, folder), folderMode); err != nil {
			return err
		}
	}
	if err := writeJSON(filepath.Join(b.dir, bucketFile), b.state, s.config.Fsync); err != nil {
		return err
	}
	s.buckets[name] = b
	return nil
}

func (s *Server) deleteBucket(b *bucket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		return errNoSuchBucket
	}
	if len(b.objects) > 0 || len(b.uploads) > 0 {
		return refuse(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.")
	}
	// why first: what is left without it is no bucket
	if err := os.Remove(filepath.Join(b.dir, bucketFile)); err != nil {
		return err
	}
	b.gone = true
	delete(s.buckets, b.name)
	return os.RemoveAll(b.dir)
}

// loadBucket reads a bucket's metadata and removes the bytes nobody refers to.
func (s *Server) loadBucket(name string) error {
	b := s.newBucket(name)
	err := readJSON(filepath.Join(b.dir, bucketFile), &b.state)
	if errors.Is(err, fs.ErrNotExist) { // created or deleted by half
		return os.RemoveAll(b.dir)
	} else if err != nil {
		return fmt.Errorf("bucket %s: %w", name, err)
	}
	err = errors.Join(b.loadObjects(), b.loadUploads(), b.sweepData())
	if err != nil {
		return fmt.Errorf("bucket %s: %w", name, err)
	}
	s.buckets[name] = b
	return nil
}

func (b *bucket) loadObjects() error {
	err := filepath.WalkDir(filepath.Join(b.dir, objectsPath), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !strings.HasSuffix(path, ".json") { // not renamed any more
			return os.Remove(path)
		}
		o := &object{}
		if err = readJSON(path, o); err == nil {
			err = o.check(entry.Name())
		}
		if err != nil { // why go on: the others are well
			b.unread++
			b.s.config.Log.Error("an object cannot be read", "bucket", b.name, "file", path, "error", err)
			return nil
		}
		key := o.key()
		b.objects[key] = o
		b.keys = append(b.keys, key)
		b.retain(o.Segments)
		return nil
	})
	slices.Sort(b.keys)
	return err
}

// sweepData removes the files of requests that never ended. While metadata cannot be
// read it removes none: its bytes would look like theirs, and the next start may read it.
func (b *bucket) sweepData() error {
	if b.unread > 0 {
		return nil
	}
	return filepath.WalkDir(filepath.Join(b.dir, dataPath), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || b.files[entry.Name()] > 0 {
			return err
		}
		return os.Remove(path)
	})
}

// retain and release count who needs the files of a body; the last to release
// one removes it. Both want b.mu.
func (b *bucket) retain(segments []segment) {
	for _, s := range segments {
		b.files[s.File]++
	}
}

func (b *bucket) release(segments []segment) {
	for _, s := range segments {
		if b.files[s.File]--; b.files[s.File] > 0 {
			continue
		}
		delete(b.files, s.File)
		if err := os.Remove(b.dataFile(s.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			b.s.config.Log.Warn("bytes that nobody needs could not be removed", "bucket", b.name, "error", err)
		}
	}
}

func (b *bucket) dataFile(name string) string { return inShards(filepath.Join(b.dir, dataPath), name) }

func (b *bucket) objectFile(key string) string {
	hash := hashOf(key)
	return filepath.Join(b.dir, objectsPath, hash[:2], hash+".json")
}

// publish makes o the object of its key, if allow, which sees the one that is
// there or nil, has nothing against it. The files of o are the object's from
// then on.
func (b *bucket) publish(key string, o *object, allow func(old *object) error) error {
	o.Key = url.PathEscape(key)
	path := b.objectFile(key)
	if err := os.MkdirAll(filepath.Dir(path), folderMode); err != nil {
		return err
	}
	// why all of it under the lock: it is the order in which writers win
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.objects[key]
	if b.gone {
		return errNoSuchBucket
	}
	if allow != nil {
		if err := allow(old); err != nil {
			return err
		}
	}
	if err := writeJSON(path, o, b.s.config.Fsync); err != nil { // as allow has left it
		return err
	}
	b.retain(o.Segments)
	b.objects[key] = o
	if old == nil {
		at, _ := slices.BinarySearch(b.keys, key)
		b.keys = slices.Insert(b.keys, at, key)
	} else {
		b.release(old.Segments)
	}
	return nil
}

// remove deletes the object of a key, if allow has nothing against it. There
// was one or not.
func (b *bucket) remove(key string, allow func(*object) bool) (*object, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.objects[key]
	if o == nil || allow != nil && !allow(o) {
		return nil, nil
	}
	if err := os.Remove(b.objectFile(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if b.s.config.Fsync {
		if err := syncFolder(filepath.Dir(b.objectFile(key))); err != nil {
			return nil, err
		}
	}
	delete(b.objects, key)
	if at, found := slices.BinarySearch(b.keys, key); found {
		b.keys = slices.Delete(b.keys, at, at+1)
	}
	b.release(o.Segments)
	return o, nil
}

// acquire finds an object and keeps its files until done is called.
func (b *bucket) acquire(key string) (o *object, done func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o = b.objects[key]
	if o == nil {
		return nil, nil, errNoSuchKey
	}
	b.retain(o.Segments)
	return o, sync.OnceFunc(func() { b.letGo(o.Segments) }), nil
}

func (b *bucket) letGo(segments []segment) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release(segments)
}

// find gives an object's metadata.
func (b *bucket) find(key string) (*object, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	if o := b.objects[key]; o != nil {
		return o, nil
	}
	return nil, errNoSuchKey
}
