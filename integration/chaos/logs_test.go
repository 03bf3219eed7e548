package chaos_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

// schedule logs lines with their time to the test and to dir/schedule.log.
func schedule(t *testing.T, dir string) func(format string, values ...any) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "schedule.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return func(format string, values ...any) {
		line := time.Now().Format("15:04:05.000 ") + fmt.Sprintf(format, values...)
		t.Log(line)
		fmt.Fprintln(file, line)
	}
}

func keepLogs(t *testing.T, dir string, brokers kafkatest.Pair) {
	for name, cluster := range map[string]*kafkatest.Cluster{"source.log": brokers.Source, "target.log": brokers.Target} {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		text, err := cluster.Logs(ctx)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
		}
		if err != nil {
			t.Error(err)
		}
	}
	platform, err := os.Open(filepath.Join(dir, "platform.log"))
	if err != nil {
		return // it was not started
	}
	defer platform.Close()
	if size, err := platform.Seek(0, io.SeekEnd); err == nil {
		_, _ = platform.Seek(max(0, size-8<<10), io.SeekStart)
	}
	if end, err := io.ReadAll(platform); err == nil {
		t.Logf("the end of platform.log:\n%s", end)
	}
}
