package extract_test

import (
	"net/http"
	"testing"
)

func TestAPageThatFillsUp(t *testing.T) {
	t.Parallel()
	for requirement, size := range map[string]string{
		"behind the reader's back loses no record, whose size nobody has told": "",
		"nor where its size is known":                                          ", size: 4",
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			all := orders(0, 10) // two pages and a half
			serve := paged(func() []string { return all }, 4)
			grown := false
			a := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
				serve(w, r)
				if !grown && r.URL.Query().Get("page") == "3" {
					all, grown = orders(0, 19), true // the page is full, and there are two more
				}
			})
			j := newJob(t, httpFile(a.URL+"/orders", "    paging: {page: {param: page"+size+"}}\n"))
			for range 3 {
				j.run()
			}
			j.wants("orders", orders(0, 19)...)
			all = orders(0, 31)
			j.run()
			j.wants("orders", orders(0, 31)...)
		})
	}
}
