package extract

import (
	"context"
	"net/http"
	"time"
)

// SetFault has every run call fault at each of its points.
func (e *Extractor) SetFault(fault func(point string)) { e.fault = fault }

// SetWait replaces how an HTTP source waits, and for how long it tries again.
func (e *Extractor) SetWait(wait func(context.Context, time.Duration) error, retryFor time.Duration) {
	s := e.source.(*httpSource)
	s.wait, s.retryFor = wait, retryFor
}

// ReadPage reads a body as a source of a format would.
func ReadPage(format string, body []byte, path ...string) (values [][]byte, err error) {
	d, err := formatFile{kind: format, separator: ',', records: path}.read(body, pagingFile{kind: pagingCursor, path: jsonPath{"next"}})
	for _, i := range d.items {
		values = append(values, i.bytes())
	}
	return values, err
}

// LinkTarget finds a relation in headers.
func LinkTarget(h http.Header, rel string) string { return linkTarget(h, rel) }

// QueryByTime is how a database is asked for a page, where the column of the time is of a type.
func QueryByTime(f *File, kind, full string) (string, error) {
	opened, err := f.open()
	if err != nil {
		return "", err
	}
	defer opened.close()
	s := opened.(*databaseSource)
	r, err := s.dialect.prepare(s.databaseFile, map[string]column{s.key: {kind: "bigint", full: "bigint"}, s.time: {kind: kind, full: full}})
	if err != nil {
		return "", err
	}
	return r.next, nil
}
