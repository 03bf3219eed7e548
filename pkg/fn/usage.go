package fn

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// usage is what a function says to the person who runs its binary.
type usage struct {
	name     string
	settings []Setting
}

// help lists the settings.
func (u usage) help(w io.Writer) {
	fmt.Fprintf(w, "%s is a function for Tencent SCF. Its settings are environment variables:\n\n", u.name)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range u.settings {
		note := "default " + s.Default
		switch {
		case s.Required:
			note = "required"
		case s.Default == "":
			note = ""
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\n", s.Key, note, s.meaning())
	}
	_ = table.Flush() // why: there is nobody to tell when stdout is gone
	fmt.Fprintln(w)
	u.howToRun(w)
}

// byHand says what the binary is, whether it could run with the environment it was given, and how it is run.
func (u usage) byHand(w io.Writer, faults []Fault) {
	fmt.Fprintf(w, "%s is a function for Tencent SCF: it serves invocations of the platform and does nothing by itself.\n\n", u.name)
	if len(faults) == 0 {
		fmt.Fprint(w, "Its configuration is complete.\n\n")
	} else {
		listFaults(w, u.name, faults)
		fmt.Fprintln(w)
	}
	u.howToRun(w)
}

func (u usage) howToRun(w io.Writer) {
	fmt.Fprintf(w, `Run it:
  etl invoke %[1]s   once, here, with an event
  etl up            as serverless.yml says, with its triggers
  %[1]s --help       list its settings
`, u.name)
}

// listFaults writes every fault of a configuration on a line of its own.
func listFaults(w io.Writer, name string, faults []Fault) {
	count := fmt.Sprintf("%d faults", len(faults))
	if len(faults) == 1 {
		count = "1 fault"
	}
	fmt.Fprintf(w, "configuration of %s: %s\n", name, count)
	for _, fault := range faults {
		fmt.Fprintf(w, "  %s\n", fault)
	}
}
