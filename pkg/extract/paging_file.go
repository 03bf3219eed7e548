package extract

import (
	"github.com/scf-etl/scf-etl/pkg/transform"
)

// Kinds of paging.
const (
	pagingNone   = "none"
	pagingLink   = "link"
	pagingCursor = "cursor"
	pagingPage   = "page"
)

// pagingFile is how one page follows on another.
type pagingFile struct {
	kind  string
	rel   string   // link
	path  jsonPath // cursor: where the page has it
	more  jsonPath // cursor: where the page says whether there is more; nil: nowhere
	param string   // cursor, page: of the query
	first int      // page
	step  int      // page
	size  int      // page: records of a full one; 0: not known
}

const mostNumber = 1 << 40

func (l *loader) paging(s transform.Section, format formatFile) pagingFile {
	if !s.Present() || s.IsText() && s.Text("paging") == pagingNone {
		return pagingFile{kind: pagingNone}
	}
	t := s.Table("paging", pagingLink, pagingCursor, pagingPage)
	p := pagingFile{kind: pagingNone}
	for _, kind := range []string{pagingLink, pagingCursor, pagingPage} {
		n := t.Get(kind)
		if !n.Present() {
			continue
		}
		if p.kind != pagingNone {
			n.Fault("keep one", "paging is %s and %s", p.kind, kind)
			continue
		}
		p.kind = kind
		switch kind {
		case pagingLink:
			p.rel = n.Text("link")
		case pagingCursor:
			l.pagingCursor(&p, n.Table("cursor", "path", "param", "more"), format)
		default:
			c := n.Table("page", "param", "first", "step", "size")
			p.param = c.Need("param").Text("param")
			p.first, p.step, p.size = c.Number("first", 1, 0, mostNumber), c.Number("step", 1, 1, mostNumber), c.Number("size", 0, 1, mostNumber)
		}
	}
	if p.kind == pagingNone && s.IsText() {
		return p // which is a fault already
	}
	if p.kind == pagingNone {
		s.Fault("write none, {link: next}, {cursor: ...} or {page: ...}", "paging says nothing")
	}
	return p
}

func (l *loader) pagingCursor(p *pagingFile, t transform.Table, format formatFile) {
	p.path, p.param = readPath(t.Need("path"), "path"), t.Need("param").Text("param")
	p.more = readPath(t.Get("more"), "more")
	if format.kind != formatJSON {
		t.Section().Fault("write paging: {link: next} or {page: ...}", "a page of %s has no place for a cursor", format.kind)
	}
}
