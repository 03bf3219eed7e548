package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

const (
	wayOurs   = "dataset"
	wayDuckDB = "DuckDB, one thread"
)

// bench measures all cases that are wanted.
func bench(ctx context.Context, o page.Options) (*report, error) {
	r := newReport(o)
	dir, err := os.MkdirTemp("", "bench-dataset-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if o.Cases.MatchString(caseLoad) {
		if err := r.load(ctx, dir); err != nil {
			return nil, fmt.Errorf("%s: %w", caseLoad, err)
		}
	}
	made := false
	for n, q := range questions() {
		if !o.Cases.MatchString(q.name) {
			continue
		}
		if !made {
			fmt.Fprintln(os.Stderr, "write the rows that are asked")
			if _, err := r.child(ctx, "make", dir, max(1, int(float64(scanRows)*o.Scale))); err != nil {
				return nil, err
			}
			made = true
		}
		if err := r.ask(ctx, dir, n, q); err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
	}
	return r, nil
}

// child starts this program for one task.
func (r *report) child(ctx context.Context, task, dir string, number int) (outcome, error) {
	self, err := os.Executable()
	if err != nil {
		return outcome{}, err
	}
	cmd := exec.CommandContext(ctx, self, childCommand, task, dir, strconv.Itoa(number))
	cmd.Env = append(os.Environ(), "PROFILE="+r.options.Profile)
	return result(cmd)
}

func result(cmd *exec.Cmd) (o outcome, err error) {
	out, err := cmd.Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%w\n%s", err, failed.Stderr)
	}
	if err == nil {
		err = json.Unmarshal(out, &o)
	}
	return o, err
}

func (r *report) load(ctx context.Context, dir string) error {
	for round := range r.options.Rounds {
		fmt.Fprintf(os.Stderr, "%s, round %d\n", caseLoad, round+1)
		to := filepath.Join(dir, "load", strconv.Itoa(round))
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
		o, err := r.child(ctx, "load", to, max(1, int(float64(loadRows)*r.options.Scale)))
		if err != nil {
			return err
		}
		r.add(caseLoad, wayOurs, o)
		if err := os.RemoveAll(to); err != nil {
			return err
		}
	}
	return nil
}

func (r *report) ask(ctx context.Context, dir string, number int, q question) error {
	interpreter, err := python(ctx)
	if err != nil {
		return err
	}
	script, err := scriptPath()
	if err != nil {
		return err
	}
	ways := map[string]func() (outcome, error){
		wayOurs: func() (outcome, error) { return r.child(ctx, "query", dir, number) },
		wayDuckDB: func() (outcome, error) {
			return result(exec.CommandContext(ctx, interpreter, script, filepath.Join(dir, "rows"), q.sql))
		},
	}
	for round := range r.options.Rounds {
		fmt.Fprintf(os.Stderr, "%s, round %d\n", q.name, round+1)
		order := []string{wayOurs, wayDuckDB}
		if round%2 == 1 {
			order = []string{wayDuckDB, wayOurs}
		}
		answers := map[string][][]any{}
		for _, way := range order {
			o, err := ways[way]()
			if err != nil {
				return err
			}
			answers[way] = o.Answer
			r.add(q.name, way, o)
		}
		if err := same(answers[wayOurs], answers[wayDuckDB]); err != nil {
			return err
		}
	}
	return nil
}

// same says where two answers differ: numbers by more than a billionth.
func same(ours, theirs [][]any) error {
	if len(ours) != len(theirs) {
		return fmt.Errorf("we have %d rows, DuckDB %d", len(ours), len(theirs))
	}
	for i := range ours {
		for j := range ours[i] {
			a, isNumber := ours[i][j].(float64)
			b, _ := theirs[i][j].(float64)
			if isNumber && math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b)) ||
				!isNumber && fmt.Sprint(ours[i][j]) == fmt.Sprint(theirs[i][j]) {
				continue
			}
			return fmt.Errorf("row %d, column %d: we have %v, DuckDB %v", i, j, ours[i][j], theirs[i][j])
		}
	}
	return nil
}
