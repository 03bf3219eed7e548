package extract

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"golang.org/x/time/rate"
)

// httpSource reads an API.
type httpSource struct {
	httpFile
	client   *http.Client
	limiter  *rate.Limiter
	seen     map[string]bool // pages of this run, by where they are
	wait     func(context.Context, time.Duration) error
	retryFor time.Duration
}

func newHTTPSource(f httpFile) *httpSource {
	s := &httpSource{
		httpFile: f, limiter: rate.NewLimiter(rate.Inf, 1), wait: pause, retryFor: defaultRetryFor,
		client: &http.Client{
			Transport:     f.transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	if f.rate > 0 {
		s.limiter = rate.NewLimiter(rate.Limit(f.rate), 1)
	}
	s.begin()
	return s
}

func (s *httpSource) kind() string { return "http " + s.format.kind + " " + s.paging.kind }

func (s *httpSource) begin() { s.seen = map[string]bool{} }

func (s *httpSource) close() { s.client.CloseIdleConnections() }

// httpState is where an API goes on.
type httpState struct {
	place
	Valid  validators  `json:"valid,omitzero"`   // of that page, where it was the last one
	Before *place      `json:"before,omitempty"` // the page before it
	First  *validators `json:"first,omitempty"`  // restart: of the first page of this turn
	Done   bool        `json:"done,omitempty"`   // restart: the turn is over
	Header string      `json:"header,omitempty"` // csv: digest of the columns

	Again bool `json:"again,omitempty"` // resume, by number: the page after this one has records, so this one is full by now
	Sure  bool `json:"sure,omitempty"`  // resume, by number: the page before this one was read when it was full
	Full  int  `json:"full,omitempty"`  // resume, by number: the most records that such a page had
}

// place is a page, and what was taken of it.
type place struct {
	At    string `json:"at,omitempty"` // number, cursor, or address; "": the first page
	Taken int    `json:"taken,omitempty"`
	Sum   string `json:"sum,omitempty"` // of the records that were taken
}

// validators tell whether a page has changed.
type validators struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
	Sum      string `json:"sum,omitempty"` // restart: of the records
}

func (s *httpSource) page(ctx context.Context, state json.RawMessage) (page, error) {
	var from httpState
	if state != nil {
		if err := json.Unmarshal(state, &from); err != nil {
			return page{}, fmt.Errorf("%w: %w", ErrCursor, err)
		}
	}
	p, err := s.read(ctx, from)
	if err != nil {
		return page{}, s.secrets.error(err)
	}
	return p, nil
}

// read asks for a page and says what comes after it.
func (s *httpSource) read(ctx context.Context, from httpState) (page, error) {
	from = s.turn(from)
	known := from.Valid
	if from.Done {
		known = *from.First
	}
	address, name, err := s.address(from.At)
	if err != nil {
		return page{}, err
	}
	a, err := s.get(ctx, address, name, known)
	if err != nil {
		return page{}, err
	}
	s.seen[from.At] = true
	p := page{name: name, bytes: int64(len(a.body))}
	if a.unchanged {
		return p.end(from)
	}
	d, err := s.document(a)
	if err != nil {
		return page{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := from.sameHeader(d); err != nil {
		return page{}, fmt.Errorf("%s: %w", name, err)
	}
	next, err := s.next(from.At, d, a)
	if err != nil {
		return page{}, fmt.Errorf("%s: %w", name, err)
	}
	now := validators{ETag: a.header.Get("ETag"), Modified: a.header.Get("Last-Modified"), Sum: digest(d.items)}
	if from.Done && next == "" && now.Sum == from.First.Sum {
		from.First = &now
		return p.end(from)
	}
	if from.Done { // another turn
		from = httpState{Header: from.Header}
	}
	if err := s.circle(from, next, d, now.Sum); err != nil {
		return page{}, fmt.Errorf("%s: %w", name, err)
	}
	if s.unsure(from, d) {
		delete(s.seen, from.At)
		return p.with(httpState{place: *from.Before, Again: true, Full: from.Full, Header: from.Header})
	}
	if err := from.begins(d.items); err != nil {
		return page{}, fmt.Errorf("%s: %w", name, err)
	}
	p.items, p.first = d.items[from.Taken:], from.Taken
	to := s.after(from, next, len(d.items), now)
	to.Header = d.header
	if next == "" {
		return p.end(to)
	}
	return p.with(to)
}

// turn begins a new one with then: restart where the state is none of a turn, but was left
// by then: resume. Each state of a turn has its first page.
func (s *httpSource) turn(from httpState) httpState {
	if from.First == nil && (s.restart || from.Done) {
		return httpState{Header: from.Header}
	}
	return from
}

// document reads the body.
func (s *httpSource) document(a answer) (document, error) {
	if a.status == http.StatusNoContent {
		return document{}, nil
	}
	d, err := s.format.read(a.body, s.paging)
	if err == nil {
		return d, nil
	}
	// why again: of a secret that an excerpt ends in the rest would not be known as one
	if _, covered := s.format.read(s.secrets.body(a.body), s.paging); covered != nil {
		err = covered
	}
	if !errors.Is(err, ErrSchema) {
		return d, refusal("%w", err)
	}
	return d, err
}

// unsure says that the page before this one has to be read again before records of this one are taken: it may have been
// read when it was not full yet. It is now, because this one has records. That is so of pages by number that only grow at
// the end, whose size nobody has told; what is learnt of one page is taken to be the size of all.
func (s *httpSource) unsure(from httpState, d document) bool {
	if s.restart || s.paging.kind != pagingPage || from.Before == nil || from.Sure || from.Taken > 0 || len(d.items) == 0 {
		return false
	}
	full := max(s.paging.size, from.Full)
	return full == 0 || from.Before.Taken < full
}

// after is the state behind a page with so many records.
func (s *httpSource) after(from httpState, next string, records int, now validators) httpState {
	this := place{At: from.At, Taken: records, Sum: now.Sum}
	if s.restart {
		first := from.First
		if from.At == "" {
			first = &now
		}
		if next == "" {
			return httpState{Done: true, First: first}
		}
		return httpState{place: place{At: next}, Before: &this, First: first}
	}
	now.Sum = "" // this has it
	full := from.Full
	if from.Again {
		full = max(full, records)
	}
	switch {
	case next != "":
		return httpState{place: place{At: next}, Before: &this, Sure: from.Again, Full: full}
	case records == 0 && from.Before != nil && s.paging.kind != pagingCursor:
		// More may come at the end of the page before it, where numbers count the records.
		return httpState{place: *from.Before, Full: full}
	}
	return httpState{place: this, Valid: now, Before: from.Before, Full: full}
}

// begins makes sure that what was taken of a page is still its beginning.
func (f httpState) begins(items []item) error {
	switch {
	case len(items) < f.Taken:
		return fmt.Errorf("%w: %d records were taken of the page, and now it has %d (then: resume is for sources that only grow at the end)", ErrChanged, f.Taken, len(items))
	case digest(items[:f.Taken]) != f.Sum:
		return fmt.Errorf("%w: the first %d records of the page are not those that were taken (then: resume is for sources that only grow at the end)", ErrChanged, f.Taken)
	}
	return nil
}

func (f httpState) sameHeader(d document) error {
	if f.Header == "" || d.header == "" || f.Header == d.header {
		return nil
	}
	return fmt.Errorf("%w: the columns are not those of the pages before: name those that are needed with columns, and others may come and go", ErrSchema)
}

// circle finds a source that gives the same again and again.
func (s *httpSource) circle(from httpState, next string, d document, sum string) error {
	if next != "" && s.seen[next] {
		return fmt.Errorf("%w: %s was read in this run already", ErrRepeated, s.where(next))
	}
	if b := from.Before; b != nil && len(d.items) > 0 && b.Taken == len(d.items) && b.Sum == sum && from.Taken == 0 {
		return fmt.Errorf("%w: it has the same %d records as the page before it (%s): does the source know the parameter?", ErrRepeated, len(d.items), s.where(b.At))
	}
	return nil
}

// next is where the page after this one is; "" where there is none at the moment.
func (s *httpSource) next(at string, d document, a answer) (string, error) {
	switch p := s.paging; p.kind {
	case pagingLink:
		return s.link(a)
	case pagingCursor:
		next := string(d.next)
		switch {
		case !d.more:
			return "", nil
		case next == at && len(d.items) == 0:
			return "", nil // nothing has come since
		case next == at && next != "":
			return "", fmt.Errorf("%w: the cursor %.100q does not move, and there are %d records", ErrRepeated, next, len(d.items))
		}
		return next, nil
	case pagingPage:
		if len(d.items) == 0 || len(d.items) < p.size {
			return "", nil
		}
		number, err := s.number(at)
		if err != nil {
			return "", err
		}
		return strconv.Itoa(number + p.step), nil
	}
	return "", nil
}

// number is that of a page.
func (s *httpSource) number(at string) (int, error) {
	if at == "" {
		return s.paging.first, nil
	}
	n, err := strconv.Atoi(at)
	if err != nil || n < 0 || n > mostNumber+mostNumber {
		return 0, fmt.Errorf("%w: %.40q is no number of a page", ErrCursor, at)
	}
	return n, nil
}

// address is that of a page, and how errors name it.
func (s *httpSource) address(at string) (*url.URL, string, error) {
	u := *s.url
	switch {
	case s.paging.kind == pagingLink && at != "":
		to, err := u.Parse(at)
		if err != nil {
			return nil, "", fmt.Errorf("%w: it has no address", ErrCursor)
		}
		// why again: the cursor may be of another file, or of a release that kept addresses in another way
		if err := s.allowed(s.url, to); err != nil {
			return nil, "", fmt.Errorf("the committed cursor: %w", err)
		}
		return to, plain(to), nil
	case s.paging.kind == pagingPage:
		n, err := s.number(at)
		if err != nil {
			return nil, "", err
		}
		at = strconv.Itoa(n)
	case at == "":
		return &u, plain(&u), nil
	}
	query := u.Query()
	query.Set(s.paging.param, at)
	u.RawQuery = query.Encode()
	return &u, plain(&u) + " " + s.where(at), nil
}

// where names a page in errors.
func (s *httpSource) where(at string) string {
	if at == "" {
		return "the first page"
	}
	if s.paging.kind == pagingLink {
		if u, err := s.url.Parse(at); err == nil {
			return plain(u)
		}
	}
	return fmt.Sprintf("%s %.100s", s.paging.param, at)
}

// plain is an address without its query, in which there may be secrets.
func plain(u *url.URL) string { return u.Scheme + "://" + u.Host + u.Path }

// with completes a page.
func (p page) with(to httpState) (page, error) {
	state, err := json.Marshal(to)
	p.state = state
	return p, err
}

func (p page) end(to httpState) (page, error) {
	p.last = true
	return p.with(to)
}
