package dataset

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// coerce gives a value of a query as one of a column's type: int64 (of a Timestamp its milliseconds), float64, bool or
// string.
func coerce(kind Type, value any) (any, error) {
	switch v := value.(type) {
	case int:
		return coerce(kind, int64(v))
	case int32:
		return coerce(kind, int64(v))
	case float32:
		return coerce(kind, float64(v))
	case []byte:
		return coerce(kind, string(v))
	case time.Time:
		switch kind {
		case Timestamp:
			return v.UnixMilli(), nil
		case String:
			return v.UTC().Format(time.RFC3339), nil
		}
	case int64:
		switch kind {
		case Int, Timestamp:
			return v, nil
		case Float:
			return float64(v), nil
		case String:
			return strconv.FormatInt(v, 10), nil
		}
	case float64:
		switch kind {
		case Float:
			return v, nil
		case Int, Timestamp:
			if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
				return int64(v), nil
			}
		}
	case bool:
		if kind == Bool {
			return v, nil
		}
	case string:
		return coerceText(kind, v)
	}
	return nil, fmt.Errorf("%w: %v (%T) is no value of a column of type %s", ErrQuery, value, value, kind)
}

func coerceText(kind Type, text string) (any, error) {
	switch kind {
	case String, Bytes:
		return text, nil
	case Int:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return n, nil
		}
	case Float:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return f, nil
		}
	case Bool:
		if b, err := strconv.ParseBool(text); err == nil {
			return b, nil
		}
	case Timestamp:
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", time.DateOnly} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UnixMilli(), nil
			}
		}
	}
	return nil, fmt.Errorf("%w: %.100q is no value of a column of type %s", ErrQuery, text, kind)
}

// compareValues orders two of the same type as [coerce] or an answer has them; nil comes first, NaN behind it.
func compareValues(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(rank(a), rank(b))
	}
	switch a := a.(type) {
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b)
		}
	case float64:
		if b, ok := b.(float64); ok {
			return cmp.Compare(a, b)
		}
	case string:
		if b, ok := b.(string); ok {
			return strings.Compare(a, b)
		}
	case []byte:
		if b, ok := b.([]byte); ok {
			return bytes.Compare(a, b)
		}
	case bool:
		if b, ok := b.(bool); ok {
			return cmp.Compare(truth(a), truth(b))
		}
	case time.Time:
		if b, ok := b.(time.Time); ok {
			return a.Compare(b)
		}
	}
	return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func rank(v any) int { return truth(v != nil) }

func truth(b bool) int {
	if b {
		return 1
	}
	return 0
}
