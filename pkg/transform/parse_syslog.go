package transform

import (
	"bytes"
	"time"

	"github.com/scf-etl/scf-etl/internal/rawjson"
)

// syslogFormat is one message of RFC 5424 or of RFC 3164, the older form of BSD; as
// syslog, whichever it is. Its fields are facility and severity (numbers), time,
// host, app, pid, msgid, data (structured data, an object of objects) and message.
// What the message says it has not, by a hyphen, is no field.
//
// It is our own because github.com/leodido/go-syslog makes 7 to 15 objects of a message
// and takes about twice as long for the parse alone as this with the JSON behind it.
type syslogFormat struct {
	kind  string
	names [9]slot
}

const (
	syslogFacility = iota
	syslogSeverity
	syslogTimeField
	syslogHost
	syslogApp
	syslogPID
	syslogMsgID
	syslogData
	syslogMessage
)

func (l *loader) syslogFormat(kind, prefix string) format {
	f := &syslogFormat{kind: kind}
	for i, name := range []string{"facility", "severity", "time", "host", "app", "pid", "msgid", "data", "message"} {
		s := slot{name: []byte(prefix + name)}
		s.key, _ = rawjson.AppendString(nil, s.name)
		f.names[i] = s
		known := stringType
		switch i {
		case syslogFacility, syslogSeverity:
			known = intType
		case syslogData:
			known = anyType
		}
		if kind == "rfc3164" && (i == syslogMsgID || i == syslogData) {
			continue
		}
		l.shape.add(prefix+name, known)
	}
	return f
}

func (f *syslogFormat) start() parser { return &syslogParser{format: f} }

type syslogParser struct {
	format *syslogFormat
	doc    *document
	line   []byte
	p      int
}

func (s *syslogParser) put(field int, v value) {
	slot := &s.format.names[field]
	s.doc.put(slot.name, slot.key, v)
}

func (s *syslogParser) parse(line []byte, d *document) error {
	s.doc, s.line, s.p = d, line, 0
	priority, err := s.priority()
	if err != nil {
		return err
	}
	s.put(syslogFacility, d.integral(int64(priority/8)))
	s.put(syslogSeverity, d.integral(int64(priority%8)))
	versioned := bytes.HasPrefix(line[s.p:], []byte("1 "))
	if s.format.kind == "rfc5424" || s.format.kind == "syslog" && versioned {
		if !versioned {
			return s.fault("version 1 is missing")
		}
		s.p += 2
		return s.parse5424()
	}
	return s.parse3164()
}

func (s *syslogParser) fault(reason string) error {
	return faultf("%s at byte %d of the %s message", reason, s.p, s.format.kind)
}

// priority reads <0> to <191>, RFC 5424 6.2.1.
func (s *syslogParser) priority() (int, error) {
	end := bytes.IndexByte(s.line[:min(len(s.line), 5)], '>')
	if end < 2 || s.line[0] != '<' {
		return 0, s.fault("the priority <n> is missing")
	}
	n := 0
	for _, b := range s.line[1:end] {
		if b-'0' > 9 {
			return 0, s.fault("the priority is no number")
		}
		n = n*10 + int(b-'0')
	}
	if n > 191 || s.line[1] == '0' && end > 2 {
		return 0, s.fault("the priority is not from 0 to 191")
	}
	s.p = end + 1
	return n, nil
}

// token reads up to a space, which has to be there unless the line may end.
func (s *syslogParser) token(limit int, last bool) ([]byte, error) {
	end := bytes.IndexByte(s.line[s.p:], ' ')
	if end < 0 {
		if !last {
			return nil, s.fault("the message ends too early")
		}
		end = len(s.line) - s.p
	}
	t := s.line[s.p : s.p+end : s.p+end]
	if len(t) == 0 || len(t) > limit {
		return nil, s.fault("a part of the header is empty or too long")
	}
	for _, b := range t {
		if b <= ' ' || b > '~' {
			return nil, s.fault("a part of the header is not printable ASCII")
		}
	}
	s.p = min(len(s.line), s.p+end+1)
	return t, nil
}

// parse5424 reads RFC 5424 6 behind the version. The lengths are those of 6.2.
func (s *syslogParser) parse5424() error {
	limits := [...]int{syslogTimeField: 64, syslogHost: 255, syslogApp: 48, syslogPID: 128, syslogMsgID: 32}
	for field := syslogTimeField; field <= syslogMsgID; field++ {
		t, err := s.token(limits[field], false)
		if err != nil {
			return err
		}
		if string(t) == "-" {
			continue
		}
		if field == syslogTimeField {
			if _, ok := dateTime(t, nil); !ok || t[len("2006-01-02")] != 'T' {
				return s.fault("the time is not as in RFC 3339")
			}
		}
		s.put(field, value{text, t})
	}
	if err := s.structuredData(); err != nil {
		return err
	}
	if s.p == len(s.line) {
		return nil
	}
	if s.line[s.p] != ' ' {
		return s.fault("a space before the message is missing")
	}
	message := bytes.TrimPrefix(s.line[s.p+1:], []byte("\xef\xbb\xbf"))
	s.put(syslogMessage, value{text, message})
	return nil
}

// parse3164 reads the form that RFC 3164 4.1 describes and programs more or less
// keep to: a time, a host, a tag with a process id in brackets and a colon.
func (s *syslogParser) parse3164() error {
	const length = len("Jan _2 15:04:05")
	if len(s.line)-s.p <= length || s.line[s.p+length] != ' ' {
		return s.fault("the time is missing")
	}
	at := s.line[s.p : s.p+length : s.p+length]
	if _, ok := syslogTime(at, 951782400000, time.UTC); !ok { // in a year with a 29 February
		return s.fault("the time is not as in Jan _2 15:04:05")
	}
	s.put(syslogTimeField, value{text, at})
	s.p += length + 1
	host, err := s.token(255, true)
	if err != nil {
		return err
	}
	s.put(syslogHost, value{text, host})
	s.tag()
	s.put(syslogMessage, value{text, s.line[s.p:]})
	return nil
}

// tag reads app[pid]: or app: where there is one; else all is the message.
func (s *syslogParser) tag() {
	rest := s.line[s.p:]
	end := 0
	for end < len(rest) && end <= 48 && rest[end] > ' ' && rest[end] <= '~' && rest[end] != '[' && rest[end] != ':' {
		end++
	}
	if end == 0 || end == len(rest) || end > 48 {
		return
	}
	app, pid := rest[:end:end], []byte(nil)
	if rest[end] == '[' {
		size := bytes.IndexByte(rest[end:], ']')
		if size < 2 {
			return
		}
		pid = rest[end+1 : end+size : end+size]
		end += size + 1
	}
	if end >= len(rest) || rest[end] != ':' {
		return
	}
	s.put(syslogApp, value{text, app})
	if pid != nil {
		s.put(syslogPID, value{text, pid})
	}
	s.p += end + 1
	if s.p < len(s.line) && s.line[s.p] == ' ' {
		s.p++
	}
}
