package main

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		events []string
		want   string
		ok     bool
	}{
		"a package that passes is one line, whatever it printed": {
			[]string{
				`{"Action":"start","Package":"p"}`,
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"noise\n"}`,
				`{"Action":"pass","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Output":"PASS\n"}`,
				`{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}`,
				`{"Action":"pass","Package":"p"}`,
			},
			"ok  \tp\t0.1s\n\n1 passed, 0 failed, 0 skipped\n", true,
		},
		"skipped tests are listed under their reason": {
			[]string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: no engine: start one\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}`,
				`{"Action":"skip","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestB/x","Output":"    b_test.go:4: no engine: start one\n"}`,
				`{"Action":"skip","Package":"p","Test":"TestB/x"}`,
				`{"Action":"output","Package":"p","Test":"TestC","Output":"    c_test.go:5: \n"}`,
				`{"Action":"skip","Package":"p","Test":"TestC"}`,
				`{"Action":"pass","Package":"p"}`,
			},
			"\nskipped: no engine: start one\n\tp TestA\n\tp TestB/x\n\nskipped: no reason given\n\tp TestC\n" +
				"\n0 passed, 0 failed, 3 skipped\n", true,
		},
		"slow tests are listed, longest first, without those that only wait for their subtests": {
			[]string{
				`{"Action":"pass","Package":"p","Test":"TestA/x","Elapsed":31.5}`,
				`{"Action":"pass","Package":"p","Test":"TestA/y","Elapsed":3}`,
				`{"Action":"pass","Package":"p","Test":"TestA","Elapsed":34.5}`,
				`{"Action":"pass","Package":"p","Test":"TestB","Elapsed":200}`,
				`{"Action":"pass","Package":"p"}`,
			},
			"\nslow, 20 s and more:\n\t  200 s p TestB\n\t   32 s p TestA/x\n\n4 passed, 0 failed, 0 skipped\n", true,
		},
		"a failed test shows what it printed": {
			[]string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: got 1, want 2\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"--- FAIL: TestA (0.00s)\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			"    a_test.go:3: got 1, want 2\n--- FAIL: TestA (0.00s)\nFAIL\tp\t0.1s\n\nfailed: p TestA\n\n0 passed, 1 failed, 0 skipped\n", false,
		},
		"a package that dies shows what its unfinished tests printed": {
			[]string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"panic: ouch\n"}`,
				`{"Action":"output","Package":"p","Output":"exit status 2\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			"panic: ouch\nexit status 2\n\n0 passed, 0 failed, 0 skipped\n", false,
		},
		"a package that hangs ends with the tests that had not ended, without those that waited for them": {
			[]string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"run","Package":"p","Test":"TestB"}`,
				`{"Action":"pause","Package":"p","Test":"TestB"}`,
				`{"Action":"run","Package":"p","Test":"TestC"}`,
				`{"Action":"pause","Package":"p","Test":"TestC"}`,
				`{"Action":"cont","Package":"p","Test":"TestC"}`,
				`{"Action":"run","Package":"p","Test":"TestD"}`,
				`{"Action":"pass","Package":"p","Test":"TestD"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp\t1800s\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			"FAIL\tp\t1800s\n\nnot ended: p TestA\nnot ended: p TestC\n\n1 passed, 0 failed, 0 skipped\n", false,
		},
		"what does not build is a failure with the compiler's words": {
			[]string{
				`{"ImportPath":"p","Action":"build-output","Output":"p/a.go:1: undefined: x\n"}`,
				`{"ImportPath":"p","Action":"build-fail"}`,
			},
			"p/a.go:1: undefined: x\n\n0 passed, 0 failed, 0 skipped\n", false,
		},
		"a run without a package is a failure, go's own words are kept": {
			[]string{"go: no such thing"},
			"go: no such thing\nno package has tests that ran\n\n0 passed, 0 failed, 0 skipped\n", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			result, err := report(strings.NewReader(strings.Join(test.events, "\n")+"\n"), &out)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			if result.ok() != test.ok {
				t.Errorf("ok is %v, want %v", result.ok(), test.ok)
			}
		})
	}

	t.Run("a broken pipe is an error", func(t *testing.T) {
		t.Parallel()
		broken := errors.New("broken")
		if _, err := report(iotest.ErrReader(broken), &strings.Builder{}); !errors.Is(err, broken) {
			t.Errorf("error is %v", err)
		}
	})
}
