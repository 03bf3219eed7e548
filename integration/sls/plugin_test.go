package sls

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

var plugin = filepath.Join(root, "deploy", "serverless-tencent")

// TestThePluginsOwn runs the plugin's tests against the API in memory.
func TestThePluginsOwn(t *testing.T) {
	t.Parallel()
	requireNode(t)
	node := exec.CommandContext(t.Context(), "node", "--test")
	node.Dir = plugin
	node.Env = append(os.Environ(), "NODE_OPTIONS=", "UPDATE=")
	out, err := node.CombinedOutput()
	if err != nil {
		t.Fatalf("node --test: %v\n%s", err, out)
	}
	if !strings.Contains(string(out), "a cut at any call, for good") {
		t.Errorf("it has not run its tests:\n%s", out)
	}
}

// TestLimitsAreThoseOfTheLint compares the plugin's numbers with pkg/scf.
func TestLimitsAreThoseOfTheLint(t *testing.T) {
	t.Parallel()
	requireNode(t)
	out, err := exec.CommandContext(t.Context(), "node", "-p", "JSON.stringify(require('./"+filepath.ToSlash(plugin)+"/lib/limits'))").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"minMemory": scf.MinMemory, "memoryStep": scf.MemoryStep, "maxMemory": scf.MaxMemory, "minTimeout": scf.MinTimeout, "maxTimeout": scf.MaxTimeout,
		"maxEnvironment": scf.MaxEnvironment, "minEnvironmentKey": scf.MinEnvironmentKey, "maxEnvironmentKey": scf.MaxEnvironmentKey,
		"minName": scf.MinName, "maxName": scf.MaxName, "maxDescription": scf.MaxDescription, "maxTriggersOfKind": scf.MaxTriggersOfKind,
		"minMaxMsgNum": scf.MinMaxMsgNum, "maxMaxMsgNum": scf.MaxMaxMsgNum, "minBatchTime": scf.MinBatchTime, "maxBatchTime": scf.MaxBatchTime,
		"maxTimerName": scf.MaxTimerName, "maxTimerArgument": scf.MaxTimerArgument, "maxInlineZip": scf.MaxInlineZip, "maxCode": scf.MaxCode,
		"maxSyncPayload": scf.MaxSyncPayload, "maxAsyncPayload": scf.MaxAsyncPayload, "maxAsyncRetry": scf.AsyncRetries,
		"minMessageLifetime": scf.MinMessageLifetime, "maxMessageLifetime": scf.MaxMessageLifetime,
		"defaultRuntime": scf.DefaultRuntime, "defaultMemory": scf.DefaultMemory, "defaultTimeout": scf.DefaultTimeout,
		"defaultNamespace": scf.DefaultNamespace, "defaultStage": scf.DefaultStage, "defaultRegion": scf.DefaultRegion,
		"defaultMaxMsgNum": scf.DefaultMaxMsgNum, "defaultBatchTime": scf.DefaultBatchTime, "defaultRetry": scf.DefaultRetry,
		"defaultOffset": scf.DefaultOffset.String(), "defaultQualifier": scf.DefaultQualifier,
	}
	for key, value := range want {
		if v := reflect.ValueOf(value); v.CanInt() {
			want[key] = float64(v.Int())
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-pkg/scf +plugin)\n%s", diff)
	}
}
