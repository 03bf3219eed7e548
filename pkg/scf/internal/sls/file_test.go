//go:build unix

package sls_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// TestOnlyFilesOfTheServicesFolderAreRead: the framework reads any file that its user can, so that a variable in a
// changed serverless.yml puts ~/.ssh or /etc/passwd into a function's environment. Here that is an error.
func TestOnlyFilesOfTheServicesFolderAreRead(t *testing.T) {
	t.Parallel()
	above := t.TempDir()
	folder := filepath.Join(above, "service")
	must(t, os.MkdirAll(filepath.Join(folder, "sub"), 0o700))
	must(t, os.WriteFile(filepath.Join(above, "secret.yml"), []byte("key: do not read"), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "inside.yml"), []byte("key: inside"), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "code.js"), []byte("module.exports = {key: 1}"), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "large.txt"), []byte(strings.Repeat("x", 300<<10)), 0o600))
	must(t, os.WriteFile(filepath.Join(folder, "noperm.yml"), nil, 0o600))
	must(t, os.Symlink("../secret.yml", filepath.Join(folder, "link.yml")))
	must(t, os.Symlink(filepath.Join(above, "secret.yml"), filepath.Join(folder, "absolute-link.yml")))
	must(t, os.Symlink("..", filepath.Join(folder, "sub", "up")))
	must(t, os.Symlink("../..", filepath.Join(folder, "sub", "out")))
	must(t, os.Symlink("inside.yml", filepath.Join(folder, "good-link.yml")))
	must(t, os.Symlink("circle.yml", filepath.Join(folder, "circle.yml")))
	must(t, syscall.Mkfifo(filepath.Join(folder, "pipe.yml"), 0o600))

	for name, c := range map[string]struct{ variable, want string }{
		"a file beside it is read":                   {"${file(inside.yml):key}", "inside"},
		"so is one with a dot before it":             {"${file(./inside.yml):key}", "inside"},
		"a way down and up again is inside":          {"${file(sub/../inside.yml):key}", "inside"},
		"a link that stays inside is followed":       {"${file(good-link.yml):key}", "inside"},
		"a folder link that stays inside, too":       {"${file(sub/up/inside.yml):key}", "inside"},
		"a file above is refused":                    {"${file(../secret.yml):key}", "!leads out of the service's folder"},
		"also with a default":                        {"${file(../secret.yml):key, 'x'}", "!leads out of the service's folder"},
		"also where it does not exist":               {"${file(../nowhere.yml):key, 'x'}", "!leads out of the service's folder"},
		"by a way through the folder, too":           {"${file(sub/../../secret.yml):key}", "!leads out of the service's folder"},
		"an absolute path is refused":                {"${file(/etc/passwd)}", "!leads out of the service's folder"},
		"an absolute path into the folder, too":      {"${file(" + folder + "/inside.yml):key}", "!leads out of the service's folder"},
		"a link to a file above is refused":          {"${file(link.yml):key}", "!path escapes"},
		"an absolute link is refused":                {"${file(absolute-link.yml):key}", "!path escapes"},
		"a link to a folder above is refused":        {"${file(sub/out/secret.yml):key}", "!path escapes"},
		"a link to itself is refused":                {"${file(circle.yml):key}", "!circle.yml"},
		"a pipe is refused and not waited for":       {"${file(pipe.yml):key}", "!is not a regular file"},
		"a folder is refused":                        {"${file(sub)}", "!is not a regular file"},
		"a file that is too large is refused":        {"${file(large.txt)}", "!is larger than"},
		"code is refused":                            {"${file(code.js):key}", "!is code"},
		"an empty file is refused":                   {"${file(noperm.yml):key, 'x'}", "!is empty"},
		"no name is refused":                         {"${file():key}", "!names no file"},
		"a name from the environment is held to it":  {"${file(${env:NAME}):key}", "!leads out of the service's folder"},
		"a file below a file is refused":             {"${file(inside.yml/x.yml):key, 'none'}", "!not a directory"},
		"a name with a NUL is refused":               {`"${file('a\0b.yml'):key}"`, "!"},
		"a drive of Windows is no way out":           {"${file(C:/secret.yml):key, 'none'}", "none"},
		"a backslash is a letter where it is no way": {`${file(..\secret.yml):key, 'none'}`, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(folder, strings.ReplaceAll(name, " ", "-")+".yml")
			must(t, os.WriteFile(path, []byte("a: "+c.variable), 0o600))
			got, err := sls.Load(path, sls.Options{LookupEnv: func(string) (string, bool) { return "../secret.yml", true }})
			want, refused := strings.CutPrefix(c.want, "!")
			if !refused {
				if text, _ := got.Get("a").Scalar(); err != nil || text != want {
					t.Errorf("got %q, error %v; want %q", text, err, want)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("got %v, want %q in it", err, want)
			}
			if strings.Contains(err.Error(), "do not read") {
				t.Errorf("the error shows what must not be read: %v", err)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
