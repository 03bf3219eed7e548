package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The copiers: the first is what all others are compared with.
const (
	engine    = "mirror"
	unchecked = "unchecked"
	follower  = "follow"
	platform  = "platform"
	cleaner   = "clean"
	franz     = "franz"
	kafkaGo   = "kafka-go"

	// What the engine cannot be faster than: they copy nothing.
	fetchOnly   = "fetch"
	produceOnly = "produce"

	verify = "verify" // compares what was copied
)

// copierNames are all copiers, in the order of the table.
func copierNames() []string {
	return []string{engine, unchecked, follower, platform, cleaner, franz, kafkaGo, mirrorMaker, fetchOnly, produceOnly, verify}
}

// measure is one run of one copier.
type measure struct {
	Records    int64   `json:"records"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpuSeconds"` // user and system, of the whole process
	// WorkingCPUSeconds is CPUSeconds without the start, where it was measured.
	WorkingCPUSeconds float64 `json:"workingCpuSeconds,omitempty"`
	RSSBytes          int64   `json:"rssBytes"` // peak
	MapBytes          int64   `json:"mapBytes,omitempty"`
}

// takesPart says whether a copier is measured in a scenario by default, in a
// round.
func (s scenario) takesPart(copier string, round int) bool {
	switch copier {
	case engine, franz, kafkaGo, fetchOnly, produceOnly:
		return !s.Few || slices.Contains(s.Also, copier)
	case mirrorMaker:
		return slices.Contains(s.Also, copier) && round == 0
	}
	return slices.Contains(s.Also, copier)
}

// trial is one copier copying one topic.
type trial struct {
	*bencher
	scenario
	copier   string
	round    int
	from, to string
}

// cleanRules are those of the function clean: the records of a case are lines of
// JSON, and each becomes another one.
const (
	cleanRulesFile = "rules.yaml"
	cleanRules     = `version: 1
rules:
- parse: json
- filter: status >= 200
- mask: {fields: [text], find: [ip, email, phone]}
- set: {source: {from: topic}}
`
)

// measure runs the copier as a process of its own.
func (t trial) measure(ctx context.Context) (measure, error) {
	if t.copier == mirrorMaker {
		return t.mirrorMakerOnce(ctx)
	}
	arguments := []string{
		t.copier, "-source", t.sourceBroker, "-target", t.targetBroker, "-from", t.from, "-to", t.to, "-id", t.to,
		"-partitions", strconv.Itoa(t.Partitions), "-records", strconv.FormatInt(t.Records, 10),
		"-codec", t.Codec.String(), "-code", filepath.Join(t.dir, "dump"),
	}
	if t.copier == cleaner {
		arguments = append(arguments, "-code", filepath.Join(t.dir, "clean"), "-rules", filepath.Join(t.dir, cleanRulesFile))
	}
	if t.options.profile != "" {
		name := fmt.Sprintf("%s %s %d.pprof", t.copier, t.scenario.name(), t.round+1)
		arguments = append(arguments, "-profile", filepath.Join(t.options.profile, strings.ReplaceAll(name, " ", "-")))
	}
	command := exec.CommandContext(ctx, filepath.Join(t.dir, "copier"), arguments...)
	var stdout bytes.Buffer
	command.Stdout, command.Stderr = &stdout, os.Stderr
	if err := command.Run(); err != nil {
		return measure{}, err
	}
	m := measure{CPUSeconds: (command.ProcessState.UserTime() + command.ProcessState.SystemTime()).Seconds()}
	return m, json.Unmarshal(stdout.Bytes(), &m)
}
