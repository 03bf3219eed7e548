package fn

import (
	"encoding"
	"fmt"
	"log/slog"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

// field is a setting and the struct field it goes to.
type field struct {
	Setting
	goField reflect.StructField
	prefix  string // of the structs around it
	index   []int  // from the outermost struct
}

// fieldsOf lists the settings of struct type t: its fields with an env tag, and those of the structs in it by the
// rules of github.com/caarlos0/env/v11 (envPrefix, init, "-"). A field is secret if its type is, or by secret:"true".
func fieldsOf(t reflect.Type) ([]field, error) {
	if t.Kind() != reflect.Struct {
		return nil, fmt.Errorf("%v is not a struct", t)
	}
	return appendFields(nil, t, "", nil)
}

func appendFields(fields []field, t reflect.Type, prefix string, index []int) ([]field, error) {
	for i := range t.NumField() {
		sf := t.Field(i)
		key, options, _ := strings.Cut(sf.Tag.Get("env"), ",")
		if !sf.IsExported() || key == "-" {
			continue
		}
		at := append(index[:len(index):len(index)], i)
		if key != "" {
			fields = append(fields, newField(sf, prefix, key, options, at))
			continue
		}
		inner := sf.Type
		if inner.Kind() == reflect.Pointer && hasOption(options, "init") {
			inner = inner.Elem()
		}
		switch {
		case inner.Kind() == reflect.Struct:
			var err error
			if fields, err = appendFields(fields, inner, prefix+sf.Tag.Get("envPrefix"), at); err != nil {
				return nil, err
			}
		case sf.Tag.Get("envPrefix") != "":
			// why refused: env would skip it, or read a list whose keys no table could name
			return nil, fmt.Errorf("field %s of %v has an envPrefix, but %v is neither a struct nor a pointer with env:\",init\"", sf.Name, t, sf.Type)
		}
	}
	return fields, nil
}

func newField(sf reflect.StructField, prefix, key, options string, index []int) field {
	value, hasDefault := sf.Tag.Lookup("envDefault")
	return field{
		Setting: Setting{
			Key:      prefix + key,
			Type:     words(sf.Type),
			Default:  value,
			Required: !hasDefault && (hasOption(options, "required") || hasOption(options, "notEmpty")),
			Secret:   isSecret(sf.Type) || sf.Tag.Get("secret") == "true",
			Doc:      sf.Tag.Get("doc"),
		},
		goField: sf,
		prefix:  prefix,
		index:   index,
	}
}

func hasOption(options, name string) bool {
	for option := range strings.SplitSeq(options, ",") {
		if option == name {
			return true
		}
	}
	return false
}

const wordText = "text"

// words says what text a setting of type t takes. It is empty for a type that reads text itself: its error says it.
func words(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "a duration such as 500ms, 30s or 1h30m"
	case reflect.TypeFor[slog.Level]():
		return "debug, info, warn or error"
	case reflect.TypeFor[url.URL]():
		return "a URL"
	case reflect.TypeFor[secret.String]():
		return wordText
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return ""
	}
	return wordsOfKind(t)
}

func wordsOfKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return words(t.Elem())
	case reflect.Slice:
		const list = "a list, separated by commas"
		if of := words(t.Elem()); of != "" && of != wordText {
			return list + ", of: " + of
		}
		return list
	case reflect.Map:
		return "a list of key:value, separated by commas"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int32: // why 32 bits for int: so env reads it
		return "a whole number of 32 bits"
	case reflect.Int8, reflect.Int16, reflect.Int64:
		return fmt.Sprintf("a whole number of %d bits", t.Bits())
	case reflect.Uint, reflect.Uint32:
		return "a whole number of 32 bits, not negative"
	case reflect.Uint8, reflect.Uint16, reflect.Uint64:
		return fmt.Sprintf("a whole number of %d bits, not negative", t.Bits())
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return wordText
	}
}
