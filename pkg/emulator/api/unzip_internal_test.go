package api

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packed is a zip of files with these names, each with its name as its content.
func packed(t testing.TB, change func(*zip.FileHeader), names ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(0o644)
		if change != nil {
			change(header)
		}
		f, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(name, "/") {
			if _, err := f.Write([]byte(name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// try keeps a zip and unpacks it.
func try(t testing.TB, zip []byte) (folder string, err error) {
	t.Helper()
	c, err := openCodes(filepath.Join(t.TempDir(), "code"))
	if err != nil {
		t.Fatal(err)
	}
	kept, release, err := c.putBytes(zip)
	if err != nil {
		left, _ := os.ReadDir(c.folder)
		if len(left) != 0 {
			t.Errorf("a zip that was refused is left: %v", left)
		}
		return "", err
	}
	defer release()
	folder, _, err = c.unpack(kept)
	return folder, err
}

func TestUnzip(t *testing.T) {
	t.Parallel()
	t.Run("files keep their names, contents and modes", func(t *testing.T) {
		t.Parallel()
		folder, err := try(t, packed(t, func(h *zip.FileHeader) {
			if h.Name == "main" {
				h.SetMode(0o755)
			}
		}, "main", "lib/", "lib/a.txt", "deep/er/b.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for name, mode := range map[string]fs.FileMode{"main": 0o755, "lib/a.txt": 0o644, "deep/er/b.txt": 0o644} {
			content, err := os.ReadFile(filepath.Join(folder, name))
			info, err2 := os.Stat(filepath.Join(folder, name))
			if errors.Join(err, err2) != nil || string(content) != name || info.Mode().Perm() != mode {
				t.Errorf("%s: %q, %v, %v", name, content, info, errors.Join(err, err2))
			}
		}
	})
	symlink := func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }
	lies := func(t *testing.T) []byte {
		b := packed(t, nil, "a-file-with-a-long-name")
		// why twice: the central directory has the size again, which is the one that
		// is read; 23 is that of the name.
		i := bytes.LastIndex(b, []byte("PK\x01\x02"))
		b[i+24] = 1
		return b
	}
	for why, c := range map[string][]byte{
		"a path above the folder":     packed(t, nil, "../main"),
		"one that goes up further in": packed(t, nil, "a/../../main"),
		"an absolute path":            packed(t, nil, "/etc/passwd"),
		"a path of another system":    packed(t, nil, `..\main`),
		"a path with a zero":          packed(t, nil, "a\x00b"),
		"the folder itself":           packed(t, nil, "./"),
		"a link":                      packed(t, symlink, "main"),
		"a device":                    packed(t, func(h *zip.FileHeader) { h.SetMode(fs.ModeDevice | 0o666) }, "main"),
		"a name twice":                packed(t, nil, "main", "main"),
		"a name twice, in two ways":   packed(t, nil, "main", "./main"),
		"a file and a folder":         packed(t, nil, "main", "main/x"),
		"a size that is another":      lies(t),
		"half of one":                 packed(t, nil, "main")[:30],
	} {
		t.Run(why+" is refused", func(t *testing.T) {
			t.Parallel()
			if folder, err := try(t, c); !errors.Is(err, errZip) {
				t.Errorf("got %v in %s, want it refused", err, folder)
			}
		})
	}
	t.Run("501 MB are refused before anything is written", func(t *testing.T) {
		t.Parallel()
		b := packed(t, nil, "main")
		i := bytes.LastIndex(b, []byte("PK\x01\x02"))
		copy(b[i+24:], []byte{0, 0, 0x50, 0x1f}) // the size unzipped
		if _, err := try(t, b); !errors.Is(err, errZip) || !strings.Contains(err.Error(), "more than 524288000 bytes") {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzUnzip(f *testing.F) {
	f.Add(packed(f, nil, "main", "lib/a.txt"))
	f.Add(packed(f, nil, "../main"))
	f.Add(packed(f, func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) }, "main"))
	f.Fuzz(func(t *testing.T, content []byte) {
		outer := t.TempDir()
		from, into := filepath.Join(outer, "zip"), filepath.Join(outer, "into")
		if err := errors.Join(os.WriteFile(from, content, 0o600), os.Mkdir(into, 0o700)); err != nil {
			t.Fatal(err)
		}
		_ = unzip(from, into)
		list, err := os.ReadDir(outer)
		if err != nil || len(list) != 2 {
			t.Errorf("beside the folder: %v, %v", list, err)
		}
		err = filepath.WalkDir(into, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && !d.Type().IsRegular() {
				t.Errorf("%s is %v", path, d.Type())
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}
