package report

import (
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
)

// svgParts are the elements and attributes that a chart is made of, and nothing else gets into a page: no style, no
// script, no link, no name that could be one of the page's own.
func svgParts() map[string][]string {
	paint := []string{
		"fill", "fill-opacity", "fill-rule", "stroke", "stroke-opacity", "stroke-width", "stroke-linecap", "stroke-linejoin",
		"stroke-dasharray", "stroke-miterlimit", "opacity", "transform",
	}
	with := func(more ...string) []string { return append(more, paint...) }
	return map[string][]string{
		"g":        with(),
		"path":     with("d"),
		"rect":     with("x", "y", "width", "height", "rx", "ry"),
		"circle":   with("cx", "cy", "r"),
		"line":     with("x1", "y1", "x2", "y2"),
		"polyline": with("points"),
		"polygon":  with("points"),
		"text":     with("x", "y", "text-anchor", "dominant-baseline", "font-size", "font-weight"),
		"tspan":    with("x", "y", "dx", "dy"),
	}
}

var (
	svgValue = regexp.MustCompile(`^[A-Za-z0-9 ,.()+#-]*$`)
	fontSize = regexp.MustCompile(`font-size:([0-9.]+)px`)
	weight   = regexp.MustCompile(`font-weight:(bold|[1-9]00)`)
)

// cleanSVG writes what is inside of the svg element of text once more, of the parts above alone.
func cleanSVG(text string) (string, error) {
	parts := svgParts()
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = true
	var out strings.Builder
	var open []string // elements that are written, or "" for one that is left out but not its content
	skip := 0         // elements that are left out whole
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return "", fmt.Errorf("the chart is no SVG: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			name := t.Name.Local
			allowed, known := parts[name]
			switch {
			case skip > 0 || !known && name != "svg":
				skip++
				continue
			case name == "svg":
				open = append(open, "")
				continue
			}
			open = append(open, name)
			startElement(&out, name, t.Attr, allowed)
		case xml.EndElement:
			if skip > 0 {
				skip--
				continue
			}
			if name := open[len(open)-1]; name != "" {
				out.WriteString("</" + name + ">")
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if n := len(open); skip == 0 && n > 0 && (open[n-1] == "text" || open[n-1] == "tspan") {
				out.WriteString(html.EscapeString(string(t)))
			}
		}
	}
}

func startElement(out *strings.Builder, name string, attributes []xml.Attr, allowed []string) {
	out.WriteString("<" + name)
	write := func(key, value string) {
		for _, a := range allowed {
			if a == key && svgValue.MatchString(value) {
				fmt.Fprintf(out, ` %s="%s"`, key, value)
				return
			}
		}
	}
	for _, a := range attributes {
		if a.Name.Space != "" {
			continue
		}
		if a.Name.Local != "style" {
			write(a.Name.Local, a.Value)
			continue
		}
		// The font's family is that of the page.
		if found := fontSize.FindStringSubmatch(a.Value); found != nil {
			write("font-size", found[1])
		}
		if found := weight.FindStringSubmatch(a.Value); found != nil {
			write("font-weight", found[1])
		}
	}
	out.WriteString(">")
}
