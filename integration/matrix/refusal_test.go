package matrix

import "strings"

// refusal is what a pair of releases cannot do, as the function says it.
type refusal struct {
	mark  string // in the table
	words string // in the function's error
	note  string // below the table
	cure  cure
}

// cure is what a user does then, as the error says.
type cure int

const (
	none         cure = iota
	createTopic       // by hand
	otherCodec        // COMPRESSION
	liftTheLimit      // message.timestamp.after.max.ms of the target topic
)

var refusals = []refusal{
	{"a", "(or create it yourself)", "Brokers before 0.11 do not tell the settings of a topic, so the target topic is not created like it. It was created by hand; the copy went on by itself.", createTopic},
	{"b", "zstd needs Kafka 2.1 or later", "Refused as it is. Deployed again with `COMPRESSION=lz4` it was copied.", otherCodec},
	{"c", "message.timestamp.before/after.max.ms", "Refused: the target takes no times that are more than an hour ahead, and the source, which has no such limit, has no setting for it to carry over.", none},
	{"d", "message.timestamp.after.max.ms", "Refused: the source topic has this setting and the target does not know it. A target topic that was created by hand without it was used; the copy went on by itself.", createTopic},
}

// refused finds the refusal that an error is.
func refused(text string) (refusal, bool) {
	for _, r := range refusals {
		if strings.Contains(text, r.words) {
			return r, true
		}
	}
	return refusal{}, false
}
