package fn_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	type config struct {
		Count    int           `env:"COUNT" envDefault:"3"`
		Size     int           `env:"SIZE"`
		Password secret.String `env:"PASSWORD"`
	}
	t.Run("every fault has its key, what can be read is there, and no secret is shown", func(t *testing.T) {
		t.Parallel()
		got, faults := fn.Check[config](map[string]string{"SIZE": "correct horse battery", "PASSWORD": "correct horse battery"})
		if got.Count != 3 || len(faults) != 1 || faults[0].Key != "SIZE" {
			t.Errorf("got %+v, faults %v", got, faults)
		}
		if strings.Contains(fmt.Sprint(faults), "correct horse battery") {
			t.Errorf("a secret is shown: %v", faults)
		}
	})
}
