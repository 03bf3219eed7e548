package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/scf/cost"
)

// costFlags is what etl cost is told.
type costFlags struct {
	invocations string
	window      time.Duration
	load        cost.Load
	durationMS  float64
	perRecord   float64
	batchTime   int
	egressPrice float64
	machine     float64
}

func (a *app) costCommand() *cobra.Command {
	f := &costFlags{}
	cmd := &cobra.Command{
		Use:   "cost [NAME]",
		Short: "Say what functions cost in a month",
		Long: `Say what functions cost in a month of 30 days, at the list prices of the platform:
memory x time, billed by the millisecond, and calls. What failed is billed too.

Either of invocations that were measured, with --invocations: a file that etl up
--record has written, or the output of etl invoke -o json. The month is as if all of
it were like the time in which they ran; --window says another one.

Or of a load that is described: records in a second, or calls in an hour, and how
long the function runs for an event. With the NAME of a function, its memory,
maxMsgNum and timeOut are those of serverless.yml, where no flag says another.

Not in the price list, and so not in the cost: free quotas and packages, logs, the
CKafka instance, and traffic to the internet, of which --egress-share says how much
there is and --egress-price what a GB costs. With --machine-month, the price of a
machine that would do the same, it says from which load on that is cheaper.`,
		Example: `  etl cost dump --records-per-second 500 --partitions 8 --duration-ms 30 --us-per-record 5 --machine-month 300
  etl cost migrate --calls-per-hour 60 --duration-ms 55000
  etl up dump --record bin/invocations.json      and then
  etl cost --invocations bin/invocations.json`,
		Args: cobra.MaximumNArgs(1),
	}
	service := newServiceFlag(cmd)
	cmd.ValidArgsFunction = service.names(a)
	flags := cmd.Flags()
	flags.StringVar(&f.invocations, "invocations", "", "file with measured invocations, or - for standard input")
	flags.DurationVar(&f.window, "window", 0, "the time that they stand for (default: from the first to the last)")
	flags.Float64Var(&f.load.RecordsPerSecond, "records-per-second", 0, "records that arrive in the topic")
	flags.IntVar(&f.load.RecordBytes, "record-bytes", 1024, "bytes of a record, key and value")
	flags.IntVar(&f.load.Partitions, "partitions", 1, "partitions of the topic: each sends its own events")
	flags.IntVar(&f.load.Batch, "batch", scf.DefaultMaxMsgNum, "maxMsgNum of the trigger: records of a full event")
	flags.IntVar(&f.batchTime, "batch-seconds", scf.DefaultBatchTime, "timeOut of the trigger: how long an event is filled")
	flags.Float64Var(&f.load.CallsPerHour, "calls-per-hour", 0, "calls instead of records, of a timer for example")
	flags.Float64Var(&f.durationMS, "duration-ms", 0, "how long the function runs for an event, in milliseconds")
	flags.Float64Var(&f.perRecord, "us-per-record", 0, "how much longer for each record of the event, in microseconds")
	flags.IntVar(&f.load.MemoryMB, "memory", scf.DefaultMemory, "memory size in MB")
	flags.Float64Var(&f.load.EgressShare, "egress-share", 0, "part of the records' bytes that goes to the internet, 0 to 1")
	flags.Float64Var(&f.egressPrice, "egress-price", 0, "price of a GB to the internet, which the price list does not have")
	flags.Float64Var(&f.machine, "machine-month", 0, "price of a machine for a month, to compare with")
	cmd.MarkFlagsOneRequired("invocations", "records-per-second", "calls-per-hour")
	cmd.MarkFlagsMutuallyExclusive("invocations", "records-per-second", "calls-per-hour")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.egressPrice < 0 || f.machine < 0 || f.window < 0 {
			return usagef("a price or a window is less than 0")
		}
		tariff := cost.Tariff{Prices: scf.MainlandPrices(), PerEgressGB: f.egressPrice, MachineMonth: f.machine}
		if f.invocations != "" {
			return a.measuredCost(f, tariff, args)
		}
		return a.describedCost(cmd, service, f, tariff, args)
	}
	return cmd
}

