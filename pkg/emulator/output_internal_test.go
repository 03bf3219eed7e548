package emulator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOutput(t *testing.T) {
	t.Parallel()
	t.Run("what is written before the end belongs to the section, however much it is", func(t *testing.T) {
		t.Parallel()
		o, err := newOutput(1<<20, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer o.close()
		for n := range 50 {
			want := strings.Repeat(fmt.Sprintf("section %d\n", n), n*100)
			if _, err := o.write.WriteString(want); err != nil {
				t.Fatal(err)
			}
			if got, dropped := o.end(); string(got) != want || dropped != 0 {
				t.Fatalf("section %d: got %d bytes, want %d", n, len(got), len(want))
			}
		}
	})
	t.Run("what looks like the beginning of a mark is output", func(t *testing.T) {
		t.Parallel()
		o, err := newOutput(1000, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer o.close()
		want := string(o.mark[:10]) + "text" + string(o.mark[:len(o.mark)-1])
		for _, part := range []string{want[:5], want[5:20], want[20:]} {
			if _, err := o.write.WriteString(part); err != nil {
				t.Fatal(err)
			}
		}
		if got, _ := o.end(); string(got) != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("the line hook gets whole lines with the invocation that wrote them", func(t *testing.T) {
		t.Parallel()
		var got []string
		o, err := newOutput(1000, func(id string, line []byte) { got = append(got, id+": "+string(line)) })
		if err != nil {
			t.Fatal(err)
		}
		for _, section := range []struct{ id, text string }{{"", "starting\n"}, {"a", "one\ntwo\nhalf"}, {"b", "three\n"}} {
			o.begin(section.id)
			if _, err := o.write.WriteString(section.text); err != nil {
				t.Fatal(err)
			}
			o.end()
		}
		o.close()
		want := []string{": starting", "a: one", "a: two", "a: half", "b: three"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
	t.Run("end after close does not block", func(t *testing.T) {
		t.Parallel()
		o, err := newOutput(1000, nil)
		if err != nil {
			t.Fatal(err)
		}
		o.close()
		if got, _ := o.end(); len(got) != 0 {
			t.Errorf("got %q", got)
		}
	})
}
