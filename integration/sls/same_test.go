package sls

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// plainFile is taken by both. Tests change one thing in it.
const plainFile = `service: etl
configValidationMode: error
provider:
  name: tencent
  vpcConfig: { vpcId: v, subnetId: s }
functions:
  dump:
    handler: main
    memorySize: 256
    timeout: 60
    environment: { KEY: value }
    events:
      - ckafka: { instanceId: i, topic: t, consumerGroupName: g, maxMsgNum: 1000, timeOut: 5, retry: 10, offset: earliest }
      - timer: { name: hourly, cron: '0 0 * * * * *' }
      - cos: { bucket: b-1.cos.ap-guangzhou.myqcloud.com, events: 'cos:ObjectCreated:*' }
      - http: { authType: NONE }
`

// settingChange is one thing that is changed in the file, and whether it is taken then.
type settingChange struct {
	old, new string
	taken    bool
}

func settingChanges() []settingChange {
	long := strings.Repeat("x", 61)
	handler := func(more string) string { return "handler: main\n    " + more }
	return []settingChange{
		{"service: etl", "service: etl", true},
		{"memorySize: 256", "memorySize: 64", true}, {"memorySize: 256", "memorySize: 3072", true}, {"memorySize: 256", "memorySize: '512'", true},
		{"memorySize: 256", "memorySize: 192", false}, {"memorySize: 256", "memorySize: 3200", false}, {"memorySize: 256", "memorySize: 0", false},
		{"memorySize: 256", "memorySize: -128", false}, {"memorySize: 256", "memorySize: large", false}, {"memorySize: 256", "memorySize: 256.5", false},
		{"    memorySize: 256\n", "", true}, {"memorySize: 256", "memory: 256", false}, {"memorySize: 256", "memorysize: 256", false},
		{"timeout: 60", "timeout: 900", true}, {"timeout: 60", "timeout: 901", false}, {"timeout: 60", "timeout: 0", false},
		{"    handler: main\n", "", false}, {"handler: main", "handler: bin/main", false}, {"handler: main", handler("description: d"), true},
		{"handler: main", handler("description: " + strings.Repeat("d", 1000)), true}, {"handler: main", handler("description: " + strings.Repeat("d", 1001)), false},
		{"handler: main", handler("name: " + long[1:]), true}, {"handler: main", handler("name: " + long), false}, {"handler: main", handler("name: a"), false},
		{"handler: main", handler("name: a-"), false}, {"handler: main", handler("name: 1a"), false},
		{"vpcConfig: { vpcId: v, subnetId: s }", "vpcConfig: { vpcId: v }", false}, {"vpcConfig: { vpcId: v, subnetId: s }", "vpcConfig: { vpcId: '', subnetId: '' }", true},
		{"vpcConfig: { vpcId: v, subnetId: s }", "role: r", true}, {"vpcConfig: { vpcId: v, subnetId: s }", "cls: { logsetId: l, topicId: t }", true},
		{"vpcConfig: { vpcId: v, subnetId: s }", "region: ap-beijing", true}, {"vpcConfig: { vpcId: v, subnetId: s }", "nothing: here", false},
		{"vpcConfig: { vpcId: v, subnetId: s }", "namespace: jobs", true}, {"vpcConfig: { vpcId: v, subnetId: s }", "deploymentBucket: code-1250000000", true},
		{"vpcConfig: { vpcId: v, subnetId: s }", "deploymentBucket: code", false},
		{"KEY: value", "KEY: 1.5", true}, {"KEY: value", "KEY: true", true}, {"KEY: value", "K: value", false}, {"KEY: value", "K-Y: value", false},
		{"KEY: value", "_KEY: value", false}, {"KEY: value", "SCF_X: value", false}, {"KEY: value", "QCLOUD_X: value", false},
		{"KEY: value", "TENCENTCLOUD_X: value", false}, {"KEY: value", "KEY: null", false}, {"KEY: value", "KEY: ''", true},
		{"KEY: value", "KEY: { a: b }", false}, {"KEY: value", "KEY: " + strings.Repeat("x", 4093), true},
		{"KEY: value", "KEY: " + strings.Repeat("x", 4094), false}, {"environment: { KEY: value }", "environment: [KEY]", false},
		{"timeout: 60", "timeout: 60\n    async: { retry: 0, messageLifetime: 60 }", true}, {"timeout: 60", "timeout: 60\n    async: { retry: 3 }", false},
		{"timeout: 60", "timeout: 60\n    async: { messageLifetime: 59 }", false}, {"timeout: 60", "timeout: 60\n    async: { retries: 1 }", false},
		{"timeout: 60", "timeout: 60\n    concurrency: { reserved: 256 }", true}, {"timeout: 60", "timeout: 60\n    concurrency: { reserved: 128 }", false},
		{"timeout: 60", "timeout: 60\n    concurrency: { reserved: 300 }", false}, {"timeout: 60", "timeout: 60\n    concurrency: { provisioned: 1 }", false},
		{"timeout: 60", "timeout: 60\n    publish: true\n    concurrency: { provisioned: 1 }", true}, {"timeout: 60", "timeout: 60\n    publish: maybe", false},
		{"timeout: 60", "timeout: 60\n    tags: { team: data }", true}, {"timeout: 60", "timeout: 60\n    layers: [{ name: l, version: 1 }]", true},
		{"timeout: 60", "timeout: 60\n    layers: [{ name: l }]", false}, {"timeout: 60", "timeout: 60\n    deadLetter: { type: topic, name: d }", true},
		{"timeout: 60", "timeout: 60\n    deadLetter: { type: topic }", false},
		{"maxMsgNum: 1000", "maxMsgNum: 10000", true}, {"maxMsgNum: 1000", "maxMsgNum: 10001", false}, {"maxMsgNum: 1000", "maxMsgNum: 0", false},
		{"timeOut: 5", "timeOut: 61", false}, {"timeOut: 5", "timeOut: 0", false}, {"timeOut: 5", "timeout: 5", false},
		{"retry: 10,", "retry: 0,", true}, {"retry: 10,", "retry: -1,", false}, {"offset: earliest", "offset: 1700000000000", true},
		{"offset: earliest", "offset: oldest", false}, {"offset: earliest", "offset: -1", false}, {"instanceId: i, ", "", false}, {"topic: t, ", "", false},
		{"consumerGroupName: g, ", "", true}, {"topic: t,", "topic: t, enable: false,", true}, {"topic: t,", "topic: t, enable: OPEN,", false},
		{"- ckafka:", "- kafka:", false}, {"- http: { authType: NONE }", "- http: {}", true}, {"authType: NONE", "authType: none", false},
		{"authType: NONE", "extranet: true", true}, {"name: hourly, ", "", false}, {"name: hourly", "name: 1st", false}, {"name: hourly", "name: " + long, false},
		{"'0 0 * * * * *'", "'0 * * * *'", true}, {"'0 0 * * * * *'", "'0 0 * * * *'", false}, {"'0 0 * * * * *'", "'0 0 0 30 2 * *'", false},
		{"'0 0 * * * * *'", "'0 0 0 30 2 MON *'", true}, {"'0 0 * * * * *'", "'60 0 * * * * *'", false}, {"'0 0 * * * * *'", "'0 0 0 L * * *'", true},
		{"'0 0 * * * * *'", "'0 5-1 * * * * *'", false}, {"'0 0 * * * * *'", "'*/0 0 * * * * *'", false}, {"'0 0 * * * * *'", "'0 0 9 * * MON-FRI 2026'", true},
		{"'0 0 * * * * *'", "'0 0 9 29 2 * 2026'", false}, {"bucket: b-1.cos.ap-guangzhou.myqcloud.com, ", "", false}, {", events: 'cos:ObjectCreated:*'", "", false},
		{"      - http: { authType: NONE }\n", "      - timer: { name: hourly, cron: '0 0 1 * * * *' }\n", false},
		{"      - http: { authType: NONE }\n", strings.Repeat("      - cos: { bucket: BUCKET, events: e }\n", 10), false},
	}
}

