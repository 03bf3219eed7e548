package kafka

import "github.com/segmentio/kafka-go/protocol"

// Release says which releases of Apache Kafka a broker's requests are those
// of. A broker tells no version, only the highest version of each request that
// it takes; a service that is not Apache Kafka speaks the protocol of one.
type Release struct {
	Name    string // "2.8", "3.3 or 3.4", "4.2 or later"; empty where it is older than 0.10.1
	AtLeast string // the first of them, to compare with [Release.From]
}

// releaseMark is a request version that came with a release and that brokers
// have in every mode (ZooKeeper and KRaft). Source: "validVersions" of the
// message definitions in clients/src/main/resources/common/message of each
// release, https://kafka.apache.org/protocol.
type releaseMark struct {
	atLeast, name string
	key           protocol.ApiKey
	version       int16
}

// releaseMarks is in order of the releases.
var releaseMarks = []releaseMark{
	{"0.10.1", "0.10.1 or 0.10.2", protocol.CreateTopics, 0},
	{"0.11", "0.11", protocol.InitProducerId, 0},
	{"1.0", "1.0", protocol.Produce, 5},
	{"1.1", "1.1", protocol.Fetch, 7},
	{"2.0", "2.0", protocol.Fetch, 8},
	{"2.1", "2.1", protocol.Fetch, 10},
	{"2.2", "2.2", protocol.ListOffsets, 5},
	{"2.3", "2.3", protocol.Fetch, 11},
	{"2.4", "2.4", protocol.Produce, 8},
	{"2.5", "2.5", protocol.OffsetFetch, 7},
	{"2.6", "2.6", protocol.DescribeConfigs, 3},
	{"2.7", "2.7", protocol.Fetch, 12},
	{"2.8", "2.8", protocol.Produce, 9},
	{"3.0", "3.0", protocol.ListOffsets, 7},
	{"3.1", "3.1", protocol.Fetch, 13},
	{"3.2", "3.2", protocol.JoinGroup, 9},
	{"3.3", "3.3 or 3.4", protocol.DescribeLogDirs, 4},
	{"3.5", "3.5", protocol.Fetch, 15},
	{"3.6", "3.6", protocol.AddPartitionsToTxn, 4},
	{"3.7", "3.7", protocol.Produce, 10},
	{"3.8", "3.8", protocol.Produce, 11},
	{"3.9", "3.9", protocol.Fetch, 17},
	{"4.0", "4.0", protocol.Produce, 12},
	{"4.1", "4.1", protocol.Produce, 13},
	{"4.2", "4.2 or later", protocol.OffsetCommit, 10},
}

// releaseOf takes the newest release all of whose marks, and those before it,
// the versions have.
func releaseOf(versions map[protocol.ApiKey]int16) Release {
	var r Release
	for _, mark := range releaseMarks {
		if highest, ok := versions[mark.key]; !ok || highest < mark.version {
			break
		}
		r = Release{Name: mark.name, AtLeast: mark.atLeast}
	}
	return r
}

// From says that the broker is of a release, or a later one. It is false for a
// release that this package does not know of.
func (r Release) From(release string) bool {
	reached := false
	for _, mark := range releaseMarks {
		if mark.atLeast == release {
			reached = true
		}
		if mark.atLeast == r.AtLeast {
			return reached
		}
	}
	return false
}

// Release is that of the bootstrap broker.
func (c *Client) Release() Release { return releaseOf(c.versions) }
