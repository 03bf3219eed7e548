package backup_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
)

// small is a backup of three manifests with segments of every encoding.
func small(t testing.TB) (*kafka.Client, *memory, *age.X25519Identity) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	source, store := cluster(t, map[string]int32{"plain": 2, "secret": 1}), newMemory()
	for i := range uint64(3) {
		produce(t, source, "plain", 0, sample.Plain(20, 100, i)...)
		produce(t, source, "plain", 1, sample.Plain(3, 40, i)...)
		produce(t, source, "secret", 0, sample.Plain(20, 100, i)...)
		run(t, source, store, func(c *backup.Config) {
			c.Compress = i > 0
			c.SegmentBytes = 1 << 10
			c.Recipients = func(topic string) []age.Recipient {
				if topic == "secret" {
					return []age.Recipient{identity.Recipient()}
				}
				return nil
			}
		})
	}
	return source, store, identity
}

func verify(t testing.TB, config backup.VerifyConfig) backup.Report {
	t.Helper()
	report, err := backup.Verify(testContext(t), config)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestVerify(t *testing.T) {
	t.Parallel()
	source, store, identity := small(t)

	t.Run("what was backed up is whole", func(t *testing.T) {
		t.Parallel()
		report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store), Identities: []age.Identity{identity}})
		if !report.OK() || report.Manifests != 3 || report.Segments == 0 || report.Unopened != 0 ||
			report.Records != 129 {
			t.Errorf("%+v", report)
		}
	})
	t.Run("without the identity, what is encrypted is verified by its digest, and counted", func(t *testing.T) {
		t.Parallel()
		if report := verify(t, backup.VerifyConfig{Chain: chain(t, source, store)}); !report.OK() ||
			report.Unopened == 0 {
			t.Errorf("%+v", report)
		}
	})

	for part := range corruptionParts {
		t.Run(fmt.Sprintf(
			"every one of very many seeded corruptions is found, and its object named, part %d", part+1), func(t *testing.T) {
			t.Parallel()
			trials := 10_000
			if testing.Short() {
				trials = 500
			}
			keys, whose := store.keys(""), chain(t, source, store).Cluster()
			for seed := part; seed < trials; seed += corruptionParts {
				damaged := store.copy()
				what, touched := corrupt(damaged, keys, rand.New(rand.NewPCG(uint64(seed), 8)))
				opened, err := backup.OpenChain(damaged, "", whose)
				if err != nil {
					t.Fatal(err)
				}
				report, err := backup.Verify(t.Context(), backup.VerifyConfig{
					Chain: opened, Identities: []age.Identity{identity}, Parallel: 1,
				})
				if err != nil || report.OK() {
					t.Fatalf("seed %d: %s is not found (%v)", seed, what, err)
				}
				if !slices.ContainsFunc(
					report.Damage,
					func(d backup.Damage) bool { return slices.Contains(touched, d.Key) },
				) {
					t.Fatalf("seed %d: %s is found as %v", seed, what, report.Damage)
				}
			}
		})
	}
}

// corruptionParts are tried beside each other.
const corruptionParts = 4

// corrupt changes one thing, and says what and which objects it has touched.
func corrupt(m *memory, keys []string, random *rand.Rand) (what string, touched []string) {
	key := keys[random.IntN(len(keys))]
	data := bytes.Clone(m.objects[key])
	at := random.IntN(len(data))
	switch random.IntN(8) {
	case 0:
		delete(m.objects, key)
		return "missing: " + key, []string{key}
	case 1:
		other := keys[random.IntN(len(keys))]
		if bytes.Equal(m.objects[key], m.objects[other]) {
			return corrupt(m, keys, random)
		}
		m.objects[key], m.objects[other] = m.objects[other], m.objects[key]
		return "swapped: " + key + " and " + other, []string{key, other}
	case 2:
		m.objects[key] = data[:at]
		return fmt.Sprintf("cut at byte %d: %s", at, key), []string{key}
	case 3:
		m.objects[key] = append(data, byte(random.Uint32()))
		return "a byte more: " + key, []string{key}
	case 4:
		m.objects[key] = slices.Delete(data, at, at+1)
		return fmt.Sprintf("byte %d is gone: %s", at, key), []string{key}
	default:
		data[at] ^= byte(1 + random.IntN(255))
		m.objects[key] = data
		return fmt.Sprintf("byte %d: %s", at, key), []string{key}
	}
}

func TestVerifyNamesTheOffset(t *testing.T) {
	t.Parallel()
	source, store := cluster(t, map[string]int32{"t": 1}), newMemory()
	for i := range uint64(10) {
		produce(t, source, "t", 0, sample.Plain(10, 100, i)...)
	}
	run(t, source, store)
	key := segments(store)[0]

	t.Run("of a segment with a flipped bit the first offset that cannot be read is named", func(t *testing.T) {
		t.Parallel()
		damaged := store.copy()
		data := bytes.Clone(damaged.objects[key])
		rest, at := data, 0
		for range 4 {
			b, after, err := batch.Next(rest)
			if err != nil {
				t.Fatal(err)
			}
			at, rest = at+len(b), after
		}
		data[at+100] ^= 1
		damaged.objects[key] = data
		report := verify(t, backup.VerifyConfig{Chain: chain(t, source, damaged)})
		if len(report.Damage) != 1 || report.Damage[0].Offset != 40 || report.Damage[0].Topic != "t" {
			t.Errorf("%+v, want offset 40", report.Damage)
		}
	})
	t.Run("the structure alone names what is missing or of another size", func(t *testing.T) {
		t.Parallel()
		damaged := store.copy()
		damaged.objects[key] = damaged.objects[key][:100]
		report := verify(t, backup.VerifyConfig{Chain: chain(t, source, damaged), StructureOnly: true})
		if len(report.Damage) != 1 || !strings.Contains(report.Damage[0].Reason, "100 bytes") {
			t.Errorf("%+v", report.Damage)
		}
	})
}

func TestVerifyFindsWhatIsInNoSegment(t *testing.T) {
	t.Parallel()
	store := newMemory()
	opened, err := backup.OpenChain(store, "", hostileCluster)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(p *backup.Partition)
		want   string
	}{
		"a partition that ends behind its last segment": {func(p *backup.Partition) { p.Next = 12 }, "from 10 on"},
		"but not where that was compacted":              {func(p *backup.Partition) { p.Next, p.Compacted = 12, 12 }, ""},
		"or is a gap": {func(p *backup.Partition) {
			p.Next, p.Gaps = 12, []backup.Gap{{First: 10, Next: 12}}
		}, ""},
	} {
		m := goodManifest()
		test.change(&m.Topics[0].Partitions[0])
		if store.objects[manifestKey], err = backup.Seal(m); err != nil {
			t.Fatal(err)
		}
		report := verify(t, backup.VerifyConfig{Chain: opened, StructureOnly: true})
		found := slices.ContainsFunc(report.Damage, func(d backup.Damage) bool {
			return d.Key == manifestKey && strings.Contains(d.Reason, test.want)
		})
		if found != (test.want != "") {
			t.Errorf("%s: %+v", name, report.Damage)
		}
	}
}

// segments lists the keys of segments.
func segments(m *memory) []string {
	return slices.DeleteFunc(m.keys(""), func(key string) bool { return !strings.Contains(key, "/topics/") })
}
