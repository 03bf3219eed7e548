package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// logSource is an API that gives an access log out in pages, and is busy now and then.
type logSource struct {
	lines    []logLine
	day      int64 // lines of the second day that are some
	server   http.Server
	address  string
	requests atomic.Int64
}

// logLine is a record of the API.
type logLine struct {
	ID   int    `json:"id"`
	Time string `json:"time"`
	Line string `json:"line"`
}

const (
	flowPage   = 1000 // lines of a page
	flowPoison = 100  // every so many lines one is none
	flowBusy   = 7    // every so many requests one is refused
)

// flowDay is the day that the page is about, in the zone of functions/report/report.yaml; lines are of it and of the one
// before.
func flowDay() time.Time {
	return time.Date(2026, 1, 2, 0, 0, 0, 0, time.FixedZone("CST", 8*3600))
}

var lineTime = regexp.MustCompile(`\[[^\]]*\]`)

// newLogSource makes n lines: two fifths of the first day, and more at noon than at night.
func newLogSource(n int) *logSource {
	s := &logSource{}
	good, bad := sample.AccessLog(n, 3), sample.BrokenLines(2000)
	first := n * 2 / 5
	for i, line := range good {
		day, of, k := flowDay().AddDate(0, 0, -1), first, i
		if i >= first {
			day, of, k = flowDay(), n-first, i-first
		}
		share := float64(k) / float64(of)
		at := day.Add(time.Duration((share + 0.12*share*(1-share)*(1-2*share)*4) * float64(24*time.Hour))).Truncate(time.Second)
		line = lineTime.ReplaceAllLiteralString(line, at.Format("[02/Jan/2006:15:04:05 -0700]"))
		if i%flowPoison == flowPoison/2 {
			line = bad[i/flowPoison%len(bad)]
		} else if i >= first {
			s.day++
		}
		s.lines = append(s.lines, logLine{i + 1, at.Format(time.RFC3339), line})
	}
	return s
}

func (s *logSource) counts() (all, ofTheDay int64) { return int64(len(s.lines)), s.day }

func (s *logSource) url() string { return "http://" + s.address + "/log" }

// start answers on a port of this machine.
func (s *logSource) start() (end func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s.address = listener.Addr().String()
	s.server.Handler = s
	s.server.ReadHeaderTimeout = 10 * time.Second
	go func() { _ = s.server.Serve(listener) }() // until Close
	return s.server.Close, nil
}

// ServeHTTP gives a page of lines as NDJSON, none behind the last.
func (s *logSource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.requests.Add(1)%flowBusy == 0 {
		w.Header().Set("Retry-After", "0")
		http.Error(w, "busy", http.StatusTooManyRequests)
		return
	}
	page, err := strconv.Atoi(r.URL.Query().Get("page"))
	if err != nil || page < 1 {
		http.Error(w, "page: want a number from 1 on", http.StatusBadRequest)
		return
	}
	from := min((page-1)*flowPage, len(s.lines))
	w.Header().Set("Content-Type", "application/x-ndjson")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for _, line := range s.lines[from:min(from+flowPage, len(s.lines))] {
		if err := encoder.Encode(line); err != nil {
			return
		}
	}
}

// cluster starts the one that all steps share.
func (f *flowDemo) cluster(ctx context.Context) error {
	brokers, err := localkafka.Start(localkafka.Config{})
	if err != nil {
		return err
	}
	f.closers = append(f.closers, brokers.Close)
	f.target, err = kafka.Open(ctx, kafka.Config{Brokers: brokers.Brokers(), MetadataTTL: 200 * time.Millisecond})
	if err != nil {
		return err
	}
	f.closers = append(f.closers, f.target.Close)
	f.demo.source = f.target
	return nil
}

func (f *flowDemo) createTopic(ctx context.Context, name string) error {
	if err := f.target.CreateTopic(ctx, kafka.TopicSpec{Name: name, Partitions: logPartitions}); err != nil {
		return fmt.Errorf("create topic %s: %w", name, err)
	}
	return nil
}
