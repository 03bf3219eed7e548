package report

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
)

// A chart is drawn twice, for wide and for narrow places; a style sheet shows the one that fits. Lengths are in pixels.
type size struct {
	class         string
	width, height int
	labels        int // width of the names beside horizontal bars
}

func sizes() []size {
	return []size{{"wide", 680, 300, 170}, {"narrow", 360, 260, 112}}
}

type object = map[string]any

const (
	barHeight  = 26
	roundSize  = 240   // of pies
	fontPixels = 12    // of labels
	drawMost   = 1e300 // what is larger is drawn as this: an axis to it still has a length
	textColor  = "var(--muted)"
	gridColor  = "var(--grid)"
	axisColor  = "var(--axis)"
)

// drawing is a grid in the form in which it is drawn.
type drawing struct {
	kind   string
	format Format
	labels []string // of the rows
	names  []string // of the series
	colors []string // of the series; of the rows in a pie
	values [][]any  // by series and row: float64 or nil
	others int      // the row that is put together of others, or -1
	timed  bool
}

// color of the nth series. What is put together of others is grey.
func color(n int, others bool) string {
	if others {
		return "var(--others)"
	}
	return fmt.Sprintf("var(--s%d)", n%maxSeries+1)
}

func newDrawing(p Part, w words) *drawing {
	g := p.Grid
	d := &drawing{kind: p.Kind, format: p.Format, timed: g.timed, others: -1, values: make([][]any, g.measures)}
	for i, row := range g.Rows {
		d.labels = append(d.labels, rowLabel(g, i, w))
		d.add(row[1:])
	}
	if g.Others != nil {
		d.others = len(d.labels)
		d.labels = append(d.labels, othersLabel(w, g.Others.Groups))
		d.add(g.Others.Values)
	}
	for j, h := range g.Columns[1:] {
		d.names = append(d.names, headText(h, w))
		d.colors = append(d.colors, color(j, h.Others > 0))
	}
	if p.Kind == pie || p.Kind == donut {
		d.colors = nil
		for i := range d.labels {
			d.colors = append(d.colors, color(i, i >= len(g.Rows)))
		}
	}
	return d
}

func (d *drawing) add(row []Value) {
	for j, v := range row {
		var drawn any
		if f, ok := asNumber(v.any); ok {
			drawn = min(max(f, -drawMost), drawMost)
		}
		d.values[j] = append(d.values[j], drawn)
	}
}

// rowLabel is what stands beside an axis: of times the hour, or the day where one begins.
func rowLabel(g *Grid, i int, w words) string {
	t, ok := g.Rows[i][0].any.(time.Time)
	if !ok || !g.timed {
		return visible(g.Rows[i][0].any, w)
	}
	last, _ := g.Rows[len(g.Rows)-1][0].any.(time.Time)
	first, _ := g.Rows[0][0].any.(time.Time)
	if first.Format(time.DateOnly) != last.Format(time.DateOnly) && t.Hour() == 0 && t.Minute() == 0 && t.Second() == 0 {
		return t.Format("01-02")
	}
	return t.Format("15:04")
}

// visible is the text of a value, with a word for those that are none.
func visible(value any, w words) string {
	switch value {
	case nil:
		return w.NoValue
	case "":
		return w.Empty
	}
	return plainText(value)
}

func headText(h Head, w words) string {
	switch {
	case h.Others > 0:
		return othersLabel(w, h.Others)
	case h.Null:
		return w.NoValue
	case h.Name == "":
		return w.Empty
	}
	return h.Name
}

func othersLabel(w words, n int) string {
	return fmt.Sprintf("%s (%s)", w.Others, Number.text(int64(n)))
}

// fitText cuts a text in its middle to a width in pixels: names that are long differ at their end as often as at their
// begin. It takes out what cannot be drawn in one line, or would turn the direction of what is around it.
func fitText(text string, width int) string {
	const most = 4096 // characters that are looked at from either end
	runes := []rune(text[:min(len(text), 4*most)])
	if tail := text[max(0, len(text)-4*most):]; len(text) > 4*most {
		runes = append(runes, []rune(tail)...)
	}
	total := 0.0
	for i, r := range runes {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) || r == '\uFFFE' || r == '\uFFFF' {
			runes[i] = ' '
		}
		total += runeWidth(runes[i])
	}
	if total <= float64(width) && len(text) <= 4*most {
		return strings.TrimSpace(string(runes))
	}
	room := (float64(width) - fontPixels) / 2 // for each half, beside the dots
	first, last := 0, len(runes)
	for left := room; first < last && left >= runeWidth(runes[first]); first++ {
		left -= runeWidth(runes[first])
	}
	for left := room; last > first && left >= runeWidth(runes[last-1]); last-- {
		left -= runeWidth(runes[last-1])
	}
	return strings.TrimSpace(string(runes[:first])) + "…" + strings.TrimSpace(string(runes[last:]))
}

// runeWidth is about what a character takes: an ideograph as much as it is high, a letter of an alphabet less.
func runeWidth(r rune) float64 {
	if r >= 0x1100 {
		return fontPixels
	}
	return fontPixels * 0.58
}

// horizontal says that bars lie: those of names, which need the width.
func (d *drawing) horizontal() bool { return !d.timed && (d.kind == bar || d.kind == stacked) }

