package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf/cost"
)

func bill(t *testing.T, args ...string) cost.Bill {
	t.Helper()
	code, stdout, stderr := etl(t, nil, append([]string{"cost", "-o", "json"}, args...)...)
	var b cost.Bill
	if err := json.Unmarshal([]byte(stdout), &b); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	return b
}

func TestCost(t *testing.T) {
	t.Parallel()
	t.Run("memory and trigger of a function are those of serverless.yml, where no flag says another", func(t *testing.T) {
		t.Parallel()
		one := bill(t, "dump", "--records-per-second", "8", "--duration-ms", "30", "--partitions", "2")
		if f := one.Functions[0]; f.Function != "dump" || f.MemoryMB != 256 || f.Calls != 2*30*86400 {
			t.Errorf("%+v", f)
		}
		other := bill(t, "dump", "--records-per-second", "8", "--duration-ms", "30", "--partitions", "2", "--memory", "512", "--batch", "2", "--batch-seconds", "9")
		if f := other.Functions[0]; f.MemoryMB != 512 || f.Calls != 4*30*86400 {
			t.Errorf("%+v", f)
		}
	})
	t.Run("what etl up has recorded is a month of that", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "invocations.json")
		for range 2 { // it appends
			r, err := openRecorder(file)
			if err != nil {
				t.Fatal(err)
			}
			r.add(emulator.Invocation{Function: "etl-dev-dump", Start: time.Now(), BilledMS: 100, MemoryMB: 256, Payload: []byte("secret"), Log: []byte("secret")})
			if err := r.close(); err != nil {
				t.Fatal(err)
			}
		}
		if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), "c2VjcmV0") || strings.Count(string(text), "\n") != 2 {
			t.Errorf("%v\n%s", err, text)
		}
		b := bill(t, "--invocations", file, "--window", "24h", "--machine-month", "1")
		if f := b.Functions[0]; math.Round(f.Calls) != 60 || math.Abs(f.GBSeconds-60*0.025) > 1e-9 || b.Machine == nil {
			t.Errorf("%+v", b)
		}
		code, _, stderr := etl(t, nil, "cost", "--invocations", file)
		if code != exitFailed || !strings.Contains(stderr, "window") {
			t.Errorf("exit code %d, %s", code, stderr)
		}
	})
	t.Run("the table says where the prices are from, and that a partition falls behind", func(t *testing.T) {
		t.Parallel()
		code, stdout, stderr := etl(t, nil, "cost", "dump", "--records-per-second", "1000", "--duration-ms", "2000", "--egress-share", "1", "--machine-month", "300")
		for _, want := range []string{"mainland China read 20", "CNY", "give --egress-price", "FALLS BEHIND", "a machine of 300.00 a month"} {
			if code != 0 || !strings.Contains(stdout, want) {
				t.Errorf("exit code %d, no %q in\n%s%s", code, want, stdout, stderr)
			}
		}
	})
}
