package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/dataset/load"
)

// queryFlags are a question in words.
type queryFlags struct {
	measures, by, where, order []string
	every, zone                string
	limit                      int
}

func (a *app) datasetQueryCommand() *cobra.Command {
	var f queryFlags
	cmd := &cobra.Command{
		Use:   "query",
		Short: "Ask a dataset: counts, sums, quantiles, by columns and by time",
		Long: `Ask a dataset. Measures are count, or OP:COLUMN with count, sum, min, max, avg, distinct
(about) and quantile:COLUMN:Q (about). --where is COLUMN and one of = != < <= > >=, or
"COLUMN in A,B", "COLUMN null", "COLUMN not null"; all have to be met. Only the columns that
are named are read, of folders and row groups that can have such rows.`,
		Example: `  etl dataset query --measure count --by action
  etl dataset query --measure sum:amount --measure quantile:amount:0.99 --every at:1h --where 'date=2026-11-27'
  etl dataset query --measure count --by user --order count:desc --limit 10 -o json`,
		Args: cobra.NoArgs,
	}
	place := newDatasetFlag(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&f.measures, "measure", []string{"count"}, "what is measured; may be repeated")
	flags.StringArrayVar(&f.by, "by", nil, "column whose values make the groups; may be repeated")
	flags.StringVar(&f.every, "every", "", "groups of time: 1h, of the records' timestamps; or COLUMN:1h")
	flags.StringVar(&f.zone, "zone", "UTC", "time zone in which buckets begin, as Asia/Shanghai")
	flags.StringArrayVar(&f.where, "where", nil, "condition; may be repeated")
	flags.StringArrayVar(&f.order, "order", nil, "column of the answer, or COLUMN:desc; may be repeated")
	flags.IntVar(&f.limit, "limit", 0, "rows of the answer at most; 0 for all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q, err := f.query()
		if err != nil {
			return err
		}
		d, closed, err := place.open(a)
		if err != nil {
			return err
		}
		defer closed()
		answer, err := d.Query(cmd.Context(), q)
		if err != nil {
			return err
		}
		if answer.Scanned.Objects == 0 {
			fmt.Fprintln(a.stderr, "no object was read: etl dataset list shows what there is below the prefix")
		}
		return a.print(rowsOf(answer), func(w io.Writer) { printAnswer(w, answer) })
	}
	return cmd
}

func (f *queryFlags) query() (q dataset.Query, err error) {
	for _, text := range f.measures {
		m, err := measureOf(text)
		if err != nil {
			return q, err
		}
		q.Measures = append(q.Measures, m)
	}
	for _, column := range f.by {
		q.GroupBy = append(q.GroupBy, dataset.Group{Column: column})
	}
	if f.every != "" {
		column, width, ok := strings.Cut(f.every, ":")
		if !ok {
			column, width = load.TimestampColumn, f.every
		}
		g := dataset.Group{Column: column}
		if g.Bucket, err = time.ParseDuration(width); err != nil || g.Bucket <= 0 {
			return q, usagef("--every is %q: want a length of time as 1h, or COLUMN:1h", f.every)
		}
		if g.Zone, err = time.LoadLocation(f.zone); err != nil {
			return q, usagef("--zone is %q: %v", f.zone, err)
		}
		q.GroupBy = append(q.GroupBy, g)
	}
	for _, text := range f.where {
		c, err := conditionOf(text)
		if err != nil {
			return q, err
		}
		q.Where = append(q.Where, c)
	}
	for _, text := range f.order {
		name, desc := strings.CutSuffix(text, ":desc")
		q.OrderBy = append(q.OrderBy, dataset.Order{Name: name, Desc: desc})
	}
	q.Limit = f.limit
	return q, nil
}

func measureOf(text string) (dataset.Measure, error) {
	parts := strings.Split(text, ":")
	m := dataset.Measure{Name: text, Op: dataset.Op(parts[0])}
	if len(parts) > 1 {
		m.Column = parts[1]
	}
	if m.Op == dataset.Quantile && len(parts) == 3 {
		var err error
		if m.Q, err = strconv.ParseFloat(parts[2], 64); err != nil {
			return m, usagef("--measure %s: %q is no number", text, parts[2])
		}
	} else if len(parts) > 2 || m.Op == dataset.Quantile {
		return m, usagef("--measure is %q: want count, OP:COLUMN, or quantile:COLUMN:Q", text)
	}
	return m, nil
}

func conditionOf(text string) (dataset.Condition, error) {
	if column, ok := strings.CutSuffix(text, " not null"); ok {
		return dataset.Condition{Column: column, Op: dataset.NotNull}, nil
	}
	if column, ok := strings.CutSuffix(text, " null"); ok {
		return dataset.Condition{Column: column, Op: dataset.IsNull}, nil
	}
	if column, list, ok := strings.Cut(text, " in "); ok {
		c := dataset.Condition{Column: column, Op: dataset.In}
		for value := range strings.SplitSeq(list, ",") {
			c.Values = append(c.Values, value)
		}
		return c, nil
	}
	at := strings.IndexAny(text, "=!<>")
	if at <= 0 {
		return dataset.Condition{}, usagef(
			"--where is %q: want COLUMN=VALUE, or another of != < <= > >=, in, null, not null",
			text,
		)
	}
	op := text[at : at+1]
	if rest := text[at+1:]; strings.HasPrefix(rest, "=") {
		op += "="
	}
	value := strings.TrimSpace(text[at+len(op):])
	if op == "==" {
		op = "="
	}
	return dataset.Condition{Column: strings.TrimSpace(text[:at]), Op: dataset.Compare(op), Values: []any{value}}, nil
}

func printAnswer(w io.Writer, answer dataset.Answer) {
	var heading []string
	for _, c := range answer.Columns {
		heading = append(heading, strings.ToUpper(c.Name))
	}
	rows := [][]string{heading}
	for _, row := range answer.Rows {
		var line []string
		for _, v := range row {
			switch v := v.(type) {
			case nil:
				line = append(line, "-")
			case time.Time:
				line = append(line, v.Format(time.RFC3339))
			default:
				line = append(line, printable(fmt.Sprint(v)))
			}
		}
		rows = append(rows, line)
	}
	table(w, rows)
	s := answer.Scanned
	fmt.Fprintf(w, "%d rows of %d objects, %s read; left out: %d objects or folders, %d row groups\n",
		s.Rows, s.Objects, inBytes(s.Bytes), s.ObjectsSkipped, s.RowGroupsSkipped)
}