// option is the chart in the words of ECharts, and how high it is.
func (d *drawing) option(s size) (option object, width, height int) {
	if d.kind == pie || d.kind == donut {
		return d.round(), roundSize, roundSize
	}
	width, height = s.width, s.height
	option = object{
		"animation": false, "silent": true,
		"textStyle": object{"fontSize": fontPixels},
		"grid":      object{"left": 8, "right": 18, "top": 12, "bottom": 4, "outerBoundsMode": "same", "outerBoundsContain": "axisLabel"},
	}
	labels := make([]string, len(d.labels))
	room := 90
	if d.horizontal() {
		room = s.labels
		per := 1
		if d.kind == bar {
			per = max(1, len(d.names))
		}
		height = 44 + len(labels)*(10+per*(barHeight-8))
		option["grid"].(object)["right"] = 52
	}
	for i, text := range d.labels {
		// why a space, which nobody sees: the library keeps texts as keys of plain objects, where "__proto__" and
		// "constructor" have a meaning
		labels[i] = " " + fitText(text, room)
	}
	names := object{
		"type": "category", "data": labels, "boundaryGap": d.kind != line,
		"axisLine": object{"lineStyle": object{"color": axisColor}}, "axisTick": object{"show": false},
		"axisLabel": object{"color": textColor, "fontSize": fontPixels, "hideOverlap": true},
	}
	values := object{
		"type": "value", "axisLine": object{"show": false}, "axisTick": object{"show": false}, "splitNumber": 4,
		"splitLine": object{"lineStyle": object{"color": gridColor}},
		"axisLabel": object{"color": textColor, "fontSize": fontPixels, "formatter": "@value", "hideOverlap": true},
	}
	if d.whole() {
		values["minInterval"] = 1
	}
	if d.horizontal() {
		names["inverse"] = true
		names["axisLabel"].(object)["interval"] = 0
		values["splitNumber"] = 3
		option["yAxis"], option["xAxis"] = names, values
	} else {
		option["xAxis"], option["yAxis"] = names, values
	}
	var series []object
	for j := range d.values {
		series = append(series, d.seriesOf(j))
	}
	option["series"] = series
	return option, width, height
}

// whole says that there are no values between whole numbers, and so no use for them on an axis.
func (d *drawing) whole() bool {
	if d.format != Number {
		return false
	}
	for _, column := range d.values {
		for _, v := range column {
			if f, ok := v.(float64); ok && f != math.Trunc(f) {
				return false
			}
		}
	}
	return true
}

func (d *drawing) seriesOf(j int) object {
	s := object{"name": fmt.Sprint(j), "silent": true, "data": d.values[j], "itemStyle": object{"color": d.colors[j]}}
	switch {
	case d.kind == line:
		s["type"] = "line"
		s["data"] = d.linePoints(j)
		s["symbol"], s["symbolSize"] = "circle", 5
		s["showSymbol"], s["showAllSymbol"] = true, true
		s["lineStyle"] = object{"width": 2, "color": d.colors[j]}
		if len(d.values) == 1 {
			s["areaStyle"] = object{"color": d.colors[j], "opacity": 0.12}
		}
	case d.kind == stacked:
		s["type"], s["stack"], s["barMaxWidth"] = "bar", "all", 48
	default:
		s["type"], s["barMaxWidth"] = "bar", 48
		if len(d.values) == 1 && d.horizontal() {
			s["barMaxWidth"] = barHeight - 8
			s["label"] = object{"show": true, "position": "right", "formatter": "@value", "color": textColor, "fontSize": fontPixels}
		}
		if len(d.values) == 1 {
			s["data"] = d.single()
		}
		s["itemStyle"].(object)["borderRadius"] = 2
	}
	return s
}

// single are the bars of the only series: the number of one that goes to the left is on its left, others are grey.
func (d *drawing) single() []any {
	out := make([]any, len(d.values[0]))
	for i, v := range d.values[0] {
		one := object{"value": v}
		if f, ok := v.(float64); ok && f < 0 && d.horizontal() {
			one["label"] = object{"position": "left"}
		}
		if i == d.others {
			one["itemStyle"] = object{"color": color(0, true)}
		}
		out[i] = one
	}
	return out
}

// linePoints marks points: all of a few, and of many those that no line goes to.
func (d *drawing) linePoints(j int) []any {
	const few = 32
	values := d.values[j]
	out := make([]any, len(values))
	for i, v := range values {
		if out[i] = v; v == nil {
			continue
		}
		alone := (i == 0 || values[i-1] == nil) && (i == len(values)-1 || values[i+1] == nil)
		if len(values) > few && !alone {
			out[i] = object{"value": v, "symbol": "none"}
		}
	}
	return out
}

func (d *drawing) round() object {
	radius := []string{"0%", "96%"}
	if d.kind == donut {
		radius = []string{"62%", "96%"}
	}
	var data []object
	for i, v := range d.values[0] {
		if f, ok := v.(float64); ok && f > 0 {
			data = append(data, object{"value": f, "name": fmt.Sprint(i), "itemStyle": object{"color": d.colors[i]}})
		}
	}
	return object{
		"animation": false, "silent": true,
		"series": []object{{
			"type": "pie", "silent": true, "radius": radius, "data": data, "label": object{"show": false},
			"labelLine": object{"show": false}, "emptyCircleStyle": object{"color": gridColor},
			"itemStyle": object{"borderColor": "var(--card)", "borderWidth": 2},
		}},
	}
}
