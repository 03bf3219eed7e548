package emulator_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

var update = flag.Bool("update", false, "write the generated part of README.md")

func TestReadme(t *testing.T) {
	t.Parallel()
	t.Run("its table of rules is that of the code", func(t *testing.T) {
		t.Parallel()
		const begin, end = "by `go test ./pkg/emulator -run Readme -update` -->\n", "<!-- end of rules -->"
		text, err := os.ReadFile("README.md")
		if err != nil {
			t.Fatal(err)
		}
		before, rest, ok := strings.Cut(string(text), begin)
		_, after, ok2 := strings.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatal("README.md has no place for the rules")
		}
		want := before + begin + "\n" + rulesTable() + "\n" + end + after
		if *update {
			if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		if string(text) != want {
			t.Error("README.md is out of date: run go test ./pkg/emulator -run Readme -update")
		}
	})
	t.Run("a setting that a rule names is there", func(t *testing.T) {
		t.Parallel()
		for _, rule := range emulator.Rules() {
			for _, setting := range settingsOf(rule) {
				if !setting.value.IsValid() {
					t.Errorf("rule %s: there is no setting %s", rule.ID, setting.name)
				}
			}
		}
	})
}

// rulesTable is a line for each rule.
func rulesTable() string {
	var b strings.Builder
	b.WriteString("| rule | what is so | source | setting (default) | test |\n| --- | --- | --- | --- | --- |\n")
	tests := conformanceTests()
	for _, rule := range emulator.Rules() {
		var settings []string
		for _, s := range settingsOf(rule) {
			settings = append(settings, s.String())
		}
		name, file := whereIs(tests[rule.ID])
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | [%s](%s) |\n", rule.ID, rule.Text, rule.Source, strings.Join(settings, ", "), name, file)
	}
	return b.String()
}

// setting is a field of Config, KafkaConfig or AsyncConfig with its default.
type setting struct {
	name  string // with the name of its struct
	value reflect.Value
}

func settingsOf(rule emulator.Rule) []setting {
	if rule.Setting == "" {
		return nil
	}
	var list []setting
	for _, name := range strings.Split(rule.Setting, ", ") {
		of, field, _ := strings.Cut(name, ".")
		value := reflect.ValueOf(emulator.Defaults())
		if part, ok := strings.CutSuffix(of, "Config"); ok && part != "" {
			value = value.FieldByName(part)
		}
		list = append(list, setting{name, value.FieldByName(field)})
	}
	return list
}

// String gives the setting as one writes it under custom.local, where it has a
// place there.
func (s setting) String() string {
	name, value := s.name, fmt.Sprint(s.value.Interface())
	of, field, _ := strings.Cut(s.name, ".")
	if of == "AsyncConfig" {
		field = "Async" + field
	}
	switch _, local := reflect.TypeFor[scf.Local]().FieldByName(field); {
	case field == "EmptyNullKey":
		name, value = "nullKey", "None"
	case local:
		name = strings.ToLower(field[:1]) + field[1:]
	}
	return fmt.Sprintf("`%s` (%s)", name, value)
}

// whereIs gives the name of a function and the file that it stands in.
func whereIs(test func(*testing.T)) (name, file string) {
	f := runtime.FuncForPC(reflect.ValueOf(test).Pointer())
	file, _ = f.FileLine(f.Entry())
	name = f.Name()
	return name[strings.LastIndexByte(name, '.')+1:], filepath.Base(file)
}
