package chaos_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// platform is `etl up` as a process of its own, with the function dump below it.
type platform struct {
	dir     string
	log     *os.File
	command *exec.Cmd
	ended   chan struct{} // closed when the process is gone
}

const topic, job = "chaos", "chaos"

// service is the serverless.yml of a run: as the project's own, with an event
// that fails sent again soon, and clients that give up on a silent broker soon.
const service = `service: chaos
configValidationMode: error
provider:
  name: tencent
  runtime: Go1
  region: ap-guangzhou
  vpcConfig: {vpcId: vpc-local, subnetId: subnet-local}
functions:
  dump:
    handler: main
    binary: bin/dump
    memorySize: 256
    timeout: 60
    environment:
      JOB: %[1]s
      START: earliest
      CHUNK_BYTES: %[5]d
      TRANSACTION_BYTES: %[6]d
      SOURCE_BROKERS: %[3]s
      SOURCE_REQUEST_TIMEOUT: 5s
      TARGET_BROKERS: %[4]s
      TARGET_REQUEST_TIMEOUT: 5s
    events:
      - ckafka:
          instanceId: ckafka-source
          topic: %[2]s
          consumerGroupName: etl-%[1]s
          offset: earliest
          maxMsgNum: %[7]d
          timeOut: 1
          retry: 10000
          enable: true
custom:
  local:
    retryInterval: 50ms
    ckafka:
      - instanceId: ckafka-source
        brokers: %[3]s
`

// Events are small, so that there are many, and so are chunks and transactions:
// an event is about three chunks in two transactions.
const (
	eventRecords     = 800
	chunkBytes       = 40 << 10
	transactionBytes = 64 << 10
)

// newPlatform writes the settings of a platform whose binaries are in dir/bin.
// Its output goes to dir/platform.log.
func newPlatform(t *testing.T, dir, source, target string) *platform {
	t.Helper()
	err := os.WriteFile(filepath.Join(dir, "serverless.yml"), fmt.Appendf(nil, service, job, topic, source, target,
		chunkBytes, transactionBytes, eventRecords), 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(dir, "platform.log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &platform{dir: dir, log: log}
	t.Cleanup(func() {
		p.kill()
		log.Close()
	})
	return p
}

// start starts the process and does not wait for what it does.
func (p *platform) start() error {
	p.command = exec.Command(filepath.Join(p.dir, "bin", "etl"), "up", "--prebuilt", "--config", filepath.Join(p.dir, "serverless.yml"))
	p.command.Env = append(os.Environ(), "TMPDIR="+filepath.Join(p.dir, "tmp"))
	p.command.Stdout, p.command.Stderr = p.log, p.log
	if err := p.command.Start(); err != nil {
		return fmt.Errorf("start etl up: %w", err)
	}
	ended, command := make(chan struct{}), p.command
	go func() {
		_ = command.Wait() // how it has ended is in its state
		close(ended)
	}()
	p.ended = ended
	return nil
}

// check says whether the process has ended by itself.
func (p *platform) check() error {
	select {
	case <-p.ended:
		return fmt.Errorf("etl up has ended by itself: %v", p.command.ProcessState)
	default:
		return nil
	}
}

// kill ends the process, stopped or not, and returns when it is gone.
func (p *platform) kill() {
	if p.command != nil {
		_ = p.command.Process.Kill() // it may be gone
		<-p.ended
	}
}

// stop ends the process as Ctrl-C does.
func (p *platform) stop() error {
	if err := p.command.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		return fmt.Errorf("etl up has not ended %v after an interrupt", patience)
	}
	if !p.command.ProcessState.Success() {
		return fmt.Errorf("etl up after an interrupt: %v", p.command.ProcessState)
	}
	return nil
}

// functions lists the processes of functions: those whose binary is below the
// platform's temporary folder.
func (p *platform) functions() ([]int, error) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return nil, err
	}
	if len(links) == 0 {
		return nil, errors.New("needs /proc to find the function's processes")
	}
	var pids []int
	for _, link := range links {
		binary, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(binary, filepath.Join(p.dir, "tmp")+"/") {
			continue // ended, or somebody else's
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// signal is false where the process has just ended.
func signal(pid int, s syscall.Signal) (bool, error) {
	err := syscall.Kill(pid, s)
	if errors.Is(err, syscall.ESRCH) {
		return false, nil
	}
	return err == nil, err
}
