package extract

import (
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	servers.postgres.stop()
	servers.mariadb.stop()
	os.Exit(code)
}
