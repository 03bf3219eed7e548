package mirror

import (
	"errors"
	"fmt"
	"hash/fnv"
	"regexp"
	"strconv"
	"strings"
)

// Selection says which topics a job copies: those that match one of the
// patterns to include, and none of those to exclude. Patterns are regular
// expressions (RE2) that match the whole name. Topics of Kafka's own ("__...")
// and of this project ("etl....") are never copied. The zero value selects
// nothing.
type Selection struct{ include, exclude []*regexp.Regexp }

// NewSelection compiles the patterns; all wrong ones are in the error.
func NewSelection(include, exclude []string) (Selection, error) {
	var s Selection
	var faults []error
	compile := func(patterns []string) (compiled []*regexp.Regexp) {
		for _, pattern := range patterns {
			re, err := regexp.Compile(`^(?:` + pattern + `)$`)
			if err != nil {
				faults = append(faults, fmt.Errorf("pattern %q: %w", pattern, err))
				continue
			}
			compiled = append(compiled, re)
		}
		return compiled
	}
	s.include, s.exclude = compile(include), compile(exclude)
	return s, errors.Join(faults...)
}

// Match says whether a topic is selected.
func (s Selection) Match(topic string) bool {
	if strings.HasPrefix(topic, "__") || strings.HasPrefix(topic, "etl.") {
		return false
	}
	return matches(s.include, topic) && !matches(s.exclude, topic)
}

func matches(patterns []*regexp.Regexp, topic string) bool {
	for _, pattern := range patterns {
		if pattern.MatchString(topic) {
			return true
		}
	}
	return false
}

// Shard is one of several instances of a function that share the partitions of
// a job, written "1/3": the first of three. The zero value has all of them.
// Instances that share a partition by mistake fence each other; nothing is
// copied twice.
type Shard struct{ Number, Of int }

// UnmarshalText reads "NUMBER/OF"; empty text is the zero value.
func (s *Shard) UnmarshalText(text []byte) error {
	*s = Shard{}
	if len(text) == 0 {
		return nil
	}
	number, of, _ := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(number)
	m, ofErr := strconv.Atoi(of)
	if err != nil || ofErr != nil || n < 1 || m < n {
		return errors.New("want NUMBER/OF, such as 1/3 for the first of three")
	}
	*s = Shard{Number: n, Of: m}
	return nil
}

// String is the written form.
func (s Shard) String() string {
	if s.Of == 0 {
		return "1/1"
	}
	return fmt.Sprintf("%d/%d", s.Number, s.Of)
}

// Has says whether a partition is the shard's. It depends on nothing but the
// partition and the number of shards.
func (s Shard) Has(topic string, partition int32) bool {
	if s.Of <= 1 {
		return true
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s/%d", topic, partition)
	return int(h.Sum32()%uint32(s.Of)) == s.Number-1
}
