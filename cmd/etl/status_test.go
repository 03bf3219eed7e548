package main

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// socketPath is short: a Unix socket's may have some 100 bytes.
func socketPath(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "etl-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return filepath.Join(dir, "s")
}

// serve tells a status on a socket until the test ends.
func serve(t *testing.T, path string, status ...emulator.TriggerStatus) {
	t.Helper()
	stop, err := serveStatus(t.Context(), path, func() []emulator.TriggerStatus { return status })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
}

func trigger(partitions ...emulator.PartitionStatus) emulator.TriggerStatus {
	return emulator.TriggerStatus{Function: "dump", Kind: "ckafka", Topic: "orders", Enabled: true, Partitions: partitions}
}

func partition(state emulator.State, reason string) emulator.PartitionStatus {
	return emulator.PartitionStatus{State: state, Reason: reason}
}

// away is a trigger whose cluster does not answer.
func away() emulator.TriggerStatus {
	status := trigger()
	status.Error = "the cluster is away"
	return status
}

func TestStatus(t *testing.T) {
	t.Parallel()
	closed := trigger()
	closed.Enabled = false
	bucket := emulator.TriggerStatus{Function: "transcode", Kind: "cos", Enabled: true, Error: "not driven here"}
	noon := time.Date(2026, 11, 27, 4, 0, 0, 0, time.UTC)
	timer := func(state emulator.State, a emulator.AsyncStatus) emulator.TriggerStatus {
		return emulator.TriggerStatus{
			Function: "report", Kind: "timer", Name: "hourly", Enabled: true,
			Timer: &emulator.TimerStatus{Cron: "0 0 * * * * *", State: state, Last: noon, Next: noon.Add(time.Hour)}, Async: &a,
		}
	}
	shut := timer(emulator.Stopped, emulator.AsyncStatus{})
	shut.Enabled = false

	for requirement, test := range map[string]struct {
		status emulator.TriggerStatus
		code   int
		says   string
	}{
		"a trigger that polls is driven": {
			trigger(partition(emulator.Polling, "")), exitDone, "polling",
		},
		"a function that fails is driven, with its reason": {
			trigger(partition(emulator.Retrying, "no target")), exitDone, "no target",
		},
		"a closed trigger is no fault": {
			closed, exitDone, "",
		},
		"a trigger of another kind is no fault": {
			bucket, exitDone, "",
		},
		"a timer that waits is driven, with its times in UTC+8 and its counts": {
			timer(emulator.Waiting, emulator.AsyncStatus{Sent: 7, Succeeded: 7, Invocations: 8, Failures: 1}), exitDone,
			"waiting  2026-11-27 12:00:00  2026-11-27 13:00:00  7       8            1       0",
		},
		"a timer that fires never again is no fault": {
			timer(emulator.Finished, emulator.AsyncStatus{}), exitDone, "finished",
		},
		"a closed timer is no fault": {
			shut, exitDone, "stopped",
		},
		"a timer whose events fail is driven, with the reason": {
			timer(emulator.Waiting, emulator.AsyncStatus{Retrying: 1, GivenUp: 2, LastError: "no bucket"}), exitDone,
			"report <- timer hourly: 1 events wait to be sent again, 2 were given up; last: no bucket",
		},
		"a timer that is open and does not run is not driven": {
			timer(emulator.Stopped, emulator.AsyncStatus{}), exitFailed, "NOT DRIVEN report <- timer hourly",
		},
		"a trigger that cannot read is not driven": {
			away(), exitFailed, "NOT DRIVEN dump <- topic orders: the cluster is away",
		},
		"a trigger without a partition is not driven yet": {
			trigger(), exitFailed, "no partition yet",
		},
		"one partition that waits for Kafka is a fault": {
			trigger(partition(emulator.Polling, ""), partition(emulator.BackingOff, "refused")), exitFailed,
			"backing off: refused",
		},
		"a partition that is stalled is a fault, with words": {
			trigger(partition(emulator.Stalled, "too large")), exitFailed, "stalled: too large",
		},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			path := socketPath(t)
			serve(t, path, test.status)
			code, stdout, stderr := etl(t, nil, "status", "--socket", path)
			if code != test.code || !strings.Contains(stdout, test.says) || stderr != "" {
				t.Errorf("exit code %d, want %d and %q\n%s%s", code, test.code, test.says, stdout, stderr)
			}
		})
	}

	t.Run("as JSON it is one document, and the environment names the socket", func(t *testing.T) {
		t.Parallel()
		path := socketPath(t)
		serve(t, path, away())
		code, stdout, _ := etl(t, []string{socketVariable + "=" + path}, "status", "-o", "json")
		var report statusReport
		err := json.Unmarshal([]byte(stdout), &report)
		if err != nil || code != exitFailed || report.Driven || len(report.Faults) != 1 {
			t.Errorf("exit code %d, %v\n%s", code, err, stdout)
		}
	})
	t.Run("without a name it is that of the folder, which etl up serves", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		file := filepath.Join(folder, "serverless.yml")
		if err := os.WriteFile(file, []byte("service: etl\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		a := &app{stderr: io.Discard}
		stop, err := a.tellStatus(t.Context(), socketFlag{}, folder, func() []emulator.TriggerStatus {
			return []emulator.TriggerStatus{trigger(partition(emulator.Polling, ""))}
		})
		if err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := etl(t, nil, "status", "--config", file)
		if code != exitDone || !strings.Contains(stdout, "orders") {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
		stop()
		if code, _, stderr := etl(t, nil, "status", "--config", file); code != exitFailed || !strings.Contains(stderr, "no etl up answers") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	})
	t.Run("a second etl up of one folder leaves the socket to the first, and says so", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		var said strings.Builder
		first, err := (&app{stderr: io.Discard}).tellStatus(t.Context(), socketFlag{}, folder, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer first()
		second, err := (&app{stderr: &said}).tellStatus(t.Context(), socketFlag{}, folder, nil)
		if err != nil || !strings.Contains(said.String(), "--socket") {
			t.Fatalf("error is %v, said %q", err, said.String())
		}
		second()
	})
	t.Run("where nobody answers it is exit code 1 and says what to start", func(t *testing.T) {
		t.Parallel()
		code, _, stderr := etl(t, nil, "status", "--socket", socketPath(t))
		if code != exitFailed || !strings.Contains(stderr, "with the same --socket") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	})
}

func TestSocket(t *testing.T) {
	t.Parallel()
	t.Run("a socket that a killed process has left is replaced", func(t *testing.T) {
		t.Parallel()
		path := socketPath(t)
		left, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
		if err != nil {
			t.Fatal(err)
		}
		left.SetUnlinkOnClose(false)
		left.Close()
		serve(t, path, trigger(partition(emulator.Polling, "")))
		if code, stdout, stderr := etl(t, nil, "status", "--socket", path); code != exitDone {
			t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("a socket that another one answers on is refused and stays", func(t *testing.T) {
		t.Parallel()
		path := socketPath(t)
		serve(t, path, away())
		if _, err := serveStatus(t.Context(), path, nil); err == nil || !strings.Contains(err.Error(), "another etl up") {
			t.Errorf("error is %v", err)
		}
		if code, _, stderr := etl(t, nil, "status", "--socket", path); code != exitFailed || stderr != "" {
			t.Errorf("the first no longer answers: exit code %d, %q", code, stderr)
		}
	})
	t.Run("a file that is no socket is refused and stays", func(t *testing.T) {
		t.Parallel()
		path := socketPath(t)
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := serveStatus(t.Context(), path, nil); err == nil || !strings.Contains(err.Error(), "no socket") {
			t.Errorf("error is %v", err)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "mine" {
			t.Errorf("the file is %q (%v)", text, err)
		}
	})
	t.Run("the end of etl up removes its socket", func(t *testing.T) {
		t.Parallel()
		path := socketPath(t)
		stop, err := serveStatus(t.Context(), path, nil)
		if err != nil {
			t.Fatal(err)
		}
		stop()
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("the socket is still there (%v)", err)
		}
	})
}
