// Command backup measures backup and restore on real Kafka and a local COS server
// beside what no backup can be faster than, a raw fetch and a raw produce, in one run.
// README.md of integration/bench says what is measured, how, and what is not fair in it.
//
//	go run ./integration/bench/backup [-cases '1p.*none'] [-rounds 3] [-scale 1] [-profile DIR]
package main

import (
	"context"
	"os"

	"github.com/scf-etl/scf-etl/integration/bench/internal/page"
)

func main() { page.Main("backup", command) }

func command(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == childCommand {
		return child(ctx, args[1:])
	}
	o, err := page.ParseOptions("backup", "multiplies the bytes of each case", args)
	if err != nil {
		return err
	}
	report, err := bench(ctx, o)
	if err != nil || report.empty() {
		return err
	}
	if o.Write != "" {
		if err := page.Write(o.Write, page.Backups, report.render(true)); err != nil {
			return err
		}
	}
	_, err = os.Stdout.WriteString(report.render(false))
	return err
}
