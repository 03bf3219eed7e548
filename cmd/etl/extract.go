package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/extract"
)

func (a *app) extractCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "extract",
		Short: "Try an extract.yaml: check it, and see what becomes of the first records",
		Long: `Try the file of an extraction before it is deployed. What the file takes from the
environment, as {env: SOURCE_URL}, is taken from the environment here. Nothing is
written, and no cursor is read or moved: etl invoke extract --timer does that.`,
		Example: "  etl extract check extract.yaml\n  etl extract preview extract.yaml --records 3",
	}
	cmd.AddCommand(a.extractCheckCommand(), a.extractPreviewCommand())
	return cmd
}

func (a *app) extractCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "check FILE",
		Short:   "Say all that is wrong with an extract.yaml, by file:line:column",
		Example: "  etl extract check functions/extract/extract.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file, err := a.extraction(args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s is right; records go to topic %s, where no route fits\n", args[0], file.Topic())
			return nil
		},
	}
}

func (a *app) extraction(name string) (*extract.File, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return extract.Load(name, text, extract.Options{Env: func(variable string) (string, bool) {
		value, ok := a.environ[variable]
		return value, ok
	}})
}

// previewed is what is shown of a record of the source.
type previewed struct {
	Page     string            `json:"page"`
	Position string            `json:"position"`
	Error    string            `json:"error,omitempty"`
	Raw      string            `json:"raw,omitempty"` // where there is an error
	Outputs  []previewedOutput `json:"outputs,omitempty"`
}

type previewedOutput struct {
	Topic   string    `json:"topic"`
	Key     *string   `json:"key"`
	Time    time.Time `json:"time"`
	Headers []string  `json:"headers,omitempty"` // NAME=VALUE
	Value   string    `json:"value"`
}

func (a *app) extractPreviewCommand() *cobra.Command {
	var most int
	cmd := &cobra.Command{
		Use:   "preview FILE",
		Short: "Print what becomes of the first records of the source, without writing any",
		Long: `Read the first records of the source, from its beginning, and print what the rules
make of each: a line for each record of a topic, with topic, time, key, headers and
value. A record that would go to the dead letter is printed with the reason, and is
exit code 1.`,
		Example: "  etl extract preview functions/extract/extract.yaml\n  etl extract preview extract.yaml --records 100 -o json | jq .outputs[].key",
		Args:    cobra.ExactArgs(1),
	}
	cmd.Flags().IntVar(&most, "records", 10, "how many records of the source")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if most < 1 {
			return usagef("--records is %d: want 1 or more", most)
		}
		file, err := a.extraction(args[0])
		if err != nil {
			return err
		}
		failed := false
		err = extract.Preview(cmd.Context(), file, most, time.Now(), func(p extract.Previewed) error {
			failed = failed || p.Err != nil
			shown := shownPreview(p, file.Topic())
			return a.print(shown, func(w io.Writer) { printExtracted(w, shown) })
		})
		if err == nil && failed {
			return errReported
		}
		return err
	}
	return cmd
}

func shownPreview(p extract.Previewed, topic string) previewed {
	shown := previewed{Page: p.Page, Position: p.Position}
	if p.Err != nil {
		shown.Error, shown.Raw = p.Err.Error(), string(p.Raw)
	}
	for _, o := range p.Outputs {
		out := previewedOutput{Topic: o.Topic, Time: time.UnixMilli(o.Timestamp).UTC(), Value: string(o.Value)}
		if o.Topic == "" {
			out.Topic = topic
		}
		if o.Key != nil {
			key := string(o.Key)
			out.Key = &key
		}
		for _, h := range o.Headers {
			out.Headers = append(out.Headers, h.Key+"="+string(h.Value))
		}
		shown.Outputs = append(shown.Outputs, out)
	}
	return shown
}

func printExtracted(w io.Writer, p previewed) {
	switch {
	case p.Error != "":
		fmt.Fprintf(w, "%s, %s: dead letter: %s\n    %.200q\n", p.Page, p.Position, p.Error, p.Raw)
	case len(p.Outputs) == 0:
		fmt.Fprintf(w, "%s, %s: dropped by a rule\n", p.Page, p.Position)
	}
	for _, o := range p.Outputs {
		key := "null"
		if o.Key != nil {
			text, _ := json.Marshal(*o.Key) // a text has always a form
			key = string(text)
		}
		fmt.Fprintf(w, "%s  %s  %s  %v  %s\n", o.Topic, o.Time.Format("2006-01-02T15:04:05.000Z"), key, o.Headers, o.Value)
	}
}
