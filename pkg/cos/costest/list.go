package costest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

func lists(f *fixture) {
	const many = 1005 // more than a page
	var want []string
	var writers sync.WaitGroup
	slots := make(chan struct{}, 16)
	for i := range many {
		key := fmt.Sprintf("k%04d", i)
		want = append(want, key)
		writers.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if _, err := f.bucket.Put(f.ctx, f.prefix+key, strings.NewReader(key), cos.PutOptions{}); err != nil {
				f.Error(err)
			}
		})
	}
	writers.Wait()
	if got := f.keys(cos.ListOptions{}); !slices.Equal(got, want) {
		f.Errorf("got %d keys, want %d", len(got), len(want))
	}
	if got := f.keys(cos.ListOptions{After: "k1000"}); !slices.Equal(got, want[1001:]) {
		f.Errorf("after k1000: got %v", got)
	}
	if got := f.keys(cos.ListOptions{Prefix: "k000"}); !slices.Equal(got, want[:10]) {
		f.Errorf("of k000: got %v", got)
	}
	if got := f.keys(cos.ListOptions{Prefix: "none"}); len(got) != 0 {
		f.Errorf("of none: got %v", got)
	}
	for o, err := range f.bucket.List(f.ctx, cos.ListOptions{Prefix: f.prefix}) {
		if err != nil || o.Size != 5 || o.ETag == "" || o.Modified.IsZero() {
			f.Errorf("got %+v, %v, want size, ETag and time", o, err)
		}
		break // leaves a listing early
	}
}

func listsFolders(f *fixture) {
	for _, key := range []string{"a", "b/1", "b/2", "b/c/3", "b0", "c/1", "d//x", "e"} {
		f.put(key, nil, cos.PutOptions{})
	}
	for _, c := range []struct {
		options cos.ListOptions
		want    []string
	}{
		{cos.ListOptions{Delimiter: "/"}, []string{"a", "b/*", "b0", "c/*", "d/*", "e"}},
		{cos.ListOptions{Delimiter: "/", Prefix: "b/"}, []string{"b/1", "b/2", "b/c/*"}},
		{cos.ListOptions{Delimiter: "/", Prefix: "b"}, []string{"b/*", "b0"}},
		{cos.ListOptions{Delimiter: "/", Prefix: "d/"}, []string{"d//*"}},
		{cos.ListOptions{Delimiter: "/", After: "b/"}, []string{"b0", "c/*", "d/*", "e"}},
		{cos.ListOptions{After: "b/2"}, []string{"b/c/3", "b0", "c/1", "d//x", "e"}},
	} {
		if got := f.keys(c.options); !slices.Equal(got, c.want) {
			f.Errorf("%+v: got %v, want %v", c.options, got, c.want)
		}
	}
}

// Keys of every kind, in the order of their bytes. Some differ in capitals only,
// or would be the same path.
func odd() []string {
	keys := []string{
		"../../etc/passwd", "./a", "A", "a", "a b", "a%2Fb", "a+b", "a/", "a//b", "a/../b", "a/./b", "a/b",
		"a\\b", "a?b=c", "a#b",
		"a&b", "a<b>", "a\"b'", "con", "nul.txt", "\u00e4", "a\u0308",
		"日本語/キー", "🦀", "a\tb", "~", "%", "%00", "!'()*", "=;,:@$", "q-ak=x",
		strings.Repeat("x", 300), strings.Repeat("long/", 100) + "end",
	}
	slices.Sort(keys)
	return keys
}

func oddKeys(f *fixture) {
	keys := odd()
	var full []string
	for _, key := range keys {
		f.put(key, []byte("content of "+key), cos.PutOptions{})
		full = append(full, f.prefix+key)
	}
	for _, key := range keys {
		f.has(key, []byte("content of "+key))
	}
	if got := f.keys(cos.ListOptions{}); !slices.Equal(got, keys) {
		f.Errorf("got  %q\nwant %q", got, keys)
	}
	if err := f.bucket.Delete(f.ctx, full...); err != nil {
		f.Fatal(err)
	}
	if got := f.keys(cos.ListOptions{}); len(got) != 0 {
		f.Errorf("after all were deleted: %q", got)
	}
}

func noKeys(f *fixture) {
	for _, key := range []string{"", "/", "..", ".", "a/..", "../..", "//", "\xff", strings.Repeat("x", cos.MaxKey+1)} {
		_, err := f.bucket.Put(f.ctx, key, strings.NewReader(""), cos.PutOptions{})
		_, _, err2 := f.bucket.Get(f.ctx, key)
		_, err3 := f.bucket.Head(f.ctx, key)
		err4 := f.bucket.Delete(f.ctx, f.prefix+"other", key)
		for _, err := range []error{err, err2, err3, err4} {
			if !errors.Is(err, cos.ErrInvalid) {
				f.Errorf("key %.20q: got %v, want ErrInvalid", key, err)
			}
		}
	}
}

func deletes(f *fixture) {
	for _, key := range []string{"a", "b", "c", "d"} {
		f.put(key, nil, cos.PutOptions{})
	}
	for _, keys := range [][]string{{}, {"none"}, {"a"}, {"a"}, {"b", "none", "c"}} {
		for i := range keys {
			keys[i] = f.prefix + keys[i]
		}
		if err := f.bucket.Delete(f.ctx, keys...); err != nil {
			f.Errorf("delete %v: %v", keys, err)
		}
	}
	if got := f.keys(cos.ListOptions{}); !slices.Equal(got, []string{"d"}) {
		f.Errorf("got %v, want d", got)
	}
}
