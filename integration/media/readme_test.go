package media_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// TestReadme runs the commands of functions/transcode/README.md, with the ports that they name.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("takes the ports of serverless.yml, left out by -short: make integration")
	}
	require(t)
	bin := filepath.Join(built.dir, "etl")
	if err := build(t.Context(), "../../cmd/etl", bin); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../functions/transcode/README.md")
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	here := t.TempDir()
	var up *exec.Cmd
	said := &output{}
	ran := 0
	for _, line := range commands(string(text)) {
		command := shell(t.Context(), bin, here, line)
		switch {
		case strings.Contains(line, "etl up"):
			command.Dir = root // as everything of a reader, who is in the folder of serverless.yml
			command.Stdout, command.Stderr = said, said
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			up = command
			await(t, "the function to be there", func() (bool, any) { return strings.Contains(said.String(), "deployed in"), said.String() })
		case strings.Contains(line, "etl cos list"):
			await(t, line, func() (bool, any) {
				out, _ := shell(t.Context(), bin, here, line).CombinedOutput()
				return strings.Contains(string(out), "clip.mp4/h264-720p.mp4") && strings.Contains(string(out), "clip.mp4/thumbnail.jpg"), string(out)
			})
		case up != nil: // it takes its time to be there
			await(t, line, func() (bool, any) {
				out, err := shell(t.Context(), bin, here, line).CombinedOutput()
				return err == nil, string(out)
			})
		default:
			if out, err := command.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
		}
		ran++
	}
	if up == nil || ran != 6 {
		t.Fatalf("%d commands were run", ran)
	}
	await(t, "what the message asks for", func() (bool, any) {
		out, _ := shell(t.Context(), bin, here, "etl cos list media-1250000000/transcoded/").CombinedOutput()
		return strings.Contains(string(out), "clip.mp4/gif.gif") && strings.Contains(string(out), "transcoded/sound.mp3"), string(out)
	})
	for _, made := range []string{"h264-720p.mp4", "thumbnail.jpg", "hls-720p/index.m3u8"} {
		if _, err := os.Stat(filepath.Join(here, "made", "clip.mp4", made)); err != nil {
			t.Error(err)
		}
	}
	if err := up.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := up.Wait(); err != nil {
		t.Errorf("etl up: %v\n%s", err, said.String())
	}
}

// output is what a process has said so far.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// commands are those of the blocks for a shell, without comments.
func commands(text string) []string {
	var all []string
	inside := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "```sh":
			inside = true
		case line == "```":
			inside = false
		case inside && line != "":
			command, _, _ := strings.Cut(line, "     #")
			all = append(all, strings.TrimSpace(command))
		}
	}
	return all
}

// shell runs a line as a reader does, with the built etl as a command.
func shell(ctx context.Context, bin, dir, line string) *exec.Cmd {
	if strings.HasPrefix(line, "TRANSCODE=") {
		line = "exec env " + line // a signal is for etl, and not for the shell
	}
	command := exec.CommandContext(ctx, "sh", "-c", line)
	command.Dir = dir
	command.Env = append(os.Environ(), "PATH="+filepath.Dir(bin)+":"+os.Getenv("PATH"), "COS_DIR="+filepath.Join(dir, "cos"),
		"XDG_CACHE_HOME="+cache())
	return command
}

// cache is that of the user, where Go has what it has built.
func cache() string {
	dir, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return dir
}
