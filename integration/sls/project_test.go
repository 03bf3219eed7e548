package sls

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
)

// TestTheProject deploys the project's own serverless.yml.
func TestTheProject(t *testing.T) {
	t.Parallel()
	frameworks(t)
	for _, framework := range []string{"serverless", "osls"} {
		// why not in parallel: the second one finds the zips of the first
		t.Run("is deployed, changed and removed by "+framework, func(t *testing.T) { project(t, framework) })
	}
}

func project(t *testing.T, framework string) {
	topic, logs := kafkatest.Topic(t), kafkatest.Topic(t)+"-logs"
	s := newService(t, framework, projectFile(t))
	const bucket = "code-1250000000" // of packages that are too large for a request
	source, target := clusters(t, topic, logs, logs+"-clean", topic+"-jobs")
	for key, value := range map[string]string{
		"SOURCE_BROKERS": source, "TARGET_BROKERS": target, "TOPIC": topic, "CLEAN_TOPIC": logs, "CLEAN_TOPICS": logs + ":" + logs + "-clean",
		"JOB": topic, "CLEAN_JOB": logs, "MIGRATION": topic, "LOAD_TOPIC": logs + "-clean", "TRANSCODE_TOPIC": topic + "-jobs",
		"COS_BUCKET": bucket, "DEPLOYMENT_BUCKET": bucket,
	} {
		s.env[key] = value
	}
	platform := s.serve(t, "serve", "--listen", "localhost:0", "--cos", "localhost:0", "--data", t.TempDir())
	s.env["TENCENTCLOUD_COS_ENDPOINT"] = platform.store(t)

	out := s.must(t, "deploy", "--dry-run")
	if !strings.Contains(out, "create etl-dev-dump\n") || !strings.Contains(out, "create trigger ckafka ckafka-local-"+topic+" of etl-dev-dump, open\n") {
		t.Errorf("the plan is\n%s", out)
	}
	if writes := platform.writes(); len(writes) > 0 {
		t.Errorf("a dry run has made the calls %v", writes)
	}
	s.must(t, "deploy")
	client := connect(t, source)
	if err := produce(s.ctx, client, topic, 200, 1); err != nil {
		t.Fatal(err)
	}
	s.awaitCopied(t, topic, 200*partitions)
	platform.writes()

	if out := s.must(t, "deploy"); !strings.Contains(out, "nothing to change") {
		t.Errorf("one more deployment says\n%s", out)
	}
	if writes := platform.writes(); len(writes) > 0 {
		t.Errorf("one more deployment of the same has made the calls %v", writes)
	}

	s.env["COMPRESSION"] = "zstd"
	s.must(t, "deploy")
	changes := slices.DeleteFunc(platform.writes(), func(call string) bool { return strings.Contains(call, "Alias") }) // of the lock
	if !slices.Equal(changes, []string{"UpdateFunctionConfiguration etl-dev-dump"}) {
		t.Errorf("a changed variable has made the calls %v", changes)
	}
	if err := produce(s.ctx, client, topic, 200, 100); err != nil {
		t.Fatal(err)
	}
	s.awaitCopied(t, topic, 400*partitions)

	if out := s.must(t, "logs", "--function", "dump"); !strings.Contains(out, " ok ") {
		t.Errorf("the logs are\n%s", out)
	}
	s.env["TENCENTCLOUD_SECRET_KEY"] = "wrong"
	s.refused(t, "TENCENTCLOUD_SECRET_KEY does not belong to TENCENTCLOUD_SECRET_ID", "deploy")
	s.env["TENCENTCLOUD_SECRET_KEY"] = apitest.SecretKey
	s.must(t, "remove")
	var info struct{ Functions []any }
	if out := s.must(t, "info", "--json"); json.Unmarshal([]byte(out[strings.IndexByte(out, '{'):]), &info) != nil || len(info.Functions) > 0 {
		t.Errorf("after remove there is\n%s", out)
	}
	var left struct{ TotalCount int }
	if err := s.api().Call(s.ctx, "ListFunctions", struct{}{}, &left); err != nil || left.TotalCount != 0 {
		t.Errorf("after remove there are %d functions, error %v", left.TotalCount, err)
	}
}
