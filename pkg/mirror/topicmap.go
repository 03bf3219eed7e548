package mirror

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// TopicMap maps source topics to target topics. It is written as pairs,
// comma separated: "orders:orders-copy,clicks:raw.clicks". A pair "*:PATTERN"
// is for all other topics: the * in PATTERN stands for the source's name, so
// "*:offline.*" puts a prefix before each.
type TopicMap struct {
	names   map[string]string
	pattern string // "", or a text with at most one *
}

// topicName is what Kafka allows (org.apache.kafka.common.internals.Topic).
var topicName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,249}$`)

// ParseTopicMap reads the written form; all wrong pairs are in the error.
func ParseTopicMap(text string) (TopicMap, error) {
	m := TopicMap{names: map[string]string{}}
	var faults []error
	for pair := range strings.SplitSeq(text, ",") {
		if pair = strings.TrimSpace(pair); pair == "" {
			continue
		}
		source, target, ok := strings.Cut(pair, ":")
		switch {
		case !ok:
			faults = append(faults, fmt.Errorf("%q: want SOURCE:TARGET", pair))
		case source == "*":
			if strings.Count(target, "*") != 1 || !topicName.MatchString(strings.Replace(target, "*", "x", 1)) {
				faults = append(faults, fmt.Errorf("%q: want one * and else letters, digits, '.', '_' or '-' after the colon", pair))
			} else if m.pattern != "" {
				faults = append(faults, fmt.Errorf("%q: all other topics are mapped twice", pair))
			}
			m.pattern = target
		case !topicName.MatchString(source) || !topicName.MatchString(target):
			faults = append(faults, fmt.Errorf("%q: a topic name has 1 to 249 letters, digits, '.', '_' or '-'", pair))
		case m.names[source] != "":
			faults = append(faults, fmt.Errorf("%q: topic %s is mapped twice", pair, source))
		default:
			m.names[source] = target
		}
	}
	return m, errors.Join(faults...)
}

// AllTo maps every topic to one.
func AllTo(topic string) TopicMap { return TopicMap{pattern: topic} }

// Empty says that every topic keeps its name.
func (m TopicMap) Empty() bool { return len(m.names) == 0 && m.pattern == "" }

// UnmarshalText is [ParseTopicMap], for configuration from the environment.
func (m *TopicMap) UnmarshalText(text []byte) (err error) {
	*m, err = ParseTopicMap(string(text))
	return err
}

// Target gives the target topic of a source topic.
func (m TopicMap) Target(source string) string {
	if target := m.names[source]; target != "" {
		return target
	}
	if m.pattern != "" {
		return strings.Replace(m.pattern, "*", source, 1)
	}
	return source
}
