package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync/atomic"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// asked is what the COS server was asked for so far, and what that took.
type asked struct {
	Requests   int64   `json:"requests"`
	CPUSeconds float64 `json:"cpuSeconds"`
}

// serveCOS is the COS server: its address on the first line, and then, for each line
// that it reads, what it was asked for. It ends with its input.
func serveCOS(_ context.Context, t task) (outcome, error) {
	var requests atomic.Int64
	server, err := localcos.New(localcos.Config{
		Dir: t.dir, Buckets: []string{bucket},
		Keys:  map[string]localcos.Key{secretID: {Secret: secret.New(secretKey)}},
		Fault: func(*http.Request) *localcos.Fault { requests.Add(1); return nil },
	})
	if err != nil {
		return outcome{}, err
	}
	defer server.Close()
	if err := server.Start("127.0.0.1:0"); err != nil {
		return outcome{}, err
	}
	fmt.Println(server.URL())
	answers := json.NewEncoder(os.Stdout)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		if err := answers.Encode(asked{requests.Load(), page.CPUSeconds()}); err != nil {
			return outcome{}, err
		}
	}
	return outcome{}, nil
}
