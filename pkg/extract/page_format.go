package extract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/scf-etl/scf-etl/internal/rawjson"
)

// document is what was read of the body of an answer.
type document struct {
	items  []item
	header string      // csv: digest of the columns, where the file does not say them
	next   json.Number // cursor paging: where it goes on; "" where it ends
	more   bool        // cursor paging: the page says that there is more
}

// read reads a whole body. An error says that none of it counts.
func (f formatFile) read(body []byte, p pagingFile) (document, error) {
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if start := bytes.TrimLeft(body, " \t\r\n"); len(start) > 0 && start[0] == '<' {
		return document{}, fmt.Errorf("it begins as HTML or XML does, where %s is wanted: %s", f.kind, excerpt(start))
	}
	switch f.kind {
	case formatNDJSON:
		items, err := lines(body)
		return document{items: items}, err
	case formatCSV:
		return f.readCSV(body)
	}
	return f.readJSON(body, p)
}

// mostItems bounds the records of a page: a body of empty ones would need many times its
// own memory.
const mostItems = 500_000

var errItems = fmt.Errorf("it has more than %d records: ask for smaller pages", mostItems)

// lines gives the lines that are not blank: one that is no JSON is for the rules to
// find. They share memory with the body.
func lines(body []byte) ([]item, error) {
	var items []item
	for len(body) > 0 {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		body = rest
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if len(items) == mostItems {
			return nil, errItems
		}
		items = append(items, item{value: line})
	}
	return items, nil
}

// readJSON finds the list, and where the next page is. The items share memory with
// the body.
func (f formatFile) readJSON(body []byte, p pagingFile) (document, error) {
	var d document
	body = bytes.TrimSpace(body)
	if !json.Valid(body) {
		return d, fmt.Errorf("it is no JSON, or only a part of it: %s", excerpt(body))
	}
	list, err := member(body, f.records)
	if err != nil {
		return d, fmt.Errorf("records: %w", err)
	}
	null := f.records != nil && string(list) == "null" // a list without records
	if list[0] != '[' && !null {
		return d, fmt.Errorf("%s is no list, but %s: name with records where it is", orWhole(f.records), describe(list))
	}
	if !null {
		rawjson.Elements(list, func(e []byte) bool {
			d.items = append(d.items, item{value: e})
			return len(d.items) <= mostItems
		})
	}
	if len(d.items) > mostItems {
		return document{}, errItems
	}
	if p.kind != pagingCursor {
		return d, nil
	}
	if d.next, err = cursorOf(body, p.path); err != nil {
		return d, err
	}
	if d.more = true; p.more != nil {
		text, err := member(body, p.more)
		if err != nil || string(text) != "true" && string(text) != "false" {
			return d, fmt.Errorf("%s, which says whether there is more, is no boolean, but %s", p.more, describe(text))
		}
		d.more = string(text) == "true"
	}
	return d, nil
}

// cursorOf reads a text or a number; "" where there is none.
func cursorOf(body []byte, path jsonPath) (json.Number, error) {
	raw, err := member(body, path)
	if errors.Is(err, errNoMember) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("paging: %w", err)
	}
	text := string(raw)
	switch {
	case text == "null" || text == "false" || text == `""`:
		return "", nil
	case strings.HasPrefix(text, `"`):
		var s string
		err := json.Unmarshal(raw, &s)
		return json.Number(s), err
	case text[0] == '-' || text[0] >= '0' && text[0] <= '9':
		return json.Number(text), nil
	}
	return "", fmt.Errorf("paging: the cursor %s is neither text nor number, but %s", path, describe(raw))
}

// errNoMember says that an object does not have what a path names.
var errNoMember = errors.New("is not there")

// member goes down a path of JSON that has been checked.
func member(at []byte, path jsonPath) ([]byte, error) {
	for i, name := range path {
		switch {
		case string(at) == "null":
			return nil, fmt.Errorf("%s %w", path[:i+1], errNoMember)
		case at[0] != '{':
			return nil, fmt.Errorf("%s is no object, but %s", orWhole(path[:i]), describe(at))
		}
		next, _, _ := rawjson.Get(at, []string{name})
		if next == nil {
			return nil, fmt.Errorf("%s %w: there are %s", path[:i+1], errNoMember, names(at))
		}
		at = next
	}
	return at, nil
}

// names are those of an object's members, for an error.
func names(object []byte) string {
	const most = 20
	var all []string
	rawjson.Members(object, func(m rawjson.Member) bool {
		all = append(all, string(rawjson.Decode(nil, m.Key)))
		return len(all) < most
	})
	if len(all) == 0 {
		return "none"
	}
	text := strings.Join(all, ", ")
	return strings.ToValidUTF8(text[:min(len(text), 300)], "")
}

func orWhole(path jsonPath) string {
	if len(path) == 0 {
		return "the answer"
	}
	return path.String()
}

// describe says what a JSON value is.
func describe(raw []byte) string {
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "an object with " + names(raw)
	case '[':
		return "a list"
	case '"':
		return "a text"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}

// excerpt is the beginning of a body, for an error.
func excerpt(body []byte) string {
	const most = 80
	if len(body) <= most {
		return fmt.Sprintf("%q", body)
	}
	return fmt.Sprintf("%q... (%d bytes)", body[:most], len(body))
}
