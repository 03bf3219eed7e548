package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/migrate"
)

func TestPlanOutput(t *testing.T) {
	t.Parallel()
	preview := migrate.Preview{
		Plan:   migrate.Plan{Name: "east"},
		Topics: []migrate.PlannedTopic{{Source: "orders", Target: "east.orders", Partitions: 3, Records: 7}},
		Groups: []migrate.PlannedGroup{{Source: "readers", Target: "east-readers", Positions: 2}},
		Conflicts: []migrate.Conflict{
			{Kind: migrate.NothingSelected, Problem: "no topic matches", Choices: "--include"},
			{Kind: migrate.GroupExists, Group: "readers", Problem: "it exists", Choices: "--group-names"},
		},
		Warnings: []migrate.Conflict{{Kind: migrate.SettingsDiffer, Topic: "orders", Problem: "it differs", Choices: "--keep-settings",
			Setting: "retention.ms", SourceValue: "1", TargetValue: "2"}},
	}

	t.Run("the text has topics, groups, warnings and conflicts with their choices", func(t *testing.T) {
		t.Parallel()
		var text strings.Builder
		printPreview(&text, preview, false)
		for _, words := range []string{
			"east.orders", "east-readers", "to be created",
			"warning: orders: it differs. Choices: --keep-settings",
			"conflict: the plan: no topic matches. Choices: --include",
			"conflict: group readers: it exists. Choices: --group-names",
			"etl migrate rollback east",
		} {
			if !strings.Contains(text.String(), words) {
				t.Errorf("%q is not in:\n%s", words, text.String())
			}
		}
	})

	t.Run("the JSON has all of that, and the values of a setting", func(t *testing.T) {
		t.Parallel()
		text, err := json.Marshal(preview)
		if err != nil {
			t.Fatal(err)
		}
		for _, words := range []string{
			`"target":"east.orders"`, `"target":"east-readers"`, `"kind":"group-exists"`, `"group":"readers"`,
			`"setting":"retention.ms","source_value":"1","target_value":"2"`, `"choices":"--include"`,
		} {
			if !strings.Contains(string(text), words) {
				t.Errorf("%s is not in %s", words, text)
			}
		}
	})
}
