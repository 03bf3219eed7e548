package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// printTriggers says what will happen, with the settings in force; those that
// no document of the platform confirms are marked.
func printTriggers(w io.Writer, triggers []emulator.TriggerStatus) {
	driven := false
	for _, t := range triggers {
		driven = driven || t.Error == ""
		switch {
		case t.Timer != nil:
			printTimer(w, t)
		case t.COS != nil:
			printBucket(w, t)
		case t.Kind == "ckafka":
			printKafka(w, t)
		default:
			fmt.Fprintf(w, "%s <- %s %s: not driven here yet, use etl invoke\n", t.Function, t.Kind, t.Name)
		}
	}
	if driven {
		fmt.Fprintln(w, "[?] no document of the cloud says: a setting under custom.local of serverless.yml")
	}
}

func printKafka(w io.Writer, t emulator.TriggerStatus) {
	fmt.Fprintf(w, "%s <- topic %s, group %s%s\n", t.Function, t.Topic, t.Group, closedMark(t))
	fmt.Fprintf(w, "    an event: up to %d records, within %v, at most 6 MB\n", t.MaxMsgNum, t.TimeOut)
	fmt.Fprintf(w, "    a failed event: again every %v (a minute in the cloud), %d times, then the partition %s [?]\n", t.RetryInterval, t.Retry, inWords(t.AfterLastRetry))
	fmt.Fprintf(w, "    a record over 6 MB: the partition %s [?]\n", inWords(t.Oversize))
}

func printTimer(w io.Writer, t emulator.TriggerStatus) {
	fmt.Fprintf(w, "%s <- timer %s, %s in UTC+8, next %s%s\n", t.Function, t.Name, t.Timer.Cron, nextFirings(*t.Timer), closedMark(t))
	fmt.Fprintf(w, "    a failed event: again after %v [?], %d times, then it is given up\n", t.RetryInterval, t.Retry)
}

// firingsShown is how many of the next times of a timer are told: where they are apart shows more than one.
const firingsShown = 3

// nextFirings are the next times of a timer, in UTC+8.
func nextFirings(t emulator.TimerStatus) string {
	cron, err := scf.ParseCron(t.Cron)
	if err != nil || t.Next.IsZero() {
		return orNever(t.Next)
	}
	texts := []string{orNever(t.Next)}
	for at, ok := cron.Next(t.Next); ok && len(texts) < firingsShown; at, ok = cron.Next(at) {
		texts = append(texts, orNever(at))
	}
	return strings.Join(texts, ", then ")
}

func printBucket(w io.Writer, t emulator.TriggerStatus) {
	fmt.Fprintf(w, "%s <- bucket %s, %s of %s*%s%s\n", t.Function, t.COS.Bucket, t.COS.Events, t.COS.Prefix, t.COS.Suffix, closedMark(t))
	fmt.Fprintf(w, "    a failed event: again after %v [?], %d times, then it is given up\n", t.RetryInterval, t.Retry)
}

// closedMark tells of a trigger that is off.
func closedMark(t emulator.TriggerStatus) string {
	if t.Enabled {
		return ""
	}
	return ", CLOSED"
}

// inWords says what a policy does to a partition.
func inWords(p emulator.Policy) string {
	if p == emulator.Drop {
		return "goes on behind it, and it is lost"
	}
	return "stops there"
}
