package transform

import "strings"

// route sends what a condition holds for to a topic. The first that holds ends the
// search, unless it says more.
type route struct {
	when  *expression
	topic string
	more  bool
}

func (l *loader) routes(n *node) []route {
	if n == nil {
		return nil
	}
	if n.kind != sequence {
		l.fault(n, "write - {when: ..., topic: ...}", "routes has to be a list")
		return nil
	}
	var out []route
	for _, e := range n.list {
		t := l.table(e, "a route", "when", "topic", "more")
		r := route{more: t.boolean("more")}
		if when := t.need("when"); when != nil {
			r.when = l.condition(when)
		}
		if topic := t.need("topic"); topic != nil {
			l.checkTopic(topic)
			r.topic = topic.text
		}
		out = append(out, r)
	}
	return out
}

// checkTopic refuses names that Kafka refuses (org.apache.kafka.common.internals.Topic).
func (l *loader) checkTopic(n *node) {
	if n == nil {
		return
	}
	name := l.text(n, "topic")
	bad := strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
	if bad || name == "" || len(name) > 249 || name == "." || name == ".." {
		l.fault(n, "use 1 to 249 letters, digits, dots, hyphens and underscores", "%q is no name of a topic", name)
	}
}
