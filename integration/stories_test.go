package integration

import (
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

var codecs = []batch.Codec{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd}

// stories are what a user relies on. Each runs in a world of its own topics.
var stories = []struct {
	requirement string
	run         func(*testing.T, *world)
	realOnly    string // why embedded brokers cannot tell the truth; empty where they can
}{
	{"a topic is dumped: every record once, in order, unchanged", plainDump, ""},
	{"every special record arrives unchanged, in every compression", specialRecords, ""},
	{"an event that is sent again copies nothing again", redelivery, ""},
	{"kill -9 in the middle loses, doubles and reorders nothing", killed, ""},
	{"aborted transactions of the source are not copied", abortedTransactions, ""},
	{"a compacted source is copied as it is read", compactedSource, "they keep every record"},
	{"a source whose brokers set the time of the records is copied with that time", logAppendTime, "they leave the times as they are"},
	{"partitions added to both topics of a running copy are copied too", partitionsAdded, ""},
	{"partitions added to the source alone are placed by key in the target, none lost", partitionsAddedToSource, ""},
	{"a source topic that is deleted and created again stops before its first record, and goes on as the error says", recreated, ""},
	{"two instances that handle the same events at once copy every record once", twoInstances, ""},
	{"an instance that is paused while another takes over writes nothing when it goes on", paused, ""},
	{"a gap that retention made stops its partition alone, and it goes on as the error says", gapByRetention, "they keep every record"},
	{"services that write and read all the time move to the target: every record is read once", migratedFew, ""},
	{"services that have moved go back with what they wrote at the target: every record is read once", rolledBack, ""},
	{"function and operator are killed in the middle of each step of a migration: every record is read once", crashedEverywhere, ""},
	{"a target that is away holds back none of the others, and lacks nothing once it is there", targetDown, ""},
	{"services of two sources, with the same names, move into one target side by side: every record is read once", merged, ""},
	{"a log is cleaned under kill -9: every line is in the output or in the dead letter, once and in order", cleanedUnderKills, ""},
	{"one record of 10,000 that ends the process is out of the way within 15 invocations, all others are handled once", poisoned, ""},
	{"a target that throttles the function slows the copy and changes nothing", outOfQuota, "they have no quotas"},
}

func TestOnEmbeddedBrokers(t *testing.T) {
	t.Parallel()
	for _, story := range stories {
		t.Run(story.requirement, func(t *testing.T) {
			t.Parallel()
			if story.realOnly != "" {
				t.Skip("runs on real Kafka only, embedded brokers are no proof: " + story.realOnly)
			}
			story.run(t, embedded(t))
		})
	}
}

// TestManyTopics is the story of a migration at length.
func TestManyTopics(t *testing.T) {
	t.Parallel()
	t.Run("50 topics move to the target while some are written and read: every record is read once", func(t *testing.T) {
		t.Parallel()
		migratedMany(t, embedded(t))
	})
}

func TestOnRealKafka(t *testing.T) {
	t.Parallel()
	for _, story := range stories {
		t.Run(story.requirement, func(t *testing.T) {
			t.Parallel()
			story.run(t, real(t))
		})
	}
}

// TestOnClustersOfTheirOwn has the stories that break a cluster, or want another
// one. They take turns: all their brokers at once would be too many, and a test
// that waits for its turn would keep the others from running.
func TestOnClustersOfTheirOwn(t *testing.T) {
	t.Parallel()
	kafkatest.Require(t)
	t.Run("three brokers", threeBrokers)
	t.Run("a broken network", brokenNetwork)
	t.Run("TLS and passwords", securedClusters)
}

func plainDump(t *testing.T, w *world) {
	w.createTopic(t, 4, sample.TopicSettings())
	for p := range int32(4) {
		w.produce(t, p, codecs[p], 100, sample.Plain(5000, 200, uint64(p)))
	}
	w.deploy(t, nil)
	w.awaitCopied(t)
	w.produce(t, 0, batch.Zstd, 10, sample.Plain(500, 200, 9)) // and while it runs
	w.awaitCopied(t)
	w.requireEqual(t, 20_500)
}

func specialRecords(t *testing.T, w *world) {
	w.createTopic(t, len(codecs), sample.TopicSettings())
	for p, codec := range codecs {
		w.produce(t, int32(p), codec, 1, sample.Special())
	}
	w.deploy(t, nil)
	w.awaitCopied(t)
	w.requireEqual(t, int64(len(codecs)*len(sample.Special())))
}

func redelivery(t *testing.T, w *world) {
	w.createTopic(t, 1, sample.TopicSettings())
	w.produce(t, 0, batch.LZ4, 7, sample.Plain(50, 100, 1))
	w.deploy(t, func(_ *emulator.Config, f *scf.Function) { f.Events = nil }) // events by hand
	payload := w.eventOf(0, 49)
	for try := range 5 {
		got := w.deliver(t, payload)
		want := `"records":0`
		if try == 0 {
			want = `"records":50`
		}
		if !strings.Contains(string(got.Payload), want) {
			t.Errorf("delivery %d: %s, want %s", try, got.Payload, want)
		}
		if try == 2 { // a cold start has to find what the warm one knew
			kill(t, got.PID)
		}
	}
	w.requireEqual(t, 50)
}

// deliver sends an event until it is handled, as a trigger does.
func (w *world) deliver(t *testing.T, payload []byte) emulator.Invocation {
	t.Helper()
	var got emulator.Invocation
	w.await(t, "a delivery that is handled", func() (bool, error) {
		var err error
		if got, err = w.platform.Invoke(w.ctx, "dump", payload, emulator.InvokeOptions{}); err != nil {
			return false, err
		}
		return got.Error == nil, nil
	})
	return got
}
