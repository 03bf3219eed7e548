package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/deadletter"
)

func (a *app) deadletterListCommand() *cobra.Command {
	var (
		f       deadletterFlags
		chosen  letterFlags
		letters bool
		limit   int
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Count the records that could not be handled, by reason, function and topic",
		Long: `Count the letters of a dead-letter topic by reason, function and topic, with the
first error of each. Open ones have not been sent again since. --letters gives a
line for each instead, the oldest first.`,
		Example: "  etl deadletter list\n  etl deadletter list --letters --reason panic --since 2h\n  etl deadletter list -o json",
		Args:    cobra.NoArgs,
	}
	f.add(cmd)
	chosen.add(cmd)
	cmd.Flags().BoolVar(&letters, "letters", false, "a line for each letter")
	cmd.Flags().IntVar(&limit, "limit", 100, "at most so many letters; 0 for all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		sel, filter, err := chosen.read(cmd)
		if err != nil {
			return err
		}
		topic, err := f.open(cmd.Context(), a)
		if err != nil {
			return err
		}
		defer topic.Client.Close()
		bar := a.newProgress("offsets read")
		topic.Progress = bar.set
		if letters {
			list, err := listLetters(cmd, topic, sel, filter, limit)
			bar.end()
			if err != nil {
				return explain(err)
			}
			return a.print(list, func(w io.Writer) { printLetters(w, list) })
		}
		summary, err := topic.Summary(cmd.Context(), sel, filter)
		bar.end()
		if err != nil {
			return explain(err)
		}
		return a.print(summary, func(w io.Writer) { printSummary(w, topic.Name, summary) })
	}
	return cmd
}

func printSummary(w io.Writer, topic string, s deadletter.Summary) {
	rows := [][]string{{"REASON", "FUNCTION", "TOPIC", "OPEN", "REDRIVEN", "FIRST", "LAST", "EXAMPLE", "ERROR"}}
	var open, redriven, interrupted int64
	for _, g := range s.Groups {
		rows = append(rows, []string{string(g.Reason), g.Function, g.Topic, fmt.Sprint(g.Open), fmt.Sprint(g.Redriven), moment(g.First), moment(g.Last), g.Example.String(), brief(g.Error)})
		open, redriven, interrupted = open+g.Open, redriven+g.Redriven, interrupted+g.Interrupted
	}
	if len(s.Groups) > 0 {
		table(w, rows)
	}
	fmt.Fprintf(w, "topic %s: %d open, %d redriven\n", topic, open, redriven)
	if interrupted > 0 {
		fmt.Fprintf(w, "%d more: a redrive was interrupted while they were sent; the next etl deadletter redrive --execute looks whether they were\n", interrupted)
	}
	printReading(w, s.Reading)
}

// letterLine is one letter of a list.
type letterLine struct {
	Position  deadletter.Position `json:"position"`
	Status    deadletter.Status   `json:"status"`
	Failed    time.Time           `json:"failed"`
	Reason    deadletter.Reason   `json:"reason"`
	Function  string              `json:"function"`
	Topic     string              `json:"topic"`
	Partition int32               `json:"partition"`
	Offset    int64               `json:"offset"`
	Redrives  int                 `json:"redrives"`
	Error     string              `json:"error"`
}

// letterList is what `etl deadletter list --letters -o json` prints.
type letterList struct {
	deadletter.Reading
	Lines []letterLine `json:"lines"`
	More  bool         `json:"more"` // the limit has left some out
}

var errEnough = errors.New("enough")

func listLetters(cmd *cobra.Command, topic deadletter.Topic, sel deadletter.Selection, filter deadletter.Filter, limit int) (letterList, error) {
	list := letterList{Lines: []letterLine{}}
	log, err := topic.Log(cmd.Context())
	if err != nil {
		return list, err
	}
	list.Reading, err = topic.Read(cmd.Context(), sel, func(f deadletter.Found) error {
		if !filter.Match(f.Letter) {
			return nil
		}
		if limit > 0 && len(list.Lines) == limit {
			list.More = true
			return errEnough
		}
		l := f.Letter
		status, _ := log.Status(f)
		list.Lines = append(list.Lines, letterLine{
			Position: f.Position, Status: status, Failed: l.At, Reason: l.Reason, Function: l.Function,
			Topic: l.Topic, Partition: l.Partition, Offset: l.Record.Offset, Redrives: l.Redrives, Error: l.Error,
		})
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return list, err
}

func printLetters(w io.Writer, list letterList) {
	rows := [][]string{{"POSITION", "STATUS", "FAILED", "REASON", "FUNCTION", "RECORD", "REDRIVES", "ERROR"}}
	for _, l := range list.Lines {
		rows = append(rows, []string{l.Position.String(), string(l.Status), moment(l.Failed), string(l.Reason), l.Function,
			fmt.Sprintf("%s/%d:%d", l.Topic, l.Partition, l.Offset), fmt.Sprint(l.Redrives), brief(l.Error)})
	}
	table(w, rows)
	if list.More {
		fmt.Fprintln(w, "and more: --limit 0 shows all, --reason, --since and others choose")
	}
	printReading(w, list.Reading)
}

// moment is a time to the second, as a log has it.
func moment(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// brief is the beginning of a text, on one line.
func brief(text string) string {
	const most = 80
	text = printable(strings.Join(strings.Fields(text), " "))
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-3]) + "..."
	}
	return text
}

// printable quotes what could change more of a terminal than a line: texts of
// letters hold what a record held.
func printable(text string) string {
	if !strings.ContainsFunc(text, isControl) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if isControl(r) {
			fmt.Fprintf(&b, "\\x%02x", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isControl(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }
