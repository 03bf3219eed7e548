package backup_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

const hostileCluster = "cluster"

// manifestKey is that of the first manifest.
const manifestKey = hostileCluster + "/manifests/999999999998-1.json"

// hostile is a backup whose one manifest is a document.
func hostile(t testing.TB, document any) *backup.Chain {
	t.Helper()
	data, err := backup.Seal(document)
	if err != nil {
		t.Skip("no JSON")
	}
	store := newMemory()
	store.objects[manifestKey] = data
	opened, err := backup.OpenChain(store, "", hostileCluster)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func goodManifest() backup.Manifest {
	digest := strings.Repeat("0", 64)
	return backup.Manifest{
		Kind: "manifest", Version: 1, Cluster: hostileCluster, Sequence: 1, Oldest: 1, Time: 1000,
		Topics: []backup.Topic{
			{Name: "t", Lineage: "0.1", Partitions: []backup.Partition{{Next: 10, End: 10, Segments: []backup.Segment{{
				Next: 10, Log: backup.Sum{Bytes: 100, SHA256: digest}, Object: backup.Sum{Bytes: 100, SHA256: digest}, Records: 10, Content: digest,
			}}}}},
		},
	}
}

func TestHostileManifests(t *testing.T) {
	t.Parallel()
	if _, err := hostile(t, goodManifest()).Newest(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(m *backup.Manifest){
		"a topic that leads out of the folder":  func(m *backup.Manifest) { m.Topics[0].Name = "../../etc" },
		"a topic that is the folder above":      func(m *backup.Manifest) { m.Topics[0].Name = ".." },
		"a topic without a name":                func(m *backup.Manifest) { m.Topics[0].Name = "" },
		"an absolute topic":                     func(m *backup.Manifest) { m.Topics[0].Name = "/etc" },
		"a lineage that is a path":              func(m *backup.Manifest) { m.Topics[0].Lineage = "../x" },
		"a partition below 0":                   func(m *backup.Manifest) { m.Topics[0].Partitions[0].Number = -1 },
		"a partition beyond all":                func(m *backup.Manifest) { m.Topics[0].Partitions[0].Number = 1 << 30 },
		"a segment of the size of the universe": func(m *backup.Manifest) { m.Topics[0].Partitions[0].Segments[0].Object.Bytes = 1 << 60 },
		"a segment that ends before it begins":  func(m *backup.Manifest) { m.Topics[0].Partitions[0].Segments[0].First = 20 },
		"a digest that is a path": func(m *backup.Manifest) {
			m.Topics[0].Partitions[0].Segments[0].Log.SHA256 = "../../../../../../etc/passwd"
		},
		"an encoding that nobody knows":     func(m *backup.Manifest) { m.Topics[0].Partitions[0].Segments[0].Encoding = "/../x" },
		"another cluster's":                 func(m *backup.Manifest) { m.Cluster = "other" },
		"another number than its key":       func(m *backup.Manifest) { m.Sequence = 7 },
		"a version that is to come":         func(m *backup.Manifest) { m.Version = 2 },
		"a chain that begins behind itself": func(m *backup.Manifest) { m.Oldest = 9 },
		"a group with a position in a bad topic": func(m *backup.Manifest) {
			m.Groups = []backup.Group{{ID: "g", Positions: []backup.Position{{Topic: "../x"}}}}
		},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			t.Parallel()
			m := goodManifest()
			change(&m)
			folder := filepath.Join(t.TempDir(), "files")
			_, err := backup.RestoreFiles(t.Context(), backup.RestoreConfig{Chain: hostile(t, m)}, folder, backup.JSONLines())
			if !errors.Is(err, backup.ErrDamaged) {
				t.Errorf("%v", err)
			}
			if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("something was written: %v", err)
			}
		})
	}
}

func TestHostileNotes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sequence int64
		key      string
		reason   string
	}{
		"a number beyond all is refused":        {1 << 62, "newest.json", "cannot be"},
		"a number below 1 is refused":           {-1, "newest.json", "cannot be"},
		"a hole of billions is one damage":      {999_999_999_998, "manifests/999999999997-2.json", "up to 999999999998"},
		"and one manifest that is missing, too": {2, "manifests/999999999997-2.json", "it is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := newMemory()
			var err error
			if store.objects[manifestKey], err = backup.Seal(goodManifest()); err != nil {
				t.Fatal(err)
			}
			note := map[string]any{
				"kind": "newest", "version": 1, "cluster": hostileCluster, "checked": 0,
				"newest": backup.Link{Sequence: test.sequence, SHA256: strings.Repeat("0", 64)},
			}
			if store.objects[hostileCluster+"/newest.json"], err = backup.Seal(note); err != nil {
				t.Fatal(err)
			}
			opened, err := backup.OpenChain(store, "", hostileCluster)
			if err != nil {
				t.Fatal(err)
			}
			report := verify(t, backup.VerifyConfig{Chain: opened, StructureOnly: true})
			if len(report.Damage) != 2 || report.Damage[0].Key != hostileCluster+"/"+test.key ||
				!strings.Contains(report.Damage[0].Reason, test.reason) { // the other one is the segment
				t.Errorf("%+v", report.Damage)
			}
		})
	}
}

func TestDecompressionIsBounded(t *testing.T) {
	t.Parallel()
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := encoder.EncodeAll(make([]byte, 64<<20), nil)
	log, err := backup.Decode(backup.Zstd, bomb, 1<<20)
	if err == nil || len(log) > 1<<20 {
		t.Errorf("%d bytes, %v", len(log), err)
	}
}

// TestNumbersThatSomebodyHasMadeUp is about chains with holes that nobody could walk through.
func TestNumbersThatSomebodyHasMadeUp(t *testing.T) {
	t.Parallel()
	const far = 900_000_000_000
	store, m := newMemory(), goodManifest()
	opened, err := backup.OpenChain(store, "", hostileCluster)
	if err != nil {
		t.Fatal(err)
	}
	put := func(key string) {
		t.Helper()
		if store.objects[key], err = backup.Seal(m); err != nil {
			t.Fatal(err)
		}
	}
	put(manifestKey)
	m.Sequence, m.Previous = far, &backup.Link{Sequence: far - 1, SHA256: strings.Repeat("0", 64)}
	put(fmt.Sprintf("%s/manifests/%012d-%d.json", hostileCluster, 999_999_999_999-far, far))
	t.Run("a verification names the hole once, and a restore is refused, or goes around it by choice", func(t *testing.T) {
		report := verify(t, backup.VerifyConfig{Chain: opened, StructureOnly: true})
		named := fmt.Sprintf("every manifest up to %d", far-1)
		if len(report.Damage) > 10 || !slices.ContainsFunc(report.Damage, func(d backup.Damage) bool {
			return strings.Contains(d.Reason, named)
		}) {
			t.Errorf("%+v", report.Damage)
		}
		config := backup.RestoreConfig{Chain: opened}
		if _, err := backup.PlanRestore(testContext(t), config); !errors.Is(err, backup.ErrDamaged) {
			t.Errorf("%v", err)
		}
		config.SkipDamaged = true
		if plan, err := backup.PlanRestore(testContext(t), config); err != nil && !errors.Is(err, backup.ErrDamaged) || err == nil && len(plan.Damage) == 0 {
			t.Errorf("%+v, %v", plan, err)
		}
	})
}

// FuzzManifest reads documents that nobody has written.
func FuzzManifest(f *testing.F) {
	good, err := json.Marshal(goodManifest())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(
		[]byte(
			`{"kind":"manifest","version":1,"cluster":"cluster","sequence":1,"oldest":1,"topics":[{"name":"..","lineage":"0.1"}]}`,
		),
	)
	f.Fuzz(func(t *testing.T, document []byte) {
		opened := hostile(t, json.RawMessage(document))
		m, err := opened.Newest(t.Context())
		if err != nil {
			return
		}
		for _, topic := range m.Topics {
			if strings.ContainsAny(topic.Name+topic.Lineage, "/\\\x00") || topic.Name == ".." {
				t.Fatalf("topic %q, lineage %q", topic.Name, topic.Lineage)
			}
		}
		if _, err := backup.Verify(t.Context(), backup.VerifyConfig{Chain: opened, StructureOnly: true}); err != nil {
			t.Fatal(err)
		}
		folder := t.TempDir()
		_, _ = backup.RestoreFiles(
			t.Context(),
			backup.RestoreConfig{Chain: opened, SkipDamaged: true},
			filepath.Join(folder, "files"),
			backup.JSONLines(),
		)
		inside, err := os.ReadDir(folder)
		if err != nil || len(inside) > 1 {
			t.Fatalf("%v, %v", inside, err)
		}
	})
}

// FuzzSegment decodes objects that nobody has written.
func FuzzSegment(f *testing.F) {
	b, err := batch.Build(batch.Options{Codec: batch.LZ4}, sample.Plain(5, 50, 1))
	if err != nil {
		f.Fatal(err)
	}
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(b), false)
	f.Add(encoder.EncodeAll(b, nil), true)
	f.Add(bytes.Repeat([]byte{0}, 100), false)
	f.Fuzz(func(t *testing.T, object []byte, compressed bool) {
		encoding := backup.Plain
		if compressed {
			encoding = backup.Zstd
		}
		if log, _ := backup.Decode(encoding, object, 1<<20); len(log) > 1<<20 {
			t.Fatalf("%d bytes", len(log))
		}
	})
}
