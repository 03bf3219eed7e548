package transform

import (
	"fmt"
	"maps"
	"slices"

	"github.com/scf-etl/scf-etl/internal/rawjson"
	"github.com/scf-etl/scf-etl/pkg/transform/internal/sensitive"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

// maskRule covers personal data in fields: all of a value, or what is found in it.
// A number in which something is covered becomes a text. Names of fields are not
// looked at, nor are the key and the headers of the record.
type maskRule struct {
	fields []*path // nil: all
	find   sensitive.Kind
	cover  sensitive.Cover
	secret []byte // nil: stars
}

func (l *loader) mask(n *yamlfile.Node) rule {
	t := l.Table(n, "mask", "fields", "find", "hash", "keep_ipv4", "keep_ipv6")
	r := &maskRule{cover: sensitive.Cover{IPv4: t.Number("keep_ipv4", 24, 0, 32), IPv6: t.Number("keep_ipv6", 48, 0, 128)}}
	if at := t.Need("fields"); at != nil && (at.Kind != yamlfile.Scalar || at.Text != "all") {
		r.fields = l.fields(l.Texts(at, "fields"))
	}
	kinds := sensitive.Kinds()
	for _, k := range l.Texts(t.Get("find"), "find") {
		kind, ok := kinds[k.Text]
		if !ok {
			l.Fault(k, yamlfile.Suggest(k.Text, slices.Sorted(maps.Keys(kinds))), "%q is no kind of personal data", k.Text)
		}
		r.find |= kind
	}
	if r.fields == nil && r.find == 0 && t.Get("fields") != nil {
		l.Fault(n, "add find: [email, phone, ...]", "to mask all of all fields leaves nothing")
	}
	for _, setting := range []string{"keep_ipv4", "keep_ipv6"} {
		if at := t.Get(setting); at != nil && (r.find&sensitive.IP == 0 || t.Get("hash") != nil) {
			l.Fault(at, "", "%s has no effect without find: [ip], or with hash", setting)
		}
	}
	r.secret = l.secret(t.Get("hash"))
	for _, p := range r.fields {
		if known, ok := l.shape.fields[p.text]; ok && known != stringType {
			l.shape.fields[p.text] = anyType // a number may have become a text
		}
	}
	return r
}

// minSecret is the least length of a key in bytes: RFC 2104 wants the length of
// the hash, and a short one lets everybody try all phone numbers.
const minSecret = 32

func (l *loader) secret(n *yamlfile.Node) []byte {
	if n == nil {
		return nil
	}
	name := l.Text(n, "hash")
	if l.options.Secret == nil {
		l.Fault(n, "", "hash needs a key, and this program looks up none")
		return nil
	}
	key, found := l.options.Secret(name)
	switch {
	case !found:
		l.Fault(n, "set it to a random text of 32 characters or more", "the key %s is not set", name)
	case len(key) < minSecret:
		l.Fault(n, fmt.Sprintf("take at least %d random bytes", minSecret), "the key %s is too short", name)
	}
	return []byte(key)
}

func (r *maskRule) start() step {
	m := &maskStep{rule: r, cover: r.cover.Append}
	if r.secret != nil {
		p := newPseudonym(r.secret)
		m.cover = func(dst, found []byte, kind sensitive.Kind) []byte { return p.append(dst, found) }
	}
	return m
}

type maskStep struct {
	rule  *maskRule
	cover func(dst, found []byte, kind sensitive.Kind) []byte
	plain []byte // a string without its escapes
	work  []byte // a text with covers
}

func (m *maskStep) apply(s *state) (verdict, error) {
	if m.rule.fields == nil {
		for i := range s.doc.fields {
			f := &s.doc.fields[i]
			f.value = m.masked(&s.doc, f.value)
		}
		return pass, nil
	}
	for _, p := range m.rule.fields {
		at, v := s.doc.locate(p)
		if v.kind == missing || v.kind == null {
			continue
		}
		if covered := m.masked(&s.doc, v); !same(covered, v) {
			s.doc.store(at, p, covered)
		}
	}
	return pass, nil
}

func same(a, b value) bool {
	return a.kind == b.kind && len(a.raw) == len(b.raw) && &a.raw[0] == &b.raw[0]
}

func (m *maskStep) masked(d *document, v value) value {
	if m.rule.find == 0 {
		return m.whole(d, v)
	}
	switch v.kind {
	case text:
		begin := len(d.arena)
		var found bool
		if d.arena, found = sensitive.Replace(d.arena, v.raw, m.rule.find, m.cover); found {
			v.raw = d.since(begin)
		}
	case quoted, number:
		begin := len(d.arena)
		var found bool
		if d.arena, found = m.scalar(d.arena, v.raw); found {
			return value{quoted, d.since(begin)}
		}
	case object, array:
		begin := len(d.arena)
		var found bool
		if d.arena, found = rawjson.Rewrite(d.arena, v.raw, m.scalar); found {
			return value{v.kind, d.since(begin)}
		}
	}
	return v
}

// whole covers all of a value.
func (m *maskStep) whole(d *document, v value) value {
	begin := len(d.arena)
	if m.rule.secret == nil {
		d.arena = append(d.arena, "***"...)
	} else {
		plain := d.text(v)
		begin = len(d.arena)
		d.arena = m.cover(d.arena, plain, 0)
	}
	return value{text, d.since(begin)}
}

// scalar covers what is found in one JSON string or number.
func (m *maskStep) scalar(dst, raw []byte) ([]byte, bool) {
	plain := raw
	if raw[0] == '"' {
		plain = raw[1 : len(raw)-1]
		if rawjson.Escaped(raw) {
			m.plain = rawjson.Decode(m.plain[:0], raw)
			plain = m.plain
		}
	}
	var found bool
	if m.work, found = sensitive.Replace(m.work[:0], plain, m.rule.find, m.cover); !found {
		return dst, false
	}
	dst, _ = rawjson.AppendString(dst, m.work)
	return dst, true
}
