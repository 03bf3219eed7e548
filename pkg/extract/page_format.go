package extract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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
		return document{items: lines(body)}, nil
	case formatCSV:
		return f.readCSV(body)
	}
	return f.readJSON(body, p)
}

// lines gives the lines that are not blank: one that is no JSON is for the rules to
// find. They share memory with the body.
func lines(body []byte) []item {
	items := make([]item, 0, bytes.Count(body, []byte("\n"))+1)
	for number := 1; len(body) > 0; number++ {
		line, rest, _ := bytes.Cut(body, []byte("\n"))
		body = rest
		if line = bytes.TrimSpace(line); len(line) > 0 {
			items = append(items, item{value: line})
		}
	}
	return items
}

// readJSON finds the list, and where the next page is. The items share memory with
// the body.
func (f formatFile) readJSON(body []byte, p pagingFile) (document, error) {
	var d document
	list, err := member(body, f.records)
	if err != nil {
		return d, fmt.Errorf("records: %w", err)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(list, &raw); err != nil || raw == nil && f.records == nil { // null is a list without records
		return d, fmt.Errorf("%s is no list, but %s: name with records where it is", orWhole(f.records), describe(list))
	}
	d.items = make([]item, len(raw))
	for i, r := range raw {
		d.items[i] = item{value: r}
	}
	if p.kind != pagingCursor {
		return d, nil
	}
	if d.next, err = cursorOf(body, p.path); err != nil {
		return d, err
	}
	if d.more = true; p.more != nil {
		text, err := member(body, p.more)
		if err != nil || json.Unmarshal(text, &d.more) != nil {
			return d, fmt.Errorf("%s, which says whether there is more, is no boolean, but %s", p.more, describe(text))
		}
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
	text := strings.TrimSpace(string(raw))
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

// member goes down a path. All of the body has to be JSON: half of it is an error.
func member(body []byte, path jsonPath) (json.RawMessage, error) {
	if !json.Valid(body) {
		return nil, fmt.Errorf("it is no JSON, or only a part of it: %s", excerpt(body))
	}
	at := json.RawMessage(body)
	for i, name := range path {
		var object map[string]json.RawMessage
		if string(bytes.TrimSpace(at)) == "null" {
			return nil, fmt.Errorf("%s %w", path[:i+1], errNoMember)
		}
		if json.Unmarshal(at, &object) != nil {
			return nil, fmt.Errorf("%s is no object, but %s", orWhole(path[:i]), describe(at))
		}
		next, ok := object[name]
		if !ok {
			return nil, fmt.Errorf("%s %w: there are %s", path[:i+1], errNoMember, names(object))
		}
		at = next
	}
	return at, nil
}

func names(object map[string]json.RawMessage) string {
	const most = 20
	all := slices.Sorted(maps.Keys(object))
	if len(all) == 0 {
		return "none"
	}
	text := strings.Join(all[:min(len(all), most)], ", ")
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
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		var object map[string]json.RawMessage
		_ = json.Unmarshal(raw, &object) // for its names alone
		return "an object with " + names(object)
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
