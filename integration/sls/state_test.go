package sls

import (
	"context"
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// deployed is all that the API tells of a function, times, numbers and code apart.
type deployed struct {
	Function, Triggers, Aliases any
}

var mark = regexp.MustCompile(`(^| )sls owner [0-9a-f]{16}( code [0-9a-f]{32})?$`)

// snapshot asks the API for all functions. marked leaves the plugin's mark in
// the descriptions.
func snapshot(ctx context.Context, api apitest.Client, marked bool) (map[string]deployed, error) {
	var list struct {
		Functions []struct{ FunctionName string }
	}
	if err := api.Call(ctx, "ListFunctions", map[string]any{"Limit": 100}, &list); err != nil {
		return nil, err
	}
	all := map[string]deployed{}
	for _, f := range list.Functions {
		var function map[string]any
		var triggers struct{ Triggers []map[string]any }
		var aliases struct{ Aliases []map[string]any }
		id := map[string]any{"FunctionName": f.FunctionName}
		for action, answer := range map[string]any{"GetFunction": &function, "ListTriggers": &triggers, "ListAliases": &aliases} {
			if err := api.Call(ctx, action, id, answer); err != nil {
				return nil, err
			}
		}
		for _, m := range append(append([]map[string]any{function}, triggers.Triggers...), aliases.Aliases...) {
			for _, key := range []string{"AddTime", "ModTime", "RequestId", "FunctionId", "CodeSize", "Triggers", "ResourceId"} {
				delete(m, key)
			}
			if text, ok := m["Description"].(string); ok && !marked {
				m["Description"] = mark.ReplaceAllString(text, "")
			}
		}
		byName := func(key string) func(a, b map[string]any) int {
			return func(a, b map[string]any) int { return strings.Compare(text(a[key]), text(b[key])) }
		}
		slices.SortFunc(triggers.Triggers, byName("TriggerName"))
		slices.SortFunc(aliases.Aliases, byName("Name"))
		all[f.FunctionName] = deployed{function, triggers.Triggers, aliases.Aliases}
	}
	return all, nil
}

func text(v any) string {
	b, _ := json.Marshal(v) // what JSON has given
	return string(b)
}

// TestTheSameState compares the two ways onto the local platform.
func TestTheSameState(t *testing.T) {
	t.Parallel()
	frameworks(t)
	topic, logs := kafkatest.Topic(t), kafkatest.Topic(t)+"-logs"
	const bucket = "code-1250000000" // of packages that are too large for a request
	source, target := clusters(t, topic, logs, logs+"-clean", topic+"-jobs")
	states := map[string]map[string]deployed{}
	for _, way := range []string{"up", "serve"} {
		s := newService(t, "serverless", projectFile(t))
		for key, value := range map[string]string{
			"SOURCE_BROKERS": source, "TARGET_BROKERS": target, "TOPIC": topic, "CLEAN_TOPIC": logs, "JOB": topic, "CLEAN_JOB": logs,
			"LOAD_TOPIC": logs + "-clean", "TRANSCODE_TOPIC": topic + "-jobs",
			"COS_BUCKET": bucket, "DEPLOYMENT_BUCKET": bucket, "COS_DIR": t.TempDir(),
		} {
			s.env[key] = value
		}
		if way == "up" {
			s.serve(t, "up", "--prebuilt", "--api", "localhost:0")
		} else {
			platform := s.serve(t, "serve", "--listen", "localhost:0", "--cos", "localhost:0", "--data", t.TempDir())
			s.env["TENCENTCLOUD_COS_ENDPOINT"] = platform.store(t)
			s.must(t, "deploy")
		}
		var err error
		if states[way], err = snapshot(s.ctx, s.api(), false); err != nil {
			t.Fatal(err)
		}
	}
	service, err := scf.Load(filepath.Join(root, "serverless.yml"), scf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(states["up"]) != len(service.Functions) {
		t.Fatalf("etl up has %d functions, want %d", len(states["up"]), len(service.Functions))
	}
	if diff := cmp.Diff(states["up"], states["serve"]); diff != "" {
		t.Errorf("(-etl up +sls deploy)\n%s", diff)
	}
}
