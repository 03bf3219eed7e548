package load

import (
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/internal/rawjson"
	"github.com/scf-etl/scf-etl/pkg/dataset"
)

// inference finds a type for each member that records have, in the order in which they come.
type inference struct {
	names   []string
	types   map[string]dataset.Type // "" while only nulls have come
	members []rawjson.Member
	scratch []byte
}

func newInference() *inference { return &inference{types: map[string]dataset.Type{}} }

// record takes a record in; one that is no JSON object says nothing.
func (n *inference) record(value []byte) {
	var err error
	if n.members, err = rawjson.Object(value, n.members[:0]); err != nil {
		return
	}
	for _, m := range n.members {
		n.scratch = rawjson.Decode(n.scratch[:0], m.Key)
		n.member(string(n.scratch), m.Value)
	}
}

func (n *inference) member(name string, value []byte) {
	was, known := n.types[name]
	if !known {
		if len(n.names) >= maxColumns || !usableName(name) {
			return
		}
		n.names = append(n.names, name)
	}
	n.types[name] = wider(was, typeOf(value))
}

func usableName(name string) bool {
	return name != "" && len(name) <= maxNameBytes && !strings.ContainsAny(name, "/=\x00")
}

// typeOf gives the type of a JSON value; "" of null.
func typeOf(value []byte) dataset.Type {
	switch value[0] {
	case 'n':
		return ""
	case 't', 'f':
		return dataset.Bool
	case '"':
		if _, ok := parseTime(value[1 : len(value)-1]); ok {
			return dataset.Timestamp
		}
		return dataset.String
	case '{', '[':
		return dataset.String
	}
	if _, ok := parseInt(value); ok {
		return dataset.Int
	}
	return dataset.Float
}

// wider is a type that holds values of both.
func wider(a, b dataset.Type) dataset.Type {
	switch {
	case a == b || b == "":
		return a
	case a == "":
		return b
	case a == dataset.Int && b == dataset.Float, a == dataset.Float && b == dataset.Int:
		return dataset.Float
	}
	return dataset.String
}

// fields are columns for what has been found, beside those that are there. A member of which only nulls have come is a
// string: nobody knows better.
func (n *inference) fields(there []Field) []Field {
	taken := map[string]bool{}
	for _, f := range there {
		taken[strings.ToLower(f.Name)] = true
	}
	var fields []Field
	for _, member := range n.names {
		name := member
		for reserved(name) || taken[strings.ToLower(name)] {
			name += "_"
		}
		if len(name) > maxNameBytes || len(there)+len(fields) >= maxColumns {
			continue
		}
		taken[strings.ToLower(name)] = true
		f := Field{Name: name, Type: n.types[member]}
		if f.Type == "" {
			f.Type = dataset.String
		}
		if name != member || strings.Contains(member, ".") {
			f.From = Path{member}
		}
		fields = append(fields, f)
	}
	return slices.Clip(fields)
}

// parseTime reads a time of RFC 3339, to the millisecond.
func parseTime(text []byte) (ms int64, ok bool) {
	// A fast path for 2006-01-02T15:04:05[.000]Z, else the library's.
	const form = "0000-00-00T00:00:00"
	if len(text) < len(form)+1 || len(text) > 40 {
		return 0, false
	}
	for i := range len(form) {
		if c := text[i]; form[i] == '0' && (c < '0' || c > '9') ||
			form[i] != '0' && c != form[i] && !(i == 10 && (c == 't' || c == ' ')) {
			return 0, false
		}
	}
	two := func(i int) int { return int(text[i]-'0')*10 + int(text[i+1]-'0') }
	rest := text[len(form):]
	milli := 0
	if rest[0] == '.' {
		digits := 0
		for rest = rest[1:]; len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9'; rest = rest[1:] {
			if digits < 3 {
				milli = milli*10 + int(rest[0]-'0')
			}
			digits++
		}
		if digits == 0 {
			return 0, false
		}
		for ; digits < 3; digits++ {
			milli *= 10
		}
	}
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if month < 1 || month > 12 || day < 1 || day > 28 && day > daysOf(year, month) || hour > 23 || minute > 59 ||
		second > 59 {
		return 0, false
	}
	var offset int64
	switch {
	case len(rest) == 1 && (rest[0] == 'Z' || rest[0] == 'z'):
	case len(rest) == 6 && (rest[0] == '+' || rest[0] == '-') && rest[3] == ':':
		for _, i := range []int{1, 2, 4, 5} {
			if rest[i] < '0' || rest[i] > '9' {
				return 0, false
			}
		}
		h, m := int64(rest[1]-'0')*10+int64(rest[2]-'0'), int64(rest[4]-'0')*10+int64(rest[5]-'0')
		if h > 23 || m > 59 {
			return 0, false
		}
		if offset = (h*60 + m) * 60_000; rest[0] == '-' {
			offset = -offset
		}
	default:
		return 0, false
	}
	days := daysSinceEpoch(year, month, day)
	return ((int64(days)*24+int64(hour))*60+int64(minute))*60_000 + int64(second)*1000 + int64(milli) - offset, true
}

func daysOf(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// daysSinceEpoch counts days from 1970-01-01 (the algorithm of Howard Hinnant's days_from_civil).
func daysSinceEpoch(year, month, day int) int {
	if month <= 2 {
		year--
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	yoe := year - era*400
	shifted := (month + 9) % 12
	doy := (153*shifted+2)/5 + day - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// parseInt reads a JSON number without a fraction and an exponent.
func parseInt(text []byte) (int64, bool) {
	digits := text
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		digits = text[1:]
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var n uint64
	for _, c := range digits {
		if c -= '0'; c > 9 {
			return 0, false
		}
		n = n*10 + uint64(c)
	}
	switch {
	case negative && n <= 1<<63:
		return -int64(n), true
	case !negative && n < 1<<63:
		return int64(n), true
	}
	return 0, false
}
