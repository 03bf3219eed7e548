package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
)

func (a *app) deadletterShowCommand() *cobra.Command {
	var (
		f           deadletterFlags
		against     string
		value, full bool
	)
	cmd := &cobra.Command{
		Use:   "show PARTITION:OFFSET",
		Short: "Show a record that could not be handled, and why",
		Long: `Show one letter of a dead-letter topic: where the record came from, why it could
not be handled, its headers, key and value, and what became of it. etl deadletter
list names positions. --value prints the value alone, byte for byte, to be mended
in a file; --against compares it with that file.`,
		Example: "  etl deadletter show 0:12\n  etl deadletter show 0:12 --value > mended.json\n  etl deadletter show 0:12 --against mended.json",
		Args:    cobra.ExactArgs(1),
	}
	f.add(cmd)
	cmd.Flags().StringVar(&against, "against", "", "file to compare the value with, or - for standard input")
	cmd.Flags().BoolVar(&value, "value", false, "print the value alone, byte for byte")
	cmd.Flags().BoolVar(&full, "full", false, "show key and value whole, however long")
	cmd.MarkFlagsMutuallyExclusive("against", "value")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		at, err := deadletter.ParsePosition(args[0])
		if err != nil {
			return usagef("%v", err)
		}
		topic, err := f.open(cmd.Context(), a)
		if err != nil {
			return err
		}
		defer topic.Client.Close()
		log, err := topic.Log(cmd.Context())
		if err != nil {
			return err
		}
		found, err := topic.Letter(cmd.Context(), at)
		if err != nil {
			return fmt.Errorf("%w; etl deadletter list --letters shows where they begin", explain(err))
		}
		whole, missing := found.Letter.Whole(cmd.Context(), topic.Objects)
		switch {
		case missing == nil:
			whole.Object, found.Letter = found.Letter.Object, whole // where it was is shown, too
		case value || against != "":
			return fmt.Errorf("letter at %s: %w; %s", at, missing, keysAdvice)
		}
		switch {
		case value:
			_, err := a.stdout.Write(found.Letter.Record.Value)
			return err
		case against != "":
			mended, err := readValue(cmd.InOrStdin(), against)
			if err != nil {
				return err
			}
			fmt.Fprint(a.stdout, diffValues(at.String(), found.Letter.Record.Value, against, mended))
			return nil
		}
		shown := showLetter(found, log)
		return a.print(shown, func(w io.Writer) { printLetter(w, found, shown, full, missing) })
	}
	return cmd
}

// keysAdvice says what it takes to read an object.
const keysAdvice = secretIDVariable + " and " + secretKeyVariable + " have to be keys that may read it"

// readValue reads a file, or standard input for -.
func readValue(stdin io.Reader, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name)
}

// shownLetter is what `etl deadletter show -o json` prints.
type shownLetter struct {
	letterLine
	Parts     int                `json:"parts"`
	Object    string             `json:"object,omitempty"` // where the record is, if not in the topic
	Version   string             `json:"version"`
	Attempt   int                `json:"attempt"`
	Stack     string             `json:"stack,omitempty"`
	Timestamp int64              `json:"timestamp"` // of the record, ms since 1970
	Key       shownBytes         `json:"key"`
	Value     shownBytes         `json:"value"`
	Headers   []shownHeader      `json:"headers"`
	Sent      []deadletter.Entry `json:"sent"` // redrives of this letter
}

type shownHeader struct {
	Key   string     `json:"key"`
	Value shownBytes `json:"value"`
}

// shownBytes are a string in JSON, {"base64": ...} where they are no text, and
// null where there are none.
type shownBytes []byte

// MarshalJSON gives one of the three.
func (b shownBytes) MarshalJSON() ([]byte, error) {
	switch {
	case b == nil:
		return []byte("null"), nil
	case utf8.Valid(b):
		return json.Marshal(string(b))
	}
	return json.Marshal(struct {
		Base64 []byte `json:"base64"`
	}{b})
}

func showLetter(f deadletter.Found, log deadletter.Log) shownLetter {
	l := f.Letter
	status, sent := log.Status(f)
	s := shownLetter{
		letterLine: letterLine{
			Position: f.Position, Status: status, Failed: l.At, Reason: l.Reason, Function: l.Function,
			Topic: l.Topic, Partition: l.Partition, Offset: l.Record.Offset, Redrives: l.Redrives, Error: l.Error,
		},
		Parts: f.Records, Object: l.Object, Version: l.Version, Attempt: l.Attempt, Stack: l.Stack, Timestamp: l.Record.Timestamp,
		Key: l.Record.Key, Value: l.Record.Value, Headers: []shownHeader{}, Sent: append([]deadletter.Entry{}, sent...),
	}
	for _, h := range l.Record.Headers {
		s.Headers = append(s.Headers, shownHeader{Key: h.Key, Value: h.Value})
	}
	return s
}

