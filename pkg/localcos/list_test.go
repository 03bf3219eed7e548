package localcos_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

type listing struct {
	IsTruncated    bool
	NextMarker     string
	MaxKeys        int
	Contents       []struct{ Key, ETag string }
	CommonPrefixes []struct{ Prefix string }
}

func TestList(t *testing.T) {
	t.Parallel()
	s := newServer(t, nil)
	var keys []string
	for i := range 30 {
		keys = append(keys, fmt.Sprintf("d%d/k%d", i%4, i), fmt.Sprintf("f%d", i), fmt.Sprintf("d%d/e/k%d", i%3, i))
	}
	keys = append(keys, "a b", "a/", "a//b", "z&<>", "\x01", "é", "d", "d1")
	for _, key := range keys {
		s.want(200, "PUT", "/"+url.PathEscape(key), "x")
	}
	slices.Sort(keys)
	// all gives a listing over its pages.
	all := func(t *testing.T, prefix, delimiter string, limit int) (found []string) {
		t.Helper()
		for marker := ""; ; {
			query := url.Values{"prefix": {prefix}, "delimiter": {delimiter}, "marker": {marker}, "max-keys": {fmt.Sprint(limit)}, "encoding-type": {"url"}}
			page := parse[listing](t, s.want(200, "GET", "/?"+query.Encode(), nil))
			var entries []string
			for _, c := range page.Contents {
				entries = append(entries, c.Key)
			}
			for _, c := range page.CommonPrefixes {
				entries = append(entries, c.Prefix)
			}
			for i := range entries {
				decoded, err := url.PathUnescape(entries[i])
				if err != nil {
					t.Fatal(err)
				}
				entries[i] = decoded
			}
			slices.Sort(entries)
			if len(entries) > limit || page.IsTruncated && len(entries) != limit {
				t.Fatalf("%d entries on a page of %d, truncated %t", len(entries), limit, page.IsTruncated)
			}
			found = append(found, entries...)
			if !page.IsTruncated {
				return found
			}
			next, err := url.PathUnescape(page.NextMarker)
			if err != nil || next != entries[len(entries)-1] {
				t.Fatalf("the next page begins behind %q (%v), want %q", next, err, entries[len(entries)-1])
			}
			marker = next
		}
	}
	for _, prefix := range []string{"", "d", "d1/", "d1", "a/", "none", "z&"} {
		for _, delimiter := range []string{"", "/", "1", "/e/"} {
			t.Run(fmt.Sprintf("is the same in pages of any size, of prefix %q and delimiter %q", prefix, delimiter), func(t *testing.T) {
				t.Parallel()
				var want []string
				for _, key := range keys {
					rest, ok := strings.CutPrefix(key, prefix)
					if !ok {
						continue
					}
					if before, _, cut := strings.Cut(rest, delimiter); cut && delimiter != "" {
						key = prefix + before + delimiter
					}
					if len(want) == 0 || want[len(want)-1] != key {
						want = append(want, key)
					}
				}
				for _, limit := range []int{1, 2, 7, 1000} {
					if got := all(t, prefix, delimiter, limit); !slices.Equal(got, want) {
						t.Errorf("in pages of %d:\ngot  %q\nwant %q", limit, got, want)
					}
				}
			})
		}
	}
	t.Run("bounds a page, and refuses nonsense", func(t *testing.T) {
		t.Parallel()
		if page := parse[listing](t, s.want(200, "GET", "/?max-keys=5000", nil)); page.MaxKeys != 1000 {
			t.Errorf("got pages of %d, want 1000", page.MaxKeys)
		}
		if page := parse[listing](t, s.want(200, "GET", "/?max-keys=0", nil)); page.IsTruncated || len(page.Contents) > 0 {
			t.Errorf("got %+v", page)
		}
		s.refused(400, "InvalidArgument", "GET", "/?max-keys=-1", nil)
		s.refused(400, "InvalidArgument", "GET", "/?max-keys=x", nil)
		s.refused(400, "InvalidArgument", "GET", "/?encoding-type=base64", nil)
	})
}
