package matrix

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// ability is what the copy makes use of where a release has it.
type ability struct {
	name    string
	key     kmsg.Key
	version int16 // the first that has it
}

// https://kafka.apache.org/protocol, and the KIP that brought each
var abilities = []ability{
	{"settings", kmsg.DescribeConfigs, 0},    // KIP-133
	{"transactions", kmsg.InitProducerID, 0}, // KIP-98
	{"zstd", kmsg.Produce, 7},                // KIP-110
	{"stable offsets", kmsg.OffsetFetch, 7},  // KIP-447
	{"topic ids", kmsg.Metadata, 10},         // KIP-516
}

// ask has a broker say which of them it has.
func (c cluster) ask(t *testing.T, found *table) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	answer, err := kmsg.NewPtrApiVersionsRequest().RequestWith(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	highest := map[kmsg.Key]int16{}
	for _, k := range answer.ApiKeys {
		highest[kmsg.Key(k.ApiKey)] = k.MaxVersion
	}
	for _, a := range abilities {
		words := "no"
		if version, ok := highest[a.key]; ok && version >= a.version {
			words = "yes"
		}
		found.set(string(c.release), a.name, words)
	}
}
