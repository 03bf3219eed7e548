package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localcos"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// backedUp is a cluster with 40 records of the topic orders, an empty one, a bucket, and the
// environment that names them.
func backedUp(t *testing.T) (source, target *kafka.Client, environ []string) {
	t.Helper()
	clients := [2]*kafka.Client{}
	for i, topics := range []map[string]int32{{"orders": 2}, nil} {
		cluster, err := localkafka.Start(localkafka.Config{Topics: topics})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { cluster.Close() })
		if clients[i], err = kafka.Open(t.Context(), kafka.Config{Brokers: cluster.Brokers(), MetadataTTL: 100 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { clients[i].Close() })
	}
	if _, err := clients[0].Produce(t.Context(), "orders", 0, sample.Plain(40, 100, 1)...); err != nil {
		t.Fatal(err)
	}
	server, err := localcos.New(
		localcos.Config{
			Dir:     t.TempDir(),
			Buckets: []string{"backup-1250000000"},
			Keys:    map[string]localcos.Key{"id": {Secret: secret.New("the-secret-key")}},
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	if err := server.Start("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	return clients[0], clients[1], []string{
		"SOURCE_BROKERS=" + clients[0].Brokers()[0], "TARGET_BROKERS=" + clients[1].Brokers()[0],
		"COS_BUCKET=backup-1250000000", "COS_ENDPOINT=" + server.URL(), "COS_SECRET_ID=id", "COS_SECRET_KEY=the-secret-key",
	}
}

func TestBackup(t *testing.T) {
	t.Parallel()
	source, target, environ := backedUp(t)
	do := func(want int, args ...string) string {
		t.Helper()
		code, stdout, stderr := etl(t, environ, args...)
		if code != want {
			t.Fatalf("etl %v: exit code %d, want %d\n%s%s", args, code, want, stdout, stderr)
		}
		if strings.Contains(stdout+stderr, "the-secret-key") {
			t.Errorf("etl %v shows the key", args)
		}
		return stdout + stderr
	}
	expect := func(got string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(got, part) {
				t.Errorf("%q is not in %s", part, got)
			}
		}
	}

	expect(do(exitFailed, "backup", "list"), "no backup")
	expect(do(exitDone, "backup", "run"), "backup 1", "40 records")
	expect(do(exitDone, "backup", "run"), "nothing new")
	if _, err := source.Produce(t.Context(), "orders", 1, sample.Plain(5, 100, 2)...); err != nil {
		t.Fatal(err)
	}
	expect(do(exitDone, "backup", "run"), "backup 2", "5 records")

	var list []backup.Entry
	if err := json.Unmarshal([]byte(do(exitDone, "backup", "list", "-o", "json")), &list); err != nil ||
		len(list) != 2 ||
		list[0].Records != 40 {
		t.Fatalf("%+v, %v", list, err)
	}
	expect(do(exitDone, "backup", "list"), "BACKUP", "40")
	expect(do(exitDone, "backup", "show"), "orders", "backup 2")
	expect(do(exitFailed, "backup", "show", "7"), "missing")
	expect(do(exitDone, "backup", "verify"), "45 records", "whole")
	expect(do(exitDone, "backup", "verify", "--structure"), "whole")
	expect(do(exitDone, "backup", "drill"), "45 records", "restorable")
	expect(do(exitDone, "backup", "drill", "--target-brokers", target.Brokers()[0]), "restorable")
	topics, err := target.Topics(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		if strings.HasPrefix(topic.Name, "drill.") {
			t.Errorf("the drill has left topic %s behind", topic.Name)
		}
	}

	expect(do(exitDone, "restore", "--plan", "--to-backup", "1"), "0 to 40", "backup 1")
	expect(do(exitDone, "restore", "--to-backup", "1"), "restored 40 records")
	expect(do(exitDone, "restore"), "restored 5 records")
	expect(
		do(exitDone, "restore", "--job", "copy", "--topics", "*:copy.*", "--to-offset", "orders:0:7"),
		"restored 12 records",
	)
	expect(
		do(exitDone, "restore", "--job", "one", "--partition", "orders:1", "--topics", "orders:one", "--groups", "none"),
		"restored 5 records",
	)
	expect(do(exitFailed, "restore", "--plan", "--partition", "orders:1-2"), "orders/2")
	expect(do(exitUsage, "restore", "--partition", "orders:3-1"), "TOPIC:0,3-5")
	expect(do(exitUsage, "restore", "--groups", "("), "--groups")
	expect(do(exitFailed, "restore", "--job", "another"), "holds records already")
	expect(do(exitFailed, "restore", "--plan", "--job", "another"), "CONFLICT")

	folder := filepath.Join(t.TempDir(), "files")
	expect(do(exitDone, "restore", "--to-files", folder), "45 records in 2 files")
	expect(do(exitDone, "restore", "--to-files", folder), "0 records in 0 files", "2 files were there already")
	if text, err := os.ReadFile(filepath.Join(folder, "orders", "1.jsonl")); err != nil ||
		strings.Count(string(text), "\n") != 5 {
		t.Errorf("%s, %v", text, err)
	}

	parquet := []string{"restore", "--to-files", folder, "--format", "parquet", "--partition", "orders:0"}
	expect(do(exitDone, parquet...), "40 records in 1 files")
	expect(do(exitDone, parquet...), "0 records in 0 files", "1 files were there already")
	if text, err := os.ReadFile(filepath.Join(folder, "orders", "0.parquet")); err != nil || !strings.HasPrefix(string(text), "PAR1") {
		t.Errorf("%.10q, %v", text, err)
	}
	expect(do(exitUsage, "restore", "--to-files", folder, "--format", "csv"), "jsonl or parquet")

	expect(do(exitDone, "backup", "prune", "--keep-count", "1"), "would be removed")
	expect(do(exitDone, "backup", "prune", "--keep-count", "1", "--execute"), "were removed")
	expect(do(exitDone, "backup", "verify"), "45 records", "whole")
	expect(do(exitFailed, "restore", "--plan", "--to-backup", "1", "--job", "old"), "no backup")

	environ[len(environ)-1] = "COS_SECRET_KEY=wrong"
	expect(do(exitFailed, "backup", "list"), "access denied")
}
