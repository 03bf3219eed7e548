package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/dataset"
)

// TestFixture writes testdata/dataset, which README.md makes a report of, with -update: two days of the log of a small
// web server, as clean and load leave it.
func TestFixture(t *testing.T) {
	const path = "testdata/dataset"
	if !*update {
		t.Skip("it writes testdata/dataset, with -update")
	}
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	folder, err := dataset.OpenFolder(path)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	columns := []dataset.Column{
		{Name: "@timestamp", Type: dataset.Timestamp}, {Name: "client", Type: dataset.String}, {Name: "method", Type: dataset.String},
		{Name: "path", Type: dataset.String}, {Name: "status", Type: dataset.Int}, {Name: "size", Type: dataset.Int},
	}
	random := rand.New(rand.NewPCG(3, 4))
	begin := time.Date(2025, 12, 31, 16, 0, 0, 0, time.UTC) // midnight in Shanghai
	days := map[string]*dataset.Rows{}
	for second := 0; second < 48*3600; second += 20 + random.IntN(120) {
		at := begin.Add(time.Duration(second) * time.Second)
		if hour := second / 3600 % 24; hour < 7 && random.IntN(5) > 0 {
			continue
		}
		day := at.Format(time.DateOnly)
		if days[day] == nil {
			days[day] = dataset.NewRows(columns)
		}
		path := []string{"/", "/产品/列表", "/产品/详情", "/api/orders", "/api/users", "/login", "/static/app.js"}[min(6, int(random.ExpFloat64()*2))]
		status := []int64{200, 200, 200, 200, 200, 200, 304, 304, 301, 404, 404, 500}[random.IntN(12)]
		err := days[day].Append(at, fmt.Sprintf("10.1.%d.0", random.IntN(60)), []string{"GET", "GET", "GET", "GET", "POST", "HEAD"}[random.IntN(6)], path, status, int64(random.ExpFloat64()*20_000))
		if err != nil {
			t.Fatal(err)
		}
	}
	for day, rows := range days {
		if _, err := dataset.New(folder, "").Write(t.Context(), "date="+day+"/", "rows", rows); err != nil {
			t.Fatal(err)
		}
	}
}
