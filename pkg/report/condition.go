package report

import (
	"math"
	"strconv"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

func (l *loader) conditions(n *yamlfile.Node) (all []dataset.Condition) {
	for _, c := range l.List(n) {
		t := l.Table(c, "a condition", "column", "op", "value", "values")
		condition := dataset.Condition{Op: dataset.Compare(t.Choice("op",
			string(dataset.Equal), string(dataset.NotEqual), string(dataset.Less), string(dataset.LessEqual),
			string(dataset.Greater), string(dataset.GreaterEqual), string(dataset.In), string(dataset.IsNull),
			string(dataset.NotNull)))}
		if at := t.Need("column"); at != nil {
			condition.Column = l.column(at)
		}
		condition.Values = l.values(c, t, condition.Op)
		all = append(all, condition)
	}
	return all
}

func (l *loader) values(at *yamlfile.Node, t *yamlfile.Table, op dataset.Compare) (values []any) {
	one, many := t.Get("value"), t.Get("values")
	switch op {
	case dataset.IsNull, dataset.NotNull:
		if one != nil || many != nil {
			l.Fault(at, "take value out", "%q compares with nothing", op)
		}
		return nil
	case dataset.In:
		if many == nil || one != nil {
			l.Fault(at, "write values: [a, b]", "in needs the setting \"values\"")
			return nil
		}
		for _, n := range l.Texts(many, "values") {
			values = append(values, scalarValue(n))
		}
		return values
	}
	if one == nil || many != nil || one.Kind != yamlfile.Scalar {
		l.Fault(at, "write value: and one of them", "%q compares with one value", op)
		return nil
	}
	return []any{scalarValue(one)}
}

// scalarValue is what a scalar means: without quotes, true and false and numbers; text otherwise.
func scalarValue(n *yamlfile.Node) any {
	if !n.Plain {
		return n.Text
	}
	if i, err := strconv.ParseInt(n.Text, 10, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(n.Text, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
		return f
	}
	switch n.Text {
	case "true":
		return true
	case "false":
		return false
	}
	return n.Text
}

// fit makes of a value that the file has one of a column's type, where it is one: a number for text, a moment for a
// timestamp.
func fit(value any, to dataset.Type, zone *time.Location) any {
	switch v := value.(type) {
	case int64:
		switch to {
		case dataset.Float:
			return float64(v)
		case dataset.String:
			return strconv.FormatInt(v, 10)
		}
	case float64:
		if to == dataset.String {
			return strconv.FormatFloat(v, 'f', -1, 64)
		}
	case bool:
		if to == dataset.String {
			return strconv.FormatBool(v)
		}
	case string:
		if to == dataset.Timestamp {
			if at, ok := parseMoment(v, zone); ok {
				return at
			}
		}
	}
	return value
}