func (a *app) measuredCost(f *costFlags, tariff cost.Tariff, names []string) error {
	if len(names) > 0 {
		return usagef("the invocations say which function they are of: leave %s out", names[0])
	}
	var from io.Reader = os.Stdin
	if f.invocations != "-" {
		file, err := os.Open(f.invocations)
		if err != nil {
			return fmt.Errorf("read the invocations: %w", err)
		}
		defer file.Close()
		from = file
	}
	all, err := cost.Read(from)
	if err != nil {
		return fmt.Errorf("%s: %w", f.invocations, err)
	}
	uses, err := cost.Measured(all, f.window)
	if err != nil {
		return fmt.Errorf("%s: %w", f.invocations, err)
	}
	bill := tariff.Bill(uses)
	return a.print(bill, func(w io.Writer) { printBill(w, bill, "") })
}

func (a *app) describedCost(
	cmd *cobra.Command, flag *serviceFlag, f *costFlags, tariff cost.Tariff, names []string,
) error {
	name := "described"
	load := f.load
	load.Duration = time.Duration(f.durationMS * float64(time.Millisecond))
	load.PerRecord = time.Duration(f.perRecord * float64(time.Microsecond))
	load.BatchTime = time.Duration(f.batchTime) * time.Second
	if len(names) > 0 {
		service, _, err := flag.load(a.environ)
		if err != nil {
			return err
		}
		function, err := findFunction(service, names[0])
		if err != nil {
			return err
		}
		name = function.Key
		fromService(cmd, function, &load)
	}
	bill, err := tariff.Described(name, load)
	if err != nil {
		return usagef("%v", err)
	}
	unit := "records a second"
	if load.CallsPerHour > 0 {
		unit = "calls an hour"
	}
	return a.print(bill, func(w io.Writer) {
		printBill(w, bill, unit)
		if busy := load.Busy(); busy > 1 {
			fmt.Fprintf(w, "FALLS BEHIND: a partition's function would run %.0f%% of the time: more partitions, or larger batches\n",
				100*busy)
		}
	})
}

// fromService takes over what serverless.yml says of a function and no flag does.
func fromService(cmd *cobra.Command, function scf.Function, load *cost.Load) {
	given := func(flag string) bool { return cmd.Flags().Changed(flag) }
	if !given("memory") {
		load.MemoryMB = function.MemorySize
	}
	for _, e := range function.Events {
		if e.Kafka == nil {
			continue
		}
		if !given("batch") {
			load.Batch = e.Kafka.MaxMsgNum
		}
		if !given("batch-seconds") {
			load.BatchTime = time.Duration(e.Kafka.TimeOut) * time.Second
		}
		return
	}
}

// printBill shows a bill; unit is that of the load, where one was described.
func printBill(w io.Writer, b cost.Bill, unit string) {
	fmt.Fprintf(w, "a month of 30 days, list prices of %s read %s, in %s\n", b.Region, b.PriceDate, b.Currency)
	rows := [][]string{{"FUNCTION", "MEMORY", "CALLS", "GBs", "EGRESS GB", "FOR GBs", "FOR CALLS", "FOR EGRESS", "TOTAL"}}
	for _, l := range b.Functions {
		rows = append(rows, []string{l.Function, fmt.Sprintf("%d MB", l.MemoryMB), fmt.Sprintf("%.0f", l.Calls),
			fmt.Sprintf("%.1f", l.GBSeconds), fmt.Sprintf("%.1f", l.EgressGB),
			money(l.Compute), money(l.Invocations), money(l.Egress), money(l.Total)})
	}
	if len(b.Functions) > 1 {
		rows = append(rows, []string{"all", "", "", "", fmt.Sprintf("%.1f", b.EgressGB), "", "", "", money(b.Total)})
	}
	table(w, rows)
	if b.Unpriced {
		fmt.Fprintf(w, "not in it: %.1f GB to the internet, give --egress-price\n", b.EgressGB)
	}
	m := b.Machine
	if m == nil {
		return
	}
	fmt.Fprintf(w, "a machine of %s a month: this is %.1f%% of it", money(m.Month), 100*m.Share)
	switch {
	case m.BreakEvenLoad > 0:
		fmt.Fprintf(w, "; the same at %.0f %s, %.1f times this load\n", m.BreakEvenLoad, unit, m.BreakEvenFactor)
	case unit != "":
		fmt.Fprintln(w, "; cheaper at any load that the function carries")
	case m.BreakEvenFactor > 0:
		fmt.Fprintf(w, "; the same at %.1f times these calls\n", m.BreakEvenFactor)
	default:
		fmt.Fprintln(w)
	}
}

func money(amount float64) string { return fmt.Sprintf("%.2f", amount) }
