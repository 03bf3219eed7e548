package kafkatest_test

import (
	"os"
	"testing"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

var clusters kafkatest.Shared

func TestMain(m *testing.M) { os.Exit(clusters.Run(m)) }
