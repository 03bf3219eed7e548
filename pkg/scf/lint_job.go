package scf

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Functions that make something of a topic are told where to write as pkg/job says: TARGET_BROKERS, TOPICS,
// DEADLETTER_TOPIC.

// place is a topic of a cluster, which goes by its list of brokers.
type place struct{ brokers, topic string }

// route is what one trigger brings from one topic to another.
type route struct {
	from, to place
	function string
	path     string // of the trigger
}

// loops tells of topics that are written by what they trigger.
func (l *linter) loops() {
	var routes []route
	for _, f := range l.service.Functions {
		for i, t := range f.Events {
			if r, ok := routeOf(f, t); ok {
				r.path = fmt.Sprintf("functions.%s.events.%d.ckafka", f.Key, i)
				routes = append(routes, r)
			}
		}
	}
	for _, r := range routes {
		if round := way(routes, r.to, r.from, nil); r.from == r.to || round != nil {
			through := []string{r.function}
			for _, other := range round {
				through = append(through, other.function)
			}
			l.add(Error, fmt.Sprintf("topic %s is fed by what it triggers (%s): each record makes another one, without end",
				r.from.topic, strings.Join(through, ", then ")), "", "write to a topic of another name: TOPICS=SOURCE:TARGET",
				"functions."+r.function+".environment.TOPICS", r.path)
		}
	}
}

// routeOf says where the records of a trigger go, as far as the environment says it.
func routeOf(f Function, t Trigger) (route, bool) {
	source, target := brokersOf(f, "SOURCE_BROKERS"), brokersOf(f, "TARGET_BROKERS")
	if t.Kafka == nil || t.Kafka.Topic == "" || source == "" || target == "" {
		return route{}, false
	}
	to, named := targetOf(f.Environment["TOPICS"], t.Kafka.Topic)
	if !named && source == target {
		return route{}, false // something else says it, or the function refuses it
	}
	return route{from: place{source, t.Kafka.Topic}, to: place{target, to}, function: f.Key}, true
}

// brokersOf gives a list of brokers in a form to compare.
func brokersOf(f Function, key string) string {
	brokers := strings.FieldsFunc(f.Environment[key], func(r rune) bool { return r == ',' || r == ' ' })
	slices.Sort(brokers)
	return strings.Join(brokers, ",")
}

// targetOf reads a setting TOPICS: SOURCE:TARGET pairs, *:PATTERN for all others.
func targetOf(topics, topic string) (target string, named bool) {
	pattern := ""
	for pair := range strings.SplitSeq(topics, ",") {
		from, to, ok := strings.Cut(strings.TrimSpace(pair), ":")
		switch {
		case ok && from == topic:
			return to, true
		case ok && from == "*":
			pattern = to
		}
	}
	return strings.Replace(cmp.Or(pattern, topic), "*", topic, 1), pattern != ""
}

// way finds routes that lead from a place to another one; nil where there are none.
func way(routes []route, from, to place, seen []place) []route {
	if slices.Contains(seen, from) {
		return nil
	}
	for _, r := range routes {
		if r.from != from || r.from == r.to {
			continue
		}
		if r.to == to {
			return []route{r}
		}
		if rest := way(routes, r.to, to, append(seen, from)); rest != nil {
			return append([]route{r}, rest...)
		}
	}
	return nil
}

// deadLetters warns of a function that is told to have none, or whose dead letters trigger it.
func (l *linter) deadLetters(f Function) {
	topic, said := f.Environment["DEADLETTER_TOPIC"]
	path := "functions." + f.Key + ".environment.DEADLETTER_TOPIC"
	if said && topic == "" {
		l.add(Warning, "there is no dead letter: a record that cannot be handled stops its partition, and all behind it wait", "",
			"name a topic of the target cluster", path)
	}
	for _, t := range f.Events {
		if t.Kafka != nil && topic != "" && t.Kafka.Topic == topic && brokersOf(f, "SOURCE_BROKERS") == brokersOf(f, "TARGET_BROKERS") {
			l.add(Error, "the dead letters trigger the function that has written them: each makes another one, without end", "",
				"name another topic", path)
		}
	}
}

const (
	cloudRetryInterval = time.Minute        // 583/17530
	defaultRetention   = 7 * 24 * time.Hour // of Kafka: log.retention.hours
)

// retention warns of a trigger that tries for longer than records stay, where nobody has changed for how long they do.
func (l *linter) retention(k KafkaTrigger, path string) {
	if tries := time.Duration(k.Retry) * cloudRetryInterval; tries > defaultRetention {
		l.add(Warning, "a failed event is sent again for "+strconv.Itoa(int(tries.Hours()/24))+" days, and records stay for 7 unless the topic says otherwise: those behind it are gone then", "",
			"at most 10080 retries, or a longer retention.ms of the topic", path+".retry")
	}
}
