package extract

import "log/slog"

// Result is what one run has committed.
type Result struct {
	Pages       int64 `json:"pages"`
	Records     int64 `json:"records"`               // of the source
	Written     int64 `json:"written"`               // records of topics, without dead letters
	DeadLetters int64 `json:"deadLetters,omitempty"` // records that could not be mapped
	Dropped     int64 `json:"dropped,omitempty"`     // records of which the rules made nothing
	Bytes       int64 `json:"bytes"`                 // of the source's pages

	// Total is how many records of the source the job has handled since it began.
	Total int64 `json:"total"`
	// Done says that the source had nothing more.
	Done bool `json:"done"`
	// Stopped says why the run has ended before that, without anything being wrong; the
	// next one goes on where this one is.
	Stopped string `json:"stopped,omitempty"`
}

// LogAttrs sums the result up for a log line.
func (r Result) LogAttrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.Int64("pages", r.Pages), slog.Int64("records", r.Records), slog.Int64("written", r.Written),
		slog.Int64("dead_letters", r.DeadLetters), slog.Int64("total", r.Total), slog.Bool("done", r.Done),
	}
	if r.Stopped != "" {
		attrs = append(attrs, slog.String("stopped", r.Stopped))
	}
	return attrs
}

func (r *Result) add(c Result) {
	r.Pages += c.Pages
	r.Records += c.Records
	r.Written += c.Written
	r.DeadLetters += c.DeadLetters
	r.Dropped += c.Dropped
	r.Bytes += c.Bytes
}
