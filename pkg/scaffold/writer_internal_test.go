package scaffold

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestWriter(t *testing.T) {
	t.Parallel()

	t.Run("takes back what is in its place already where the rest cannot be put there", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		page, folder := filepath.Join(dir, "page"), filepath.Join(dir, "functions", "new")
		if err := os.WriteFile(page, []byte("old"), 0o640); err != nil {
			t.Fatal(err)
		}
		var w writer
		_, err := w.replace(page, []byte("old"), "new")
		if err := errors.Join(err, w.addFolder(folder, []File{{Path: "a/b", Text: []byte("text")}})); err != nil {
			t.Fatal(err)
		}
		// somebody else is faster
		if err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, "theirs"), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
		err = w.commit()
		if err == nil {
			t.Fatal("no error")
		}
		if text, _ := os.ReadFile(page); string(text) != "new" {
			t.Fatalf("the page is %q before it is taken back", text)
		}
		_ = w.end(err) // it cannot remove functions, which is not its own any more
		if text, err := os.ReadFile(page); err != nil || string(text) != "old" {
			t.Errorf("the page is %q (%v), want what it was", text, err)
		}
		if _, err := os.Stat(filepath.Join(folder, "theirs")); err != nil {
			t.Errorf("what is somebody else's is gone: %v", err)
		}
		left, err := filepath.Glob(filepath.Join(dir, "*", ".new-*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left over are %v (%v)", left, err)
		}
	})
}
