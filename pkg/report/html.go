package report

import (
	"bytes"
	"context"
	_ "embed" // the page
	"fmt"
	"html/template"
	"math"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

// HTML is the report for people: one file that needs nothing else. It gives up when ctx ends.
func (r *Report) HTML(ctx context.Context) ([]byte, error) {
	p := &page{Report: r, Words: r.Language.words(), Style: template.CSS(styleText)} // our own file
	for i := range r.Parts {
		b, err := p.block(ctx, i)
		if err != nil {
			p.close()
			return nil, fmt.Errorf("report %s: %s %q: %w", r.Name, r.Parts[i].Kind, r.Parts[i].Title, err)
		}
		p.Blocks = append(p.Blocks, b)
	}
	p.close()
	p.even()
	parsed, err := template.New("page").Parse(pageText)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := parsed.Execute(&out, p); err != nil {
		return nil, fmt.Errorf("report %s: %w", r.Name, err)
	}
	return out.Bytes(), nil
}

// page is what the template gets.
type page struct {
	*Report
	Words  words
	Style  template.CSS
	Blocks []block
	engine *engine // nil until there is a chart
}

// block is a part, ready to be written.
type block struct {
	ID          string
	Title, Kind string
	Desc        string
	First, Last bool // of numbers that follow on each other
	Whole       bool // takes both columns
	Number      *numberBlock
	Charts      []chartBlock
	Legend      []legendEntry
	Round       bool
	Heads       []string
	Rows        []rowBlock
	Note        string
	Numeric     []bool // by column
}

type rowBlock struct {
	Cells  []string
	Others bool
}

type numberBlock struct{ Value, Before, Change, Class, Arrow, Direction string }

type chartBlock struct {
	Class         string
	Width, Height int
	SVG           template.HTML
}

type legendEntry struct{ Class, Name, Value, Share string }

func (p *page) close() {
	if p.engine != nil {
		p.engine.close()
	}
}

func (p *page) block(ctx context.Context, i int) (b block, err error) {
	part := p.Parts[i]
	b = block{ID: fmt.Sprintf("part%d", i+1), Title: part.Title, Kind: part.Kind}
	if part.Kind == number {
		b.Number = numberOf(part, p.Words)
		b.First = i == 0 || p.Parts[i-1].Kind != number
		b.Last = i == len(p.Parts)-1 || p.Parts[i+1].Kind != number
		return b, nil
	}
	b.table(part, p.Words)
	if part.Kind == table || len(part.Rows) == 0 {
		return b, nil
	}
	if p.engine == nil {
		if p.engine, err = newEngine(ctx); err != nil {
			return b, err
		}
	}
	d := newDrawing(part, p.Words)
	b.Desc = d.describe(part, p.Words)
	b.legend(d, part)
	for _, s := range sizes() {
		option, width, height := d.option(s)
		drawn, err := p.engine.svg(option, width, height, part.Format)
		if err != nil {
			return b, err
		}
		clean, err := cleanSVG(drawn)
		if err != nil {
			return b, err
		}
		clean += d.middle(part)
		// cleanSVG leaves nothing but shapes and escaped text
		b.Charts = append(b.Charts, chartBlock{s.class, width, height, template.HTML(clean)})
		if b.Round {
			b.Charts[0].Class = "any"
			break
		}
	}
	return b, nil
}

// even lets the last of an odd number of cards take both columns.
func (p *page) even() {
	n := 0
	for i := range p.Blocks {
		if p.Blocks[i].Number != nil {
			n = 0
			continue
		}
		n++
		last := i == len(p.Blocks)-1 || p.Blocks[i+1].Number != nil
		p.Blocks[i].Whole = last && n%2 == 1
	}
}

func numberOf(p Part, w words) *numberBlock {
	n := &numberBlock{Value: p.Format.text(p.Value.any), Before: p.Format.text(p.Figure.Before.any), Class: "same"}
	if p.Value.any == nil {
		n.Value = "–"
	}
	switch {
	case p.Change == nil:
		n.Change = w.NothingBefore
		if p.Figure.Before.any != nil {
			n.Change = ""
		}
	case *p.Change == 0:
		n.Change = w.Unchanged
	default:
		n.Arrow, n.Direction = "▲", w.Up
		if *p.Change < 0 {
			n.Arrow, n.Direction = "▼", w.Down
		}
		n.Change = change(*p.Change)
		if p.Format == Percent { // why: a percent of percents reads as if it were of the whole
			now, _ := asNumber(p.Value.any)
			before, _ := asNumber(p.Figure.Before.any)
			n.Change = points(now-before) + " " + w.Points
		}
		good := *p.Change > 0 && p.Better == "more" || *p.Change < 0 && p.Better == "less"
		switch {
		case good:
			n.Class = "good"
		case p.Better != "":
			n.Class = "bad"
		}
	}
	return n
}

// table writes the numbers of a part.
func (b *block) table(p Part, w words) {
	for _, h := range p.Columns {
		b.Heads = append(b.Heads, headText(h, w))
	}
	b.Numeric = make([]bool, len(b.Heads))
	line := func(others bool, values []Value) {
		row := rowBlock{Others: others}
		for j, v := range values {
			text := visible(v.any, w)
			if isNumber(v.any) {
				b.Numeric[j] = true
				if f := p.Columns[j].format; f != "" {
					text = f.text(v.any)
				}
			}
			row.Cells = append(row.Cells, text)
		}
		b.Rows = append(b.Rows, row)
	}
	for _, row := range p.Rows {
		line(false, row)
	}
	if p.Others != nil {
		line(true, append([]Value{{othersLabel(w, p.Others.Groups)}}, p.Others.Values...))
	}
	if p.Left > 0 {
		b.Note = fmt.Sprintf(w.More, p.Left)
	}
}

func isNumber(value any) bool {
	switch value.(type) {
	case int64, float64:
		return true
	}
	return false
}

// legend names the colours: of series, or of the parts of a pie with their shares.
func (b *block) legend(d *drawing, p Part) {
	b.Round = p.Kind == pie || p.Kind == donut
	if !b.Round {
		for j, name := range d.names {
			if len(d.names) > 1 || p.series {
				b.Legend = append(b.Legend, legendEntry{Class: class(d.colors[j]), Name: name})
			}
		}
		return
	}
	total := d.total()
	for i, name := range d.labels {
		e := legendEntry{Class: class(d.colors[i]), Name: name, Value: "–"}
		if f, ok := d.values[0][i].(float64); ok {
			e.Value = p.Format.float(f, false)
			if f > 0 && total > 0 {
				e.Share = Percent.float(f/total, true)
			}
		}
		b.Legend = append(b.Legend, e)
	}
}

// total is that of a pie.
func (d *drawing) total() (sum float64) {
	for _, v := range d.values[0] {
		if f, ok := v.(float64); ok && f > 0 {
			sum += f
		}
	}
	return sum
}

// middle is the text in a donut: the sum, where there is one.
func (d *drawing) middle(p Part) string {
	if d.kind != donut || !p.sums || len(d.values) == 0 {
		return ""
	}
	text := p.Format.text(d.total())
	if len(text) > 8 {
		text = p.Format.short(d.total())
	}
	return fmt.Sprintf(`<text x="%d" y="%d" text-anchor="middle" dominant-baseline="central" font-size="24" font-weight="600" fill="var(--text)">%s</text>`,
		roundSize/2, roundSize/2, template.HTMLEscapeString(text))
}

// class is that of a colour: var(--s1) is s1.
func class(color string) string { return strings.TrimSuffix(strings.TrimPrefix(color, "var(--"), ")") }

// describe says what a chart shows, for who does not see it.
func (d *drawing) describe(p Part, w words) string {
	var most []string
	for j, name := range d.names {
		best, at := math.Inf(-1), -1
		for i, v := range d.values[j] {
			if f, ok := v.(float64); ok && f > best {
				best, at = f, i
			}
		}
		if at >= 0 {
			most = append(most, fmt.Sprintf("%s: %s %s (%s)", fitText(name, 300), w.Most, p.Format.text(best), fitText(d.labels[at], 300)))
		}
	}
	return fmt.Sprintf("%s. %s", w.Kinds[p.Kind], strings.Join(most, "; "))
}