// TestBothTakeTheSameFiles holds the plugin's checks against those of etl lint.
func TestBothTakeTheSameFiles(t *testing.T) {
	t.Parallel()
	modules := frameworks(t)
	absolute, err := filepath.Abs(plugin)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	var paths []string
	for i, c := range settingChanges() {
		content := strings.Replace(plainFile, c.old, c.new, 1)
		if content == plainFile && c.old != c.new {
			t.Fatalf("the file has no %q", c.old)
		}
		for n := 0; strings.Contains(content, "BUCKET"); n++ {
			content = strings.Replace(content, "BUCKET", fmt.Sprintf("b%d", n), 1)
		}
		paths = append(paths, filepath.Join(folder, fmt.Sprintf("%d.yml", i)))
		if err := os.WriteFile(paths[i], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	node := exec.CommandContext(t.Context(), "node", "testdata/check.js", modules, absolute)
	node.Stdin, node.Stderr = strings.NewReader(strings.Join(paths, "\n")+"\n"), os.Stderr
	node.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := node.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	for i, c := range settingChanges() {
		var answer struct{ Faults []string }
		if !lines.Scan() || json.Unmarshal(lines.Bytes(), &answer) != nil {
			t.Fatalf("the plugin answers %q to file %d", lines.Text(), i)
		}
		if faults := answer.Faults; (len(faults) == 0) != c.taken {
			t.Errorf("%.80q: the plugin says %v, want it taken: %v", c.new, faults, c.taken)
		}
		if faults := lint(paths[i]); (len(faults) == 0) != c.taken {
			t.Errorf("%.80q: etl lint says %v, want it taken: %v", c.new, faults, c.taken)
		}
	}
}

// lint gives the errors of a file.
func lint(path string) (faults []string) {
	service, err := scf.Load(path, scf.Options{})
	if err != nil {
		return []string{err.Error()}
	}
	for _, f := range service.Lint() {
		if f.Severity == scf.Error {
			faults = append(faults, f.String())
		}
	}
	return faults
}
