package dataset

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// flow is what `etl demo flow -o json` tells.
type flow struct {
	Source      int64
	Extracted   int64
	LogClean    int64 `json:"log_clean"`
	LogErrors   int64 `json:"log_errors"`
	DeadLetters int64 `json:"dead_letters"`
	Loaded      int64
	Reported    int64
	Page        string
	Data        string
	Dataset     string
}

func TestFlow(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("builds the functions and opens a browser, left out by -short")
	}
	interpreter := python(t)
	browser := chromium(t)
	made := runFlow(t)
	counted := countByDuckDB(t, interpreter, made.Dataset)

	t.Run("after each step every record is in one place", func(t *testing.T) {
		t.Parallel()
		if made.Extracted != made.Source || made.LogClean+made.LogErrors+made.DeadLetters != made.Extracted ||
			made.Loaded != made.LogClean+made.LogErrors || made.Reported == 0 {
			t.Errorf("got %+v", made)
		}
	})
	t.Run("DuckDB counts as many rows, each once", func(t *testing.T) {
		t.Parallel()
		if counted.Rows != made.Loaded || counted.Total.Requests != made.Reported {
			t.Errorf("%d rows and %d of the day, want %d and %d", counted.Rows, counted.Total.Requests, made.Loaded, made.Reported)
		}
	})
	t.Run("the data of the page is what DuckDB counts", func(t *testing.T) {
		t.Parallel()
		checkData(t, made.Data, counted)
	})
	t.Run("a browser shows these numbers, and has no error", func(t *testing.T) {
		t.Parallel()
		dom, console := browser.open(t, made.Page, "--dump-dom")
		if len(console) > 0 {
			t.Errorf("the console has %q", console)
		}
		checkPage(t, string(dom), counted)
	})
	t.Run("the console does have an error where there is one", func(t *testing.T) {
		t.Parallel()
		text, err := os.ReadFile(made.Page)
		if err != nil {
			t.Fatal(err)
		}
		broken := filepath.Join(t.TempDir(), "broken.html")
		text = bytes.Replace(text, []byte("</body>"), []byte("<script>alert(1)</script><img src=\"http://127.0.0.1:1/a.png\"></body>"), 1)
		if err := os.WriteFile(broken, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, console := browser.open(t, broken, "--dump-dom"); len(console) < 2 {
			t.Errorf("the policy of the page lets a script or an image through: %q", console)
		}
	})
	for name, c := range map[string]struct {
		args []string
		back color.RGBA
	}{
		"in the light, wide":  {[]string{"--window-size=1400,2000"}, color.RGBA{0xf4, 0xf5, 0xf7, 0xff}},
		"in the dark, narrow": {[]string{"--window-size=500,3000", "--blink-settings=preferredColorScheme=0"}, color.RGBA{0x11, 0x15, 0x1a, 0xff}},
	} {
		t.Run("it is drawn "+name, func(t *testing.T) {
			t.Parallel()
			checkPicture(t, browser, made.Page, c.args, c.back)
		})
	}
}

// runFlow builds the command line and runs the demo.
func runFlow(t *testing.T) (made flow) {
	t.Helper()
	folder := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "build", "-o", filepath.Join(folder, "etl"), "./cmd/etl")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	run := exec.CommandContext(ctx, filepath.Join(folder, "etl"), "demo", "flow", "-o", "json", "--out", filepath.Join(folder, "out"))
	run.Dir = "../.."
	var stderr bytes.Buffer
	run.Stderr = &stderr
	out, err := run.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.Bytes())
	}
	if err := json.Unmarshal(out, &made); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return made
}

// counted is what DuckDB counts.
type counted struct {
	Rows  int64
	Total struct{ Requests, Failed, Bytes int64 }
	Hours [][]any // hour, status, requests; both in order
	Paths [][]any // path, requests, bytes, largest; the most requests first
}

func countByDuckDB(t *testing.T, interpreter, dataset string) (c counted) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, interpreter, "testdata/page.py", dataset).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &c); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return c
}

