package transform

import (
	"strings"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// route sends what a condition holds for to a topic. The first that holds ends the
// search, unless it says more.
type route struct {
	when  *expression
	topic string
	more  bool
}

func (l *loader) routes(n *yamlfile.Node) []route {
	if n == nil {
		return nil
	}
	if n.Kind != yamlfile.Sequence {
		l.Fault(n, "write - {when: ..., topic: ...}", "routes has to be a list")
		return nil
	}
	var out []route
	for _, e := range n.List {
		t := l.Table(e, "a route", "when", "topic", "more")
		r := route{more: t.Boolean("more")}
		if when := t.Need("when"); when != nil {
			r.when = l.condition(when)
		}
		if topic := t.Need("topic"); topic != nil {
			l.checkTopic(topic)
			r.topic = topic.Text
		}
		out = append(out, r)
	}
	return out
}

// checkTopic refuses names that Kafka refuses (org.apache.kafka.common.internals.Topic).
func (l *loader) checkTopic(n *yamlfile.Node) {
	if n == nil {
		return
	}
	name := l.Text(n, "topic")
	bad := strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
	})
	if bad || name == "" || len(name) > 249 || name == "." || name == ".." {
		l.Fault(n, "use 1 to 249 letters, digits, dots, hyphens and underscores", "%q is no name of a topic", name)
	}
}
