package media_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the function and kills it, left out by -short: make integration")
	}

	t.Run("kill -9 in the middle of jobs, redelivered: each output once, and nothing left", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, map[string]string{"SPLIT_OVER": "3s", "PIECE_LENGTH": "2s"})
		folder := t.TempDir()
		short, long := filepath.Join(folder, "short.mkv"), filepath.Join(folder, "long.mkv")
		clip(t, short, 2)
		clip(t, long, 6)
		content := func(path string) []byte {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		w.put("in/long.mkv", content(long)) // no trigger: the message is what asks for it
		w.put("in/short.mkv", content(short))
		w.send(0, `{"input":"in/long.mkv","outputs":["h264-720p"]}`)
		w.send(1, `{"input":"in/short.mkv","outputs":["hls-720p","gif"]}`)
		w.put("media/object.mkv", content(short))

		const kills = 6
		killed := map[int]bool{}
		await(t, "kills that hit a job", func() (bool, any) {
			for _, parent := range w.encoders() {
				if !killed[parent] && len(killed) < kills {
					w.kill(parent)
					killed[parent] = true
				}
			}
			return len(killed) == kills, len(killed)
		})
		await(t, "all outputs, and nothing else", func() (bool, any) {
			keys := slices.Sorted(maps.Keys(w.keys()))
			names := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return strings.Contains(key, "/segments/") })
			return slices.Equal(names, []string{
				"transcoded/in/long.mkv/h264-720p.mp4", "transcoded/in/short.mkv/gif.gif", "transcoded/in/short.mkv/hls-720p/index.m3u8",
				"transcoded/media/object.mkv/thumbnail.jpg",
			}) && len(keys) == len(names)+1, keys
		})
		before := w.keys()
		w.send(0, `{"input":"in/long.mkv","outputs":["h264-720p"]}`) // once more
		w.put("in/last.mkv", content(short))
		w.send(0, `{"input":"in/last.mkv","outputs":["thumbnail"]}`)
		await(t, "the job behind it", func() (bool, any) {
			keys := w.keys()
			_, ok := keys["transcoded/in/last.mkv/thumbnail.jpg"]
			delete(keys, "transcoded/in/last.mkv/thumbnail.jpg")
			return ok && maps.Equal(keys, before), keys
		})
		if left := w.encoders(); len(left) > 0 {
			t.Errorf("FFmpeg still runs: %v", left)
		}
		err := filepath.WalkDir(w.dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && strings.HasPrefix(entry.Name(), "etl-media-") {
				t.Errorf("temporary files are left: %s", path)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
