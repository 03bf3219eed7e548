package localcos_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/localcos"
)

// again closes a server and opens another on its folder.
func again(t *testing.T, s *server, dir string) *server {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return newServer(t, func(c *localcos.Config) { c.Dir, c.Buckets = dir, nil })
}

func files(t *testing.T, dir string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestRestart(t *testing.T) {
	t.Parallel()
	t.Run("keeps buckets, objects, tags, lifecycle and uploads", func(t *testing.T) {
		t.Parallel()
		for _, fsync := range []bool{false, true} {
			dir := t.TempDir()
			s := newServer(t, func(c *localcos.Config) { c.Dir, c.Fsync = dir, fsync })
			s.want(200, "PUT", "/a/b", "content", "x-cos-meta-a", "b", "x-cos-tagging", "t=v")
			s.want(200, "PUT", "/a%ff", "bytes that are no text")
			s.want(200, "PUT", "/empty", "")
			s.want(200, "POST", "/log?append&position=0", "one,")
			s.want(200, "POST", "/log?append&position=4", "two")
			s.want(200, "PUT", "/gone", "x")
			s.want(204, "DELETE", "/gone", nil)
			s.want(200, "PUT", "/?lifecycle", rules(`<Expiration><Days>3</Days></Expiration>`))
			id := s.initiate("/up", "x-cos-meta-c", "d")
			etag := s.part("/up", id, 1, []byte("part"))
			before := s.want(200, "GET", "/", nil).body

			s = again(t, s, dir)
			if after := s.want(200, "GET", "/", nil).body; after != before {
				t.Errorf("the listing was\n%s\nand is\n%s", before, after)
			}
			for key, want := range map[string]string{"/a/b": "content", "/a%ff": "bytes that are no text", "/empty": "", "/log": "one,two"} {
				if got := s.want(200, "GET", key, nil); got.body != want {
					t.Errorf("%s: got %q, want %q", key, got.body, want)
				}
			}
			a := s.want(200, "HEAD", "/a/b", nil)
			if a.header.Get("x-cos-meta-a") != "b" || a.header.Get("x-cos-tagging-count") != "1" {
				t.Errorf("got %v", a.header)
			}
			s.want(200, "GET", "/?lifecycle", nil)
			s.want(200, "POST", "/log?append&position=7", ",three")
			s.want(200, "POST", "/up?uploadId="+id, complete(1, etag))
			if got := s.want(200, "GET", "/up", nil); got.body != "part" || got.header.Get("x-cos-meta-c") != "d" {
				t.Errorf("got %q %v", got.body, got.header)
			}
		}
	})
	t.Run("keeps the bytes of an object whose metadata could not be read for a while", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := newServer(t, func(c *localcos.Config) { c.Dir = dir })
		s.want(200, "PUT", "/a", "content")
		s.want(200, "PUT", "/b", "other")
		var metadata string
		for _, file := range files(t, dir) {
			if text, err := os.ReadFile(file); err == nil && strings.HasSuffix(file, ".json") && strings.Contains(string(text), `"a"`) {
				metadata = file
			}
		}
		whole, err := os.ReadFile(metadata)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(metadata, []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		s = again(t, s, dir)
		s.want(404, "GET", "/a", nil)
		s.want(200, "GET", "/b", nil)
		if err := os.WriteFile(metadata, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		s = again(t, s, dir)
		if got := s.want(200, "GET", "/a", nil); got.body != "content" {
			t.Errorf("got %q", got.body)
		}
	})
	t.Run("removes what a killed server left, and nothing else", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := newServer(t, func(c *localcos.Config) { c.Dir = dir })
		s.want(200, "PUT", "/k", "content")
		id := s.initiate("/up")
		s.part("/up", id, 1, []byte("part"))
		whole := files(t, dir)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		// Bytes that no object had yet, metadata before its rename, an upload and a
		// bucket that were being removed.
		left := []string{
			"data/ab/ABCDEFGHIJKL", "objects/ab/" + strings.Repeat("ab", 32) + ".json.new", "uploads/0123456789/1.json",
		}
		for _, name := range left {
			path := filepath.Join(dir, bucket, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.MkdirAll(filepath.Join(dir, "half-1250000000", "data"), 0o700); err != nil {
			t.Fatal(err)
		}
		s = again(t, s, dir)
		if got := files(t, dir); strings.Join(got, "\n") != strings.Join(whole, "\n") {
			t.Errorf("got  %v\nwant %v", got, whole)
		}
		if _, err := os.Stat(filepath.Join(dir, "half-1250000000")); err == nil {
			t.Error("half a bucket is left")
		}
		s.want(200, "GET", "/k", nil)
	})
	t.Run("removes the bytes of what was replaced and deleted", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := newServer(t, func(c *localcos.Config) { c.Dir = dir })
		empty := len(files(t, dir))
		s.want(200, "PUT", "/k", "first")
		s.want(200, "PUT", "/k", "second")
		s.want(200, "PUT", "/copy", nil, "x-cos-copy-source", bucket+".localhost/k")
		s.refused(409, "FileAlreadyExists", "PUT", "/k", "third", "x-cos-forbid-overwrite", "true")
		id := s.initiate("/up")
		s.part("/up", id, 1, []byte("one"))
		etag := s.part("/up", id, 1, []byte("two"))
		s.part("/up", id, 2, []byte("unused"))
		s.want(200, "POST", "/up?uploadId="+id, complete(1, etag))
		s.want(204, "DELETE", "/k", nil)
		if got := s.want(200, "GET", "/copy", nil); got.body != "second" {
			t.Errorf("got %q", got.body)
		}
		s.want(204, "DELETE", "/copy", nil)
		s.want(204, "DELETE", "/up", nil)
		if got := files(t, dir); len(got) != empty {
			t.Errorf("left: %v", got)
		}
		s.want(204, "DELETE", "/", nil)
	})
	t.Run("goes on without an object whose metadata is spoilt", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		s := newServer(t, func(c *localcos.Config) { c.Dir = dir })
		s.want(200, "PUT", "/good", "content")
		s.want(200, "PUT", "/bad", "content")
		s.want(200, "PUT", "/away", "content")
		objects, err := filepath.Glob(filepath.Join(dir, bucket, "objects", "*", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range objects {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(text, []byte(`"bad"`)) {
				text = bytes.Replace(text, []byte(`"file":"`), []byte(`"file":"../../`), 1)
			} else if bytes.Contains(text, []byte(`"away"`)) {
				text = bytes.Replace(text, []byte(`"away"`), []byte(`"good"`), 1)
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s = again(t, s, dir)
		s.want(200, "GET", "/good", nil)
		s.refused(404, "NoSuchKey", "GET", "/bad", nil)
		s.refused(404, "NoSuchKey", "GET", "/away", nil)
	})
}

func TestFolder(t *testing.T) {
	t.Parallel()
	t.Run("is refused where something else is in it", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		precious := filepath.Join(dir, "precious")
		if err := os.WriteFile(precious, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := localcos.New(localcos.Config{Dir: dir, Unsigned: true}); err == nil || !strings.Contains(err.Error(), "something else") {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(precious); err != nil {
			t.Error(err)
		}
	})
	t.Run("is one server's at a time", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		newServer(t, func(c *localcos.Config) { c.Dir = dir })
		if _, err := localcos.New(localcos.Config{Dir: dir, Unsigned: true}); err == nil || !strings.Contains(err.Error(), "another COS server") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("is not opened without keys, unless that is asked for", func(t *testing.T) {
		t.Parallel()
		for _, config := range []localcos.Config{{}, {Dir: t.TempDir()}, {Dir: t.TempDir(), Unsigned: true, Buckets: []string{"../x-1"}}} {
			if _, err := localcos.New(config); err == nil {
				t.Errorf("%+v was taken", config)
			}
		}
	})
	t.Run("is not left by any key, and no key meets another", func(t *testing.T) {
		t.Parallel()
		outer := t.TempDir()
		dir := filepath.Join(outer, "cos")
		s := newServer(t, func(c *localcos.Config) { c.Dir = dir })
		keys := []string{
			"../x", "..%2f..%2fx", "a/../../../x", "/etc/passwd", "a", "A", "a/", "a//", "con", "a.", "a%20", "%00", "%ff%fe",
			"%5c..%5cx", strings.Repeat("x", 850), strings.Repeat("%F0%9F%A6%80", 212), "%C3%A4", "a%CC%88", "*", "bucket.json",
		}
		for i, key := range keys {
			s.want(200, "PUT", "/"+key, fmt.Sprint(i))
		}
		for i, key := range keys {
			if got := s.want(200, "GET", "/"+key, nil); got.body != fmt.Sprint(i) {
				t.Errorf("%.40s: got %q, want %d", key, got.body, i)
			}
		}
		lower := map[string]string{}
		for _, path := range files(t, outer) {
			if !strings.HasPrefix(path, dir+string(filepath.Separator)) {
				t.Errorf("%s is outside of the folder", path)
			}
			if other := lower[strings.ToLower(path)]; other != "" {
				t.Errorf("%s and %s are one where capitals are not told apart", path, other)
			}
			lower[strings.ToLower(path)] = path
		}
		for _, key := range keys {
			s.want(204, "DELETE", "/"+key, nil)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	contents := make([]string, 8)
	for i := range contents {
		contents[i] = strings.Repeat(string(rune('a'+i)), 200_000)
	}
	s.want(200, "PUT", "/k", contents[0])
	var group sync.WaitGroup
	for i := range contents {
		group.Go(func() {
			for range 10 {
				s.do("PUT", "/k", contents[i])
				if i%4 == 3 {
					s.do("DELETE", "/k", nil)
				}
			}
		})
		group.Go(func() {
			for range 20 {
				if a := s.do("GET", "/k", nil); a.status == 200 && (len(a.body) != 200_000 || strings.Trim(a.body, a.body[:1]) != "") {
					t.Errorf("a reader saw a mixture of %d bytes", len(a.body))
				} else if a.status != 200 && a.status != 404 {
					t.Errorf("got %d %s", a.status, a.body)
				}
			}
		})
	}
	group.Wait()
}
