package sls_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

func TestAnErrorSaysWhereWhatAndWhatToDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, want string }{
		"an environment variable that is not set": {
			"service: etl\ncustom:\n  brokers:\n    target: ${env:TARGET_BROKERS}\n",
			"4:13: custom.brokers.target: ${env:TARGET_BROKERS}: is not set in the environment; " +
				"set TARGET_BROKERS, or give a default: ${env:TARGET_BROKERS, 'value'}",
		},
		"a part of a list": {
			"a:\n  - x\n  - ${env:B}\n",
			"3:5: a.1: ${env:B}: is not set in the environment; set B, or give a default: ${env:B, 'value'}",
		},
		"an option that is not given": {
			"a: ${opt:region}", "1:4: a: ${opt:region}: --region is not given; give --region VALUE",
		},
		"a parameter that is not given": {
			"a: ${param:size}", "1:4: a: ${param:size}: no such parameter; give --param size=VALUE, or set params.default.size",
		},
		"a key that the file does not have": {
			"a: ${self:b.c}", "1:4: a: ${self:b.c}: the configuration has no b.c; set it, or give a default: ${self:b.c, 'value'}",
		},
		"a file that does not exist": {
			"a: ${file(x.yml):k}", "1:4: a: ${file(x.yml):k}: x.yml does not exist or is empty; create it, or give a default: ${file(x.yml), 'value'}",
		},
		"a circle": {
			"a: ${self:b}\nb: x${self:c}\nc: ${self:a}", "1:4: a: refers to itself: a -> b -> c -> a; break the circle",
		},
		"an unknown source": {
			"a: ${cf:stack}", `1:4: a: ${cf:stack}: "cf" is no source of variables; the sources are env, opt, self, file, sls, param and strToBool`,
		},
		"a literal without quotes": {
			"a: ${env:A, text}", `1:4: a: no literal (quote a text) at character 10 of "${env:A, text}"`,
		},
		"a variable without its end": {"a: x ${env:A", `1:4: a: a ${ without its } in "x ${env:A"`},
		"a map inside a text": {
			"a: x ${self:b}\nb: { c: 1 }", "1:4: a: ${self:b}: gives a map, which cannot stand inside a text",
		},
		"the number of a run": {"a: ${sls:instanceId}", "1:4: a: ${sls:instanceId}: sls:instanceId is not known here; the only one is ${sls:stage}"},
		"a file of the environment": {
			"useDotenv: true", "1:12: useDotenv: true: .env files are not read here; export the variables before the command, and leave useDotenv out",
		},
		"a key that stands twice": {"a: 1\nb: 2\na: 3", `3:1: the key "a" stands twice in this map; keep one of them`},
		"a dash without a value":  {"a:\n- b\n-\nc: d", "4:1: a - without a value before it; give it one, or write null"},
		"a list with the wrong indentation": {
			"a: b\n  - c", "2:6: a - that continues the unquoted text before it; mend the indentation, or put the text in quotes",
		},
		"a tag":                     {"a: !Ref b", "1:4: the tag !Ref has no meaning here; write the value without it"},
		"an anchor that is unknown": {"a: *b", "1:4: *b names no anchor that ends before it; write &b at the value it stands for"},
		"an explicit key":           {"? a\n: b", "1:1: a key with ? before it; write key: value"},
		"a line with the wrong indentation": {
			"a: text\n  b: c", "",
		},
		"no space after a colon":   {"a: { b:1 }", "1:7: no space after the colon; write key: value, or put a text that holds a colon in quotes"},
		"a tab inside a text":      {"a: b\tc", "1:4: a tab; use spaces, or put the text in quotes"},
		"a bracket inside a text":  {"a: [b]c, d]", ""},
		"a date as a key":          {"2020-01-01: a", "1:1: the key 2020-01-01 is a date; quote it"},
		"a map that is no service": {"- a", "1:1: holds a list where a map of settings is expected"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := write(t, c.file)
			_, err := sls.Load(path, sls.Options{})
			if err == nil {
				t.Fatal("no error")
			}
			if want := path + ":" + c.want; c.want != "" && err.Error() != want {
				t.Errorf("got  %s\nwant %s", err, want)
			}
		})
	}
}

// TestYAMLThatIsReadOtherwise pins what is left of differences between the two parsers, so that a newer one of either is
// noticed. None has been seen outside of tests.
func TestYAMLThatIsReadOtherwise(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ file, framework, here string }{
		"an empty text that keeps its line ends":           {"a: |+\n", "", "\n"},
		"blanks in an empty line of a text without quotes": {"a: b\n\n \n  c\n", "b\n\nc", "b\nc"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, err := sls.Load(write(t, c.file), sls.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := root.Get("a").Text; got != c.here {
				t.Errorf("got %q, where it was %q and the framework gives %q", got, c.here, c.framework)
			}
		})
	}
}

func TestAllFaultsAreToldAtOnceInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	_, err := sls.Load(write(t, "b: ${env:B}\na: ${env:A} ${env:C}\nc: ${self:b}\nd: ${self:a, 'x'}\ne: ok"), sls.Options{})
	var faults sls.Errors
	if !errors.As(err, &faults) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, f := range faults {
		got = append(got, f.Path+" "+f.Value)
	}
	// c and d fail for the faults of b and a: those are told once.
	if want := "b ${env:B}, a ${env:A}"; strings.Join(got, ", ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, ", "), want)
	}
	var one *sls.Error
	if !errors.As(err, &one) || one.Pos.Line != 1 || one.Pos.Column != 4 {
		t.Errorf("the first fault alone is %v", one)
	}
}

func TestAValueKnowsItsPlace(t *testing.T) {
	t.Parallel()
	root, err := sls.Load(write(t, "service: etl\nfunctions:\n  dump:\n    memorySize: ${self:custom.size}\n    list: [a, { b: c }]\n"+
		"custom:\n  size: 1.10\n"), sls.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"functions.dump":            "4:5",
		"functions.dump.memorySize": "4:17", // where it is used, not where its value is from
		"functions.dump.list.1.b":   "5:20",
		"custom.size":               "7:9",
	} {
		v := root.At(strings.Split(path, ".")...)
		if got := v.Pos.String()[strings.Index(v.Pos.String(), ".yml:")+5:]; got != want {
			t.Errorf("%s is at %s, want %s", path, got, want)
		}
	}
	if raw := root.At("custom", "size").Raw; raw != "1.10" {
		t.Errorf("custom.size is spelled %q, want 1.10", raw)
	}
}

func TestAValueKnowsWhetherTheFileHasIt(t *testing.T) {
	t.Parallel()
	root, err := sls.Load(write(t, "a: text\nb: ${env:A}\nc: ${env:B, 'default'}\nd: x${env:A}\ne: ${self:a}\nf: ${opt:stage}"), sls.Options{
		LookupEnv: func(key string) (string, bool) { return "v", key == "A" }, Opts: map[string]string{"stage": "s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"a": true, "b": false, "c": true, "d": false, "e": true, "f": false} {
		if got := root.Get(key).Literal; got != want {
			t.Errorf("%s: literal is %v, want %v", key, got, want)
		}
	}
}
