package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"aead.dev/minisign"
)

// fileComment begins the trusted comment of a signature, before the name of the
// file that was signed, as minisign itself writes it.
const fileComment = "file:"

// sign gives the signature of a file. It has no time in it, so that it depends on
// the file, its name and the key alone. The name is signed too: the zip of one
// function is none for another.
func sign(key minisign.PrivateKey, name string, content []byte) []byte {
	reader := minisign.NewReader(bytes.NewReader(content))
	_, _ = io.Copy(io.Discard, reader) // why: reading what is in memory does not fail
	return reader.SignWithComments(key, fileComment+name+"\thashed", fmt.Sprintf("signature from minisign key %X", key.ID()))
}

// ErrSignature says that a zip is not what the holder of the key has signed.
var ErrSignature = errors.New("the signature is not good")

// Verify checks the signature beside a zip. An error wraps [ErrSignature], or
// says which file cannot be read.
func Verify(key minisign.PublicKey, zip string) error {
	content, err := os.ReadFile(zip)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(zip + SignatureSuffix)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s: %w: there is none, sign with etl package --sign-key", zip, ErrSignature)
	} else if err != nil {
		return err
	}
	var signature minisign.Signature
	if err := signature.UnmarshalText(text); err != nil {
		return fmt.Errorf("%s: %w: %w", zip, ErrSignature, err)
	}
	if signature.KeyID != key.ID() {
		return fmt.Errorf("%s: %w: key %X has made it, and not %X", zip, ErrSignature, signature.KeyID, key.ID())
	}
	if !minisign.Verify(key, content, text) {
		return fmt.Errorf("%s: %w: the zip was changed after it was signed", zip, ErrSignature)
	}
	if name, ok := signedName(signature.TrustedComment); !ok || name != filepath.Base(zip) {
		return fmt.Errorf("%s: %w: it was made for %q", zip, ErrSignature, name)
	}
	return nil
}

// signedName reads the name of the file from a trusted comment: fields, with tabs between them.
func signedName(comment string) (string, bool) {
	for field := range strings.SplitSeq(comment, "\t") {
		if name, ok := strings.CutPrefix(field, fileComment); ok {
			return name, true
		}
	}
	return "", false
}

// ReadKey reads a secret key of minisign. password is asked where it is encrypted,
// and never otherwise. A file that others on the machine may read is refused.
func ReadKey(file string, password func() (string, error)) (minisign.PrivateKey, error) {
	var key minisign.PrivateKey
	info, err := os.Stat(file)
	if err != nil {
		return key, fmt.Errorf("read the key to sign with: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return key, fmt.Errorf("key %s can be read by others: chmod 600 it", file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return key, fmt.Errorf("read the key to sign with: %w", err)
	}
	if !minisign.IsEncrypted(text) {
		if err := key.UnmarshalText(text); err != nil {
			return key, fmt.Errorf("%s is no secret key of minisign: %w", file, err)
		}
		return key, nil
	}
	secret, err := password()
	if err != nil {
		return key, fmt.Errorf("password of key %s: %w", file, err)
	}
	if key, err = minisign.DecryptKey(secret, text); err != nil {
		return key, fmt.Errorf("key %s: the password is wrong, or the file is damaged", file)
	}
	return key, nil
}

// ReadPublicKey reads a public key of minisign: from a file, or from its one line
// of base64, which begins with RW.
func ReadPublicKey(fileOrKey string) (minisign.PublicKey, error) {
	var key minisign.PublicKey
	text := []byte(fileOrKey)
	if !strings.HasPrefix(fileOrKey, "RW") || len(fileOrKey) != publicKeyLength {
		var err error
		if text, err = os.ReadFile(fileOrKey); err != nil {
			return key, fmt.Errorf("read the public key: %w", err)
		}
	}
	if err := key.UnmarshalText([]byte(strings.TrimSpace(string(text)))); err != nil {
		return key, fmt.Errorf("%.100s is no public key of minisign: %w", fileOrKey, err)
	}
	return key, nil
}

// publicKeyLength is the length of a public key in base64.
const publicKeyLength = 56
