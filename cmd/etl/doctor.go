package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// finding is one line of `etl doctor`.
type finding struct {
	Check string `json:"check"`
	OK    bool   `json:"ok"`
	Skip  bool   `json:"skipped,omitempty"` // there was nothing to check
	Found string `json:"found"`
	Fix   string `json:"fix,omitempty"`
}

func (a *app) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the machine and the clusters, each line with the fix",
		Long: `Check what this machine and the two clusters allow: the Go toolchain that builds
the functions, the brokers of SOURCE_BROKERS and TARGET_BROKERS, whether the
target takes transactions, and whether the topics can be seen. A cluster that is
not named is not checked. Exit code 1 where a check failed.`,
		Example: "  etl doctor\n  SOURCE_BROKERS=localhost:19092 TARGET_BROKERS=localhost:29092 etl doctor",
		Args:    cobra.NoArgs,
	}
	source, target := sourceFlag(cmd), targetFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		findings := []finding{checkGo(cmd.Context())}
		findings = append(findings, checkCluster(cmd.Context(), a, source, false)...)
		findings = append(findings, checkCluster(cmd.Context(), a, target, true)...)
		if err := a.print(findings, func(w io.Writer) { printFindings(w, findings) }); err != nil {
			return err
		}
		for _, f := range findings {
			if !f.OK {
				return errReported
			}
		}
		return nil
	}
	return cmd
}

func printFindings(w io.Writer, findings []finding) {
	var rows [][]string
	for _, f := range findings {
		mark := "ok"
		switch {
		case f.Skip:
			mark = "skip"
		case !f.OK:
			mark = "FAIL"
		}
		rows = append(rows, []string{mark, f.Check, f.Found})
		if f.Fix != "" {
			rows = append(rows, []string{"", "  fix:", f.Fix})
		}
	}
	table(w, rows)
}

func checkGo(ctx context.Context) finding {
	f := finding{Check: "go toolchain"}
	out, err := exec.CommandContext(ctx, "go", "version").Output()
	if err != nil {
		f.Found, f.Fix = err.Error(), "install Go (the version is in go.mod): etl up and etl demo build the functions with it"
		return f
	}
	f.OK, f.Found = true, strings.TrimSpace(string(out))
	return f
}

func checkCluster(ctx context.Context, a *app, flag *clusterFlag, isTarget bool) []finding {
	name := strings.ToLower(strings.TrimSuffix(flag.prefix, "_"))
	if len(flag.brokers) == 0 && a.environ[flag.prefix+"BROKERS"] == "" {
		return []finding{{Check: name + " cluster", OK: true, Skip: true, Found: "not named: set " + flag.prefix + "BROKERS, without it the default of serverless.yml counts"}}
	}
	client, err := flag.open(ctx, a)
	if err != nil {
		return []finding{{Check: name + " cluster", Found: err.Error(), Fix: fixConnection(err, flag.prefix)}}
	}
	defer client.Close()
	findings := []finding{{Check: name + " cluster", OK: true, Found: "answers at " + strings.Join(client.Brokers(), ",")}}
	if topics, err := client.Topics(ctx); err != nil {
		findings = append(findings, finding{Check: name + " topics", Found: err.Error(), Fix: "give the user DESCRIBE on the topics"})
	} else {
		findings = append(findings, finding{Check: name + " topics", OK: true, Found: fmt.Sprintf("%d can be seen", len(topics))})
	}
	if isTarget {
		findings = append(findings, checkTransactions(ctx, client))
	}
	return findings
}

// checkTransactions fences a transactional id that no job can have.
func checkTransactions(ctx context.Context, client *kafka.Client) finding {
	f := finding{Check: "target transactions", Found: "can be begun"}
	if _, err := client.Transactional(ctx, "etl.doctor", time.Minute); err != nil {
		f.Found, f.Fix = err.Error(), "a target needs Kafka 0.11 or later, and a user with WRITE on transactional ids that begin with etl."
		return f
	}
	f.OK = true
	return f
}

func fixConnection(err error, prefix string) string {
	switch {
	case errors.Is(err, errUsage):
		return "correct it in the environment: --help of the function lists what each setting takes"
	case errors.Is(err, kafka.ErrAuthentication):
		return fmt.Sprintf("check %sSASL, %sSASL_USER, %sSASL_PASSWORD and the certificates of %sTLS_*", prefix, prefix, prefix, prefix)
	default:
		return fmt.Sprintf("check that %sBROKERS is right, that the port can be reached from here, and whether the listener wants %sTLS", prefix, prefix)
	}
}