func checkData(t *testing.T, file string, c counted) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var data struct {
		Parts []struct {
			Kind    string
			Value   float64
			Columns []struct{ Name string }
			Rows    [][]any
		}
	}
	if err := json.Unmarshal(text, &data); err != nil {
		t.Fatal(err)
	}
	p := data.Parts
	got := []float64{p[0].Value, p[1].Value, p[2].Value}
	want := []float64{float64(c.Total.Requests), float64(c.Total.Failed) / float64(c.Total.Requests), float64(c.Total.Bytes)}
	if !slices.Equal(got, want) {
		t.Errorf("the numbers are %v, DuckDB has %v", got, want)
	}
	var hours [][]any
	for _, row := range p[4].Rows {
		for i, head := range p[4].Columns[1:] {
			if row[i+1] != 0. {
				hours = append(hours, []any{row[0], head.Name, row[i+1]})
			}
		}
	}
	if diff := gocmp.Diff(c.Hours, hours); diff != "" {
		t.Errorf("hours: DuckDB (-), the page (+):\n%s", diff)
	}
	if diff := gocmp.Diff(c.Paths, p[8].Rows); diff != "" {
		t.Errorf("paths: DuckDB (-), the page (+):\n%s", diff)
	}
}

var (
	section = regexp.MustCompile(`(?s)<section [^>]*data-part="part(\d+)".*?</section>`)
	number  = regexp.MustCompile(`<p class="value">([^<]*)</p>`)
	cell    = regexp.MustCompile(`<td class="n"><bdi>([^<]*)</bdi></td>`)
)

// checkPage looks at what is to be read.
func checkPage(t *testing.T, dom string, c counted) {
	t.Helper()
	parts := map[string]string{}
	for _, found := range section.FindAllStringSubmatch(dom, -1) {
		parts[found[1]] = found[0]
	}
	plain := func(text string) string { return strings.ReplaceAll(text, ",", "") }
	if found := number.FindStringSubmatch(parts["1"]); found == nil || plain(found[1]) != fmt.Sprint(c.Total.Requests) {
		t.Errorf("it shows %q requests, DuckDB has %d", found, c.Total.Requests)
	}
	var hours []string
	for _, found := range cell.FindAllStringSubmatch(parts["5"], -1) {
		if found[1] != "0" {
			hours = append(hours, plain(found[1]))
		}
	}
	var want []string
	for _, row := range c.Hours {
		want = append(want, fmt.Sprint(row[2]))
	}
	if diff := gocmp.Diff(want, hours); diff != "" {
		t.Errorf("the table behind the hours: DuckDB (-), the page (+):\n%s", diff)
	}
	if n := strings.Count(dom, "<svg"); n < 7 {
		t.Errorf("%d charts", n)
	}
}

// checkPicture looks whether the page has its background, and charts in their colours on it.
func checkPicture(t *testing.T, browser chrome, page string, args []string, back color.RGBA) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "page.png")
	if _, console := browser.open(t, page, append(args, "--hide-scrollbars", "--screenshot="+file)...); len(console) > 0 {
		t.Errorf("the console has %q", console)
	}
	picture, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	decoded, err := png.Decode(picture)
	if err != nil {
		t.Fatal(err)
	}
	if got := color.RGBAModel.Convert(decoded.At(2, 2)); got != back {
		t.Errorf("the background is %v, want %v", got, back)
	}
	colours := map[color.Color]int{}
	for y := range decoded.Bounds().Dy() {
		for x := range decoded.Bounds().Dx() {
			colours[color.RGBAModel.Convert(decoded.At(x, y))]++
		}
	}
	vivid := 0
	for c, n := range colours {
		r, g, b, _ := c.RGBA()
		if max(r, g, b)-min(r, g, b) > 0x6000 {
			vivid += n
		}
	}
	if vivid < 20_000 {
		t.Errorf("%d pixels have a colour: the charts are not there", vivid)
	}
}

// chrome is the path of a browser.
type chrome string

func chromium(t *testing.T) chrome {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return chrome(path)
		}
	}
	missing(t, fmt.Errorf("opens the page in a browser, and there is none: install Debian's chromium"))
	return ""
}

// open opens a file as a person would, with a profile of its own and nothing else to do, and gives what it prints and the
// lines of its console.
func (c chrome) open(t *testing.T, file string, args ...string) (out []byte, console []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	address := url.URL{Scheme: "file", Path: file}
	cmd := exec.CommandContext(ctx, string(c), append([]string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir=" + t.TempDir(), "--enable-logging=stderr",
	}, append(args, address.String())...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%.2000s", c, err, cmp.Or(stderr.String(), "it says nothing"))
	}
	for line := range strings.Lines(stderr.String()) {
		if strings.Contains(line, "CONSOLE") {
			console = append(console, strings.TrimSpace(line))
		}
	}
	return out, console
}
