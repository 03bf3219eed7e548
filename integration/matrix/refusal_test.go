package matrix

import "strings"

// refusal is what a pair of releases cannot do, as the function says it.
type refusal struct {
	mark  string // in the table
	words string // in the function's error
	note  string // below the table
	cure  cure
	said  string // the whole error, of one that was met
}

// cure is what a user does then, as the error says.
type cure int

const (
	createTopic cure = iota // by hand
	otherCodec              // COMPRESSION
	liftLimit               // message.timestamp.after.max.ms of the target topic
)

var refusals = []refusal{
	{mark: "a", cure: createTopic, words: "(or create it yourself)",
		note: "A source before 0.11 does not tell the settings of a topic, so the target topic is not created like it. " +
			"It was created by hand; the copy went on by itself."},
	{mark: "b", cure: otherCodec, words: "zstd needs Kafka 2.1 or later: choose another compression (COMPRESSION)",
		note: "The batches are refused as they are. Deployed again with `COMPRESSION=lz4` the function encoded them anew."},
	{mark: "c", cure: liftLimit, words: "timestamp outside the topic's message.timestamp.before/after.max.ms",
		note: "The target takes no times that are more than an hour ahead, and a source without that limit has no setting to carry over. " +
			"It was raised by hand on the target topic; the copy went on by itself."},
	{mark: "d", cure: createTopic, words: "(or create it yourself, without what it does not take)",
		note: "The source topic has this setting and the target does not know it. " +
			"The target topic was created by hand, without it; the copy went on by itself."},
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
