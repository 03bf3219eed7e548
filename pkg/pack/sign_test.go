package pack_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"aead.dev/minisign"

	"github.com/scf-etl/scf-etl/pkg/pack"
)

// testKey gives the key of testdata, as a file that nobody else may read.
func testKey(t *testing.T) (file string, public minisign.PublicKey) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "test.key")
	write(t, file, string(read(t, "testdata/test.key")), 0o600)
	public, err := pack.ReadPublicKey("testdata/test.pub")
	if err != nil {
		t.Fatal(err)
	}
	return file, public
}

func password(is string) func() (string, error) { return func() (string, error) { return is, nil } }

// signed packs a function with the key of testdata.
func signed(t *testing.T, binary []byte) (pack.Packer, pack.Package) {
	t.Helper()
	file, _ := testKey(t)
	key, err := pack.ReadKey(file, password("test"))
	if err != nil {
		t.Fatal(err)
	}
	p := service(t, binary)
	p.Key = &key
	made, err := p.Pack(dump())
	if err != nil {
		t.Fatal(err)
	}
	return p, made
}

func TestSign(t *testing.T) {
	t.Parallel()
	binary := program(t, "linux", "amd64")
	_, public := testKey(t)

	t.Run("the signature of a zip is good, and the same each time", func(t *testing.T) {
		t.Parallel()
		_, a := signed(t, binary)
		_, b := signed(t, binary)
		if err := pack.Verify(public, a.Zip); err != nil {
			t.Error(err)
		}
		if string(read(t, a.Signature)) != string(read(t, b.Signature)) {
			t.Error("two signatures of the same zip differ")
		}
	})

	for what, c := range map[string]struct {
		change func(t *testing.T, made pack.Package) (zip string)
		says   string
	}{
		"a zip that was changed": {func(t *testing.T, made pack.Package) string {
			content := read(t, made.Zip)
			content[len(content)/2] ^= 1
			write(t, made.Zip, string(content), 0o644)
			return made.Zip
		}, "changed after"},
		"the zip of another function": {func(t *testing.T, made pack.Package) string {
			other := filepath.Join(filepath.Dir(made.Zip), "clean.zip")
			write(t, other, string(read(t, made.Zip)), 0o644)
			write(t, other+".minisig", string(read(t, made.Signature)), 0o644)
			return other
		}, `made for "dump.zip"`},
		"a zip without a signature": {func(t *testing.T, made pack.Package) string {
			if err := os.Remove(made.Signature); err != nil {
				t.Fatal(err)
			}
			return made.Zip
		}, "there is none"},
		"a signature that is none": {func(t *testing.T, made pack.Package) string {
			write(t, made.Signature, "a\nb\nc\nd\n", 0o644)
			return made.Zip
		}, "invalid"},
	} {
		t.Run(what+" is refused", func(t *testing.T) {
			t.Parallel()
			_, made := signed(t, binary)
			err := pack.Verify(public, c.change(t, made))
			if !errors.Is(err, pack.ErrSignature) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error is %v, want one with %q", err, c.says)
			}
		})
	}

	t.Run("the signature of another key is refused, and both are named", func(t *testing.T) {
		t.Parallel()
		_, made := signed(t, binary)
		other, _, err := minisign.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := pack.Verify(other, made.Zip); !errors.Is(err, pack.ErrSignature) || !strings.Contains(err.Error(), "3154534554") {
			t.Errorf("error is %v", err)
		}
	})

	t.Run("packing without a key leaves no signature of an older zip", func(t *testing.T) {
		t.Parallel()
		p, made := signed(t, binary)
		p.Key = nil
		if _, err := p.Pack(dump()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(made.Signature); !os.IsNotExist(err) {
			t.Errorf("the signature: %v", err)
		}
	})

	t.Run("what is signed here is good for the plugin, and what was changed is not", func(t *testing.T) {
		t.Parallel()
		node, err := exec.LookPath("node")
		if err != nil && os.Getenv("ETL_REQUIRE_DOCKER") != "1" {
			t.Skip("the plugin runs in Node.js, which is not here: install nodejs")
		} else if err != nil {
			t.Fatal(err)
		}
		_, made := signed(t, binary)
		const script = `require(process.argv[1]).verifyFile(process.argv[2], process.argv[3])`
		library, err := filepath.Abs("../../deploy/serverless-tencent/lib/minisign.js")
		if err != nil {
			t.Fatal(err)
		}
		check := func() (string, error) {
			out, err := exec.CommandContext(t.Context(), node, "-e", script, library, made.Zip, "testdata/test.pub").CombinedOutput()
			return string(out), err
		}
		if out, err := check(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		write(t, made.Zip, "other", 0o644)
		if out, err := check(); err == nil || !strings.Contains(out, "SignatureError: dump.zip: the file was changed") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func TestReadKey(t *testing.T) {
	t.Parallel()
	t.Run("a key without a password is read without asking", func(t *testing.T) {
		t.Parallel()
		_, key, err := minisign.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		text, err := key.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "key")
		write(t, file, string(text), 0o600)
		got, err := pack.ReadKey(file, func() (string, error) { panic("asked") })
		if err != nil || !got.Equal(key) {
			t.Errorf("%X, %v", got.ID(), err)
		}
	})
	t.Run("a wrong password is an error that does not repeat it", func(t *testing.T) {
		t.Parallel()
		file, _ := testKey(t)
		if _, err := pack.ReadKey(file, password("hunter2")); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("a key that others may read is refused", func(t *testing.T) {
		t.Parallel()
		file, _ := testKey(t)
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := pack.ReadKey(file, password("test")); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("error is %v", err)
		}
	})
	t.Run("a public key is its file or its line", func(t *testing.T) {
		t.Parallel()
		_, public := testKey(t)
		line, err := pack.ReadPublicKey(public.String())
		if err != nil || !line.Equal(public) {
			t.Errorf("%X, %v", line.ID(), err)
		}
		if _, err := pack.ReadPublicKey("testdata/test.key"); err == nil {
			t.Error("a secret key is taken for a public one")
		}
		if _, err := pack.ReadPublicKey("testdata/none"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error is %v", err)
		}
	})
}