// mostShown bytes of a key or a value are shown unless all are asked for.
const mostShown = 4 << 10

func printLetter(w io.Writer, f deadletter.Found, s shownLetter, full bool, missing error) {
	most := mostShown
	if full {
		most = len(s.Key) + len(s.Value)
	}
	rows := [][]string{
		{"letter", s.Position.String()},
		{"status", string(s.Status)},
		{"record", fmt.Sprintf("topic %s, partition %d, offset %d, of %s", s.Topic, s.Partition, s.Offset, recordTime(s.Timestamp))},
		{"function", strings.TrimSuffix(fmt.Sprintf("%s, version %s", s.Function, s.Version), ", version ")},
		{"failed", fmt.Sprintf("%s, at attempt %d, after %d redrives", moment(s.Failed), s.Attempt, s.Redrives)},
		{"reason", string(s.Reason)},
	}
	if s.Parts > 1 {
		rows = append(rows, []string{"parts", fmt.Sprint(s.Parts)})
	}
	if s.Object != "" {
		rows = append(rows, []string{"object", s.Object})
	}
	for _, e := range s.Sent {
		rows = append(rows, []string{"redriven", fmt.Sprintf("%s to topic %s, partition %d, offset %d, as %s", moment(e.At), e.Topic, e.Partition, e.Offset, edited(e))})
	}
	table(w, rows)
	section(w, "error", chain(s.Error))
	section(w, "stack", s.Stack)
	var headers strings.Builder
	for _, h := range s.Headers {
		fmt.Fprintf(&headers, "%s: %s\n", quotedIfOdd(h.Key), oneLine(h.Value))
	}
	section(w, "headers", headers.String())
	section(w, "key", dump(s.Key, most))
	if missing != nil {
		section(w, "value", fmt.Sprintf("not read: %v; %s", missing, keysAdvice))
		return
	}
	section(w, "value", dump(s.Value, most))
	redrive := "etl deadletter redrive " + s.Position.String()
	if s.Status == deadletter.Redriven {
		redrive += " --again"
	}
	fmt.Fprintf(w, "\nto mend it:       etl deadletter show %s --value > FILE, and redrive with --value FILE\nto send it again: %s\n", f.Position, redrive)
}

func edited(e deadletter.Entry) string {
	if e.Edited {
		return e.ID + ", with another value"
	}
	return e.ID
}

func recordTime(ms int64) string {
	if ms < 0 {
		return "no time"
	}
	return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}

// section writes a heading and a text below it, if there is one.
func section(w io.Writer, name, text string) {
	if text == "" {
		return
	}
	fmt.Fprintf(w, "\n%s\n", name)
	for line := range strings.Lines(printable(text)) {
		fmt.Fprintf(w, "  %s\n", strings.TrimSuffix(line, "\n"))
	}
}

// chain puts what wraps an error and the error on lines of their own.
func chain(text string) string { return strings.ReplaceAll(text, ": ", ":\n  ") }

// dump shows bytes as text, in hexadecimal where they are none.
func dump(b []byte, most int) string {
	switch {
	case b == nil:
		return "null\n"
	case len(b) == 0:
		return "empty\n"
	}
	head, rest := b[:min(len(b), most)], ""
	if len(b) > most {
		rest = fmt.Sprintf("... %d bytes of %d: --full shows all\n", most, len(b))
	}
	if !text(b) {
		return hex.Dump(head) + rest
	}
	return strings.TrimSuffix(strings.ToValidUTF8(string(head), ""), "\n") + "\n" + rest
}

// text says whether bytes can be shown as they are on a terminal.
func text(b []byte) bool {
	return utf8.Valid(b) && !bytes.ContainsFunc(b, isControl)
}

func oneLine(b []byte) string {
	switch {
	case b == nil:
		return "null"
	case text(b) && !bytes.ContainsAny(b, "\n\r"):
		return string(b)
	}
	return fmt.Sprintf("%.200q", b)
}

func quotedIfOdd(key string) string {
	if key == "" || !text([]byte(key)) {
		return fmt.Sprintf("%q", key)
	}
	return key
}
