package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// measure is one run of one copier.
type measure struct {
	Records    int64   `json:"records"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpuSeconds"` // user and system, of the whole process
	RSSBytes   int64   `json:"rssBytes"`   // peak
}

// engine is the copier that all others are compared with.
const engine = "mirror"

// The two limits of the engine: what it cannot be faster than.
const (
	fetchOnly   = "fetch"
	produceOnly = "produce"
)

// copierNames are all copiers, in the order of the table.
func copierNames() []string {
	return []string{engine, "franz", fetchOnly, produceOnly}
}

// takesPart says whether a copier is measured in a scenario by default.
func (s scenario) takesPart(string) bool { return true }

// trial is one copier copying one topic.
type trial struct {
	*bencher
	scenario
	copier   string
	round    int
	from, to string
}

// measure runs the copier as a process of its own.
func (r trial) measure(ctx context.Context) (measure, error) {
	arguments := []string{
		r.copier, "-source", r.sourceBroker, "-target", r.targetBroker, "-from", r.from, "-to", r.to, "-id", r.to,
		"-partitions", strconv.Itoa(r.Partitions), "-records", strconv.FormatInt(r.Records, 10), "-codec", r.Codec.String(),
	}
	if r.options.profile != "" {
		name := fmt.Sprintf("%s %s %d.pprof", r.copier, r.scenario.name(), r.round)
		arguments = append(arguments, "-profile", filepath.Join(r.options.profile, strings.ReplaceAll(name, " ", "-")))
	}
	command := exec.CommandContext(ctx, filepath.Join(r.dir, "copier"), arguments...)
	var stdout bytes.Buffer
	command.Stdout, command.Stderr = &stdout, os.Stderr
	if err := command.Run(); err != nil {
		return measure{}, err
	}
	m := used(command.ProcessState)
	return m, json.Unmarshal(stdout.Bytes(), &m)
}

// used is what an ended process, and the children that it has waited for, took.
func used(p *os.ProcessState) measure {
	m := measure{CPUSeconds: (p.UserTime() + p.SystemTime()).Seconds()}
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		m.RSSBytes = usage.Maxrss << 10 // Linux counts in KiB
	}
	return m
}
