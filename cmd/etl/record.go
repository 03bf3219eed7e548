package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/scf-etl/scf-etl/pkg/emulator"
)

// recorder writes invocations into a file, a line of JSON each, for etl cost and
// others. nil records nothing. It is not for several goroutines at once.
type recorder struct {
	file  *os.File
	fault error
}

// openRecorder opens a file to append to; "" is nil.
func openRecorder(path string) (*recorder, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("record the invocations: %w", err)
	}
	return &recorder{file: file}, nil
}

// add writes one, without what the function was given, said and logged.
func (r *recorder) add(i emulator.Invocation) {
	if r == nil || r.fault != nil {
		return
	}
	i.Payload, i.Log, i.InitLog = nil, nil, nil
	line, err := json.Marshal(i)
	if err == nil {
		_, err = r.file.Write(append(line, '\n'))
	}
	r.fault = err
}

// close tells of the first line that could not be written, too.
func (r *recorder) close() error {
	if r == nil {
		return nil
	}
	if err := errors.Join(r.fault, r.file.Close()); err != nil {
		return fmt.Errorf("record the invocations in %s: %w", r.file.Name(), err)
	}
	return nil
}
