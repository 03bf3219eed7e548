package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed" // the report
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/event"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/report"
	"github.com/scf-etl/scf-etl/pkg/webhook"
)

//go:embed report.yaml
var builtIn []byte

// handler makes the report of the period that a firing is about.
type handler struct {
	config Config
	spec   *report.Spec
	bucket *cos.Bucket
	data   *dataset.Dataset
}

// Result is what one invocation has done.
type Result struct {
	Report string `json:"report"`
	Period string `json:"period"`
	Page   string `json:"page"` // keys in the bucket
	Data   string `json:"data"`
	Bytes  int    `json:"bytes"` // of the page
	// Link to the page; empty once the webhook has it.
	Link    string    `json:"link,omitempty"`
	Expires time.Time `json:"expires"`
	Posted  bool      `json:"posted"` // the summary was taken
}

// LogAttrs sums the result up for a log line. Who has the link can read the page: it is none of it.
func (r Result) LogAttrs() []slog.Attr {
	return []slog.Attr{
		slog.String("report", r.Report), slog.String("period", r.Period), slog.String("page", r.Page),
		slog.Int("bytes", r.Bytes), slog.Bool("posted", r.Posted),
	}
}

// New reads the file. One with mistakes is an error that lists all of them by file:line:column. Nothing is connected to.
func New(_ context.Context, config Config) (fn.Handler[event.Timer, Result], error) {
	name, text := "report.yaml", builtIn
	if config.Report != "" {
		name = config.Report
		var err error
		if text, err = os.ReadFile(name); err != nil {
			return nil, fmt.Errorf("REPORT: %w", err)
		}
	}
	spec, err := report.Load(name, text)
	if err != nil {
		return nil, err
	}
	bucket, err := config.COS.Open(role)
	if err != nil {
		return nil, err
	}
	return &handler{config, spec, bucket, dataset.New(bucket, config.Dataset)}, nil
}

// role gives the credentials of the function's role, which change with each invocation.
func role(ctx context.Context) (cos.Credentials, error) {
	c, err := fn.CredentialsFrom(ctx)
	return cos.Credentials{SecretID: c.SecretID.Reveal(), SecretKey: c.SecretKey, SessionToken: c.SessionToken}, err
}

// Handle makes the report of the moment at which the trigger was due, and writes the page and its data under a key that
// follows from the report's name and the period: an event that is sent again writes the same once more. The summary is
// posted after that; where nobody takes it, the page is there and the event is not done.
func (h *handler) Handle(ctx context.Context, e event.Timer) (Result, error) {
	made, err := report.Run(ctx, h.spec, h.data, e.Time)
	if err != nil {
		return Result{}, err
	}
	result := Result{Report: made.Name, Period: made.Period.Label}
	if err := h.store(ctx, made, &result); err != nil {
		return result, err
	}
	data, err := h.bucket.Presign(ctx, http.MethodGet, result.Data, h.config.Link)
	if err != nil {
		return result, err
	}
	if result.Link, err = h.bucket.Presign(ctx, http.MethodGet, result.Page, h.config.Link); err != nil {
		return result, err
	}
	result.Expires = time.Now().Add(h.config.Link).UTC().Truncate(time.Second)
	if h.config.Webhook.Empty() {
		return result, nil
	}
	if err := h.post(ctx, made, made.Summary(result.Link, data, result.Expires), e.Time); err != nil {
		return result, fmt.Errorf("report %s of %s is at %s, and its summary was not taken: %w", result.Report, result.Period, result.Page, err)
	}
	result.Posted = true
	result.Link = "" // why: the platform writes answers to its log, and who has the link can read the page
	return result, nil
}

// store writes the data, then the page.
func (h *handler) store(ctx context.Context, made *report.Report, result *Result) error {
	page, err := made.HTML(ctx)
	if err != nil {
		return err
	}
	data, err := made.JSON()
	if err != nil {
		return err
	}
	folder := path.Join(strings.Trim(h.config.Pages, "/"), made.Name, made.Period.Label)
	result.Page, result.Data, result.Bytes = path.Join(folder, "report.html"), path.Join(folder, "report.json"), len(page)
	for _, o := range []struct {
		key, kind string
		body      []byte
	}{{result.Data, "application/json", data}, {result.Page, "text/html; charset=utf-8", page}} {
		if _, err := h.bucket.Put(ctx, o.key, bytes.NewReader(o.body), cos.PutOptions{ContentType: o.kind}); err != nil {
			return err
		}
	}
	return nil
}

func (h *handler) post(ctx context.Context, made *report.Report, s report.Summary, due time.Time) error {
	body, err := h.config.WebhookForm.Body(s.Message(made.Language))
	if err != nil {
		return err
	}
	// The same for an event that is sent again, another for the next firing about the same period.
	sum := sha256.Sum256([]byte(made.Name + "\n" + made.Period.Label + "\n" + due.UTC().Format(time.RFC3339)))
	hook := webhook.Hook{URL: h.config.Webhook, Accept: h.config.WebhookForm.Accept()}
	return hook.Post(ctx, hex.EncodeToString(sum[:16]), body)
}

// Close closes idle connections.
func (h *handler) Close() error {
	h.bucket.Close()
	return nil
}
