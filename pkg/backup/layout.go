package backup

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// layout makes the keys of the objects of one cluster's backup.
type layout struct{ root string } // ends with a slash

// newLayout puts a cluster's backup under a prefix, which may be empty.
func newLayout(prefix, cluster string) (layout, error) {
	if !clusterName.MatchString(cluster) {
		return layout{}, fmt.Errorf("cluster id %q: want 1 to 100 letters, digits, '.', '_' or '-'", cluster)
	}
	return layout{root: folder(prefix) + cluster + "/"}, nil
}

// folder ends a prefix with a slash.
func folder(prefix string) string {
	if prefix = strings.Trim(prefix, "/"); prefix == "" {
		return ""
	}
	return prefix + "/"
}

var (
	clusterName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$`)
	// topicName is Kafka's rule (org.apache.kafka.common.internals.Topic), but for "."
	// and "..", which validName refuses.
	topicName   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)
	lineageName = regexp.MustCompile(`^[a-z0-9]{1,64}\.[0-9]{1,12}$`)
	hexDigest   = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

func validTopic(name string) bool {
	return topicName.MatchString(name) && name != "." && name != ".."
}

// lastSequence is what sequence numbers are subtracted from, so that the newest
// manifest is listed first.
const lastSequence = 999_999_999_999

func (l layout) manifests() string { return l.root + "manifests/" }

func (l layout) manifest(sequence int64) string {
	return fmt.Sprintf("%s%012d-%d.json", l.manifests(), lastSequence-sequence, sequence)
}

// sequence is the reverse of manifest; false for a key that is none.
func (l layout) sequence(key string) (int64, bool) {
	name, ok := strings.CutPrefix(key, l.manifests())
	if !ok {
		return 0, false
	}
	_, digits, _ := strings.Cut(strings.TrimSuffix(name, ".json"), "-")
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil && n > 0 && n < lastSequence && l.manifest(n) == key
}

// newest is the object that says which manifest is the newest.
func (l layout) newest() string { return l.root + "newest.json" }

func (l layout) bases() string { return l.root + "bases/" }

func (l layout) base(sequence int64, digest string) string {
	return fmt.Sprintf("%s%012d.%s.json", l.bases(), sequence, digest[:shortDigest])
}

func (l layout) topics() string { return l.root + "topics/" }

// shortDigest is how many characters of a digest are part of a name.
const shortDigest = 16

// place is a partition of one lineage of a topic.
type place struct {
	topic   string
	lineage string
	number  int32
}

// segment is the key of a segment. It begins with the first offset in 20 digits and
// ends with .log where it is neither compressed nor encrypted: kafka-dump-log.sh asks
// for that.
func (l layout) segment(of place, s Segment) string {
	digest := s.Log.SHA256[:shortDigest]
	if s.Copy > 0 {
		digest += "." + strconv.Itoa(s.Copy)
	}
	return fmt.Sprintf(
		"%s%s/%s/%d/%020d.%020d.%s.log%s",
		l.topics(),
		of.topic,
		of.lineage,
		of.number,
		s.First,
		s.Next,
		digest,
		s.Encoding.suffix(),
	)
}
