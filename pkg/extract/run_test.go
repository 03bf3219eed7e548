package extract_test

import (
	"fmt"
	"net/http"
	"strconv"
	"testing"
)

// pages answers with numbered pages of so many records, out of a list that may grow.
func pages(records func() []string, size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number, _ := strconv.Atoi(r.URL.Query().Get("page"))
		all := records()
		first := min((number-1)*size, len(all))
		fmt.Fprint(w, list(all[first:min(first+size, len(all))]))
	}
}

func TestAPagedSourceThatGrows(t *testing.T) {
	t.Parallel()
	all := orders(0, 25)
	a := newAPI(t, pages(func() []string { return all }, 10))
	j := newJob(t, httpFile(a.URL+"/orders", "    paging: {page: {param: page}}\n"))
	if r := j.run(); !r.Done || r.Records != 25 || r.Written != 25 || r.Total != 25 {
		t.Errorf("%+v", r)
	}
	j.wants("orders", all...)
	if r := j.run(); !r.Done || r.Records != 0 || r.Total != 25 {
		t.Errorf("with nothing new: %+v", r)
	}
	for _, n := range []int{27, 30, 31, 55} {
		all = orders(0, n)
		if r := j.run(); !r.Done || r.Total != int64(n) {
			t.Errorf("with %d: %+v", n, r)
		}
		j.wants("orders", all...)
	}
}
