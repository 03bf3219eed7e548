package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Command is one thing that the probe does; fields that are not set do nothing.
type Command struct {
	Print   string
	Stderr  string
	SleepMS int    // whatever the deadline says
	Until   string // wait until this file is there
	HoldMB  int    // memory, for good
	Files   bool
	Unset   string // a variable of the environment
	Spawn   bool   // a descendant that lives on
	Write   string // a file, from the working directory on
	Keep    string // a file with this content in TMPDIR
	Respond int    // bytes instead of an answer
	Answer  string // instead of an answer
	Error   string
	Panic   string
	Exit    int // with this code
	Kill    bool
	Garbage bool
	Huge    bool // announce a response of gigabytes
	Hangup  bool
	Later   string // print this some time after the answer
}

// custom is an error type with a name of its own.
type custom struct{ text string }

func (c custom) Error() string { return c.text }

func (h *handler) obey(c Command, a *Answer) (response []byte, err error) {
	switch {
	case c.Print != "":
		fmt.Println(c.Print)
	case c.Stderr != "":
		fmt.Fprintln(os.Stderr, c.Stderr)
	case c.SleepMS > 0:
		time.Sleep(time.Duration(c.SleepMS) * time.Millisecond)
	case c.Until != "":
		for missing := true; missing; {
			time.Sleep(2 * time.Millisecond)
			_, err := os.Stat(c.Until)
			missing = err != nil
		}
	case c.HoldMB > 0:
		h.hold(c.HoldMB)
	case c.Unset != "":
		err = os.Unsetenv(c.Unset)
	case c.Files:
		a.Files = openFiles()
	case c.Spawn:
		a.Descendant, err = spawn()
	case c.Write != "":
		err = os.WriteFile(c.Write, nil, 0o644)
	case c.Keep != "":
		err = os.WriteFile(filepath.Join(os.TempDir(), "kept"), []byte(c.Keep), 0o644)
	case c.Answer != "":
		return []byte(c.Answer), nil
	case c.Respond > 0:
		return []byte(`"` + strings.Repeat("x", c.Respond-2) + `"`), nil
	case c.Error == "custom":
		return nil, custom{c.Error}
	case c.Error != "":
		return nil, errors.New(c.Error)
	case c.Panic != "":
		panic(c.Panic)
	case c.Exit > 0:
		os.Exit(c.Exit)
	case c.Later != "":
		time.AfterFunc(20*time.Millisecond, func() { fmt.Println(c.Later) })
	default:
		err = h.misbehave(c)
	}
	return nil, err
}

func (h *handler) misbehave(c Command) error {
	switch {
	case c.Kill:
		self, err := os.FindProcess(os.Getpid())
		if err != nil {
			return err
		}
		if err := self.Kill(); err != nil {
			return err
		}
	case c.Garbage:
		h.relay.write([]byte(strings.Repeat("HTTP/1.1 400 Bad Request\r\n", 40)))
	case c.Huge:
		h.relay.write([]byte{0xfb, 0x01, 0x00, 0x00, 0x00, 0x00}) // gob: a message of 4 GB
	case c.Hangup:
		h.relay.hangUp()
	default:
		return nil
	}
	time.Sleep(time.Hour)
	return nil
}

// hold takes memory and writes to it, so that it is really there.
func (h *handler) hold(mb int) {
	for range mb {
		b := make([]byte, 1<<20)
		for i := 0; i < len(b); i += 512 {
			b[i] = 1
		}
		h.held = append(h.held, b)
	}
}

// openFiles counts how many files can be opened, at most 5000.
func openFiles() int {
	var files []*os.File
	for len(files) < 5000 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			break
		}
		files = append(files, f)
	}
	for _, f := range files {
		_ = f.Close()
	}
	return len(files)
}

func spawn() (pid int, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	cmd := exec.Command(self, "descendant")
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}
