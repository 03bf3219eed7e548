// Command dataset measures how fast JSON lines become Parquet, and questions about Parquet beside DuckDB on one
// thread, in one run. README.md of integration/bench says what is measured, how, and what is not fair in it.
//
//	go run ./integration/bench/dataset [-cases load] [-rounds 3] [-scale 1] [-profile DIR]
//
// It needs Python 3 with the packages of integration/dataset/testdata/requirements.txt: PYTHON names an interpreter
// that has them; without one it makes a virtual environment in the user's cache.
package main

import (
	"context"
	"os"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

func main() { page.Main("dataset", command) }

func command(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == childCommand {
		return child(ctx, args[1:])
	}
	o, err := page.ParseOptions("dataset", "multiplies the rows of each case", args)
	if err != nil {
		return err
	}
	report, err := bench(ctx, o)
	if err != nil || report.empty() {
		return err
	}
	if o.Write != "" {
		if err := page.Write(o.Write, page.Datasets, report.render(true)); err != nil {
			return err
		}
	}
	_, err = os.Stdout.WriteString(report.render(false))
	return err
}
