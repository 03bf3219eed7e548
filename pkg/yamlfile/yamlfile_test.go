package yamlfile_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/yamlfile"
)

func TestParse(t *testing.T) {
	t.Parallel()

	t.Run("every value has its place", func(t *testing.T) {
		t.Parallel()
		root, err := yamlfile.Parse("a.yaml", []byte("# first\nname: x\nlist:\n- {a: 1}\n- 'b'\nnone: null\n"))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{"a.yaml:2:7", "a.yaml:4:1", "a.yaml:6:7"} {
			if got := root.Values[i].Pos.String(); got != want {
				t.Errorf("%s is at %s, want %s", root.Keys[i].Text, got, want)
			}
		}
		list := root.Values[1].List
		if len(list) != 2 || list[0].Values[0].Text != "1" || !list[0].Values[0].Plain || list[1].Text != "b" || list[1].Plain {
			t.Errorf("the list is %+v", list)
		}
		if root.Values[2].Kind != yamlfile.Nothing {
			t.Errorf("null is of kind %d", root.Values[2].Kind)
		}
	})

	for name, text := range map[string]string{
		"nothing": "", "two documents": "a: 1\n---\nb: 2\n", "no YAML": "a: [", "not UTF-8": "a: \xff", "an anchor": "a: &x 1\n",
		"too deep": strings.Repeat("[", 100), "too large": strings.Repeat("#\n", 1<<20),
	} {
		t.Run("refused with its place: "+name, func(t *testing.T) {
			t.Parallel()
			_, err := yamlfile.Parse("a.yaml", []byte(text))
			var faults *yamlfile.Error
			if !errors.As(err, &faults) || !strings.HasPrefix(err.Error(), "a.yaml:") {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	root, err := yamlfile.Parse("a.yaml", []byte("nmae: x\nsize: 1000\nkind: lime\nlist: [a, {b: c}]\nevery: -1s\nkind: line\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := &yamlfile.Reader{}
	table := r.Table(root, "the file", "name", "size", "kind", "list", "every")
	table.Need("name")
	table.Number("size", 1, 0, 10)
	table.Choice("kind", "bar", "line")
	r.Texts(table.Get("list"), "list")
	table.Duration("every")
	want := `a.yaml:1:1: the file has no setting "nmae": did you mean "name"?
a.yaml:1:1: the file needs the setting "name": add name:
a.yaml:2:7: size has to be a whole number from 0 to 10
a.yaml:3:7: kind "lime" is not one of: bar, line: did you mean "line"?
a.yaml:4:11: list has to be a list of texts: write [a, b]
a.yaml:5:8: every is no length of time: write 10m, 1h30m or the like
a.yaml:6:1: the file has "kind" twice: keep one`
	if got := r.Err(); got == nil || got.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"a: 1", "- [a, {b: 'c'}]", "a: |\n  b\n", "? a\n: b", "a: &b *c", "{", "!t a"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		root, err := yamlfile.Parse("f", content)
		if (root == nil) == (err == nil) {
			t.Errorf("%v and %v", root, err)
		}
	})
}
