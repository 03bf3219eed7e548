package scaffold_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scaffold"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

var update = flag.Bool("update", false, "write the catalogue in functions/README.md anew")

func TestCatalogue(t *testing.T) {
	t.Parallel()
	t.Run("functions/README.md lists the functions of serverless.yml", func(t *testing.T) {
		t.Parallel()
		const page = "../../functions/README.md"
		service, err := scf.Load("../../serverless.yml", scf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		want, ok := scaffold.WithCatalogue(string(text), scaffold.Catalogue(service))
		switch {
		case !ok:
			t.Fatal("it has no place for them")
		case *update:
			if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		case want != string(text):
			t.Errorf("it is out of date, run go test ./pkg/scaffold -update (-want +got):\n%s", cmp.Diff(want, string(text)))
		}
	})
	t.Run("a bar in a description does not end its column", func(t *testing.T) {
		t.Parallel()
		service := &scf.Service{Functions: []scf.Function{{
			Key: "a", Description: "a|b", Events: []scf.Trigger{{Timer: &scf.TimerTrigger{}}, {Kafka: &scf.KafkaTrigger{}}},
		}}}
		want := "| Function | Trigger | What it does |\n|---|---|---|\n| [a](a) | timer, ckafka | a\\|b |\n"
		if got := scaffold.Catalogue(service); got != want {
			t.Errorf("got\n%s", got)
		}
	})
}
