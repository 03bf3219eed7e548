package localkafka_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// childDir, where set, makes this test binary a process that only runs brokers,
// so that a test can kill it with signal 9.
const childDir = "LOCALKAFKA_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		runChild(dir)
		return
	}
	os.Exit(m.Run())
}

func runChild(dir string) {
	c, err := localkafka.Start(localkafka.Config{Dir: dir, Topics: map[string]int32{"t": 1}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(c.Brokers()[0])
	// why: ends with the parent, also where the test fails before the kill.
	_, _ = os.Stdin.Read(make([]byte, 1))
}
