package scf_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// write puts a serverless.yml into a folder of its own.
func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "serverless.yml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, content string) *scf.Service {
	t.Helper()
	s, err := scf.Load(write(t, content), scf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLoadFillsInEveryDefault(t *testing.T) {
	t.Parallel()
	s := load(t, "service: etl\nprovider: tencent\nfunctions:\n  dump:\n    handler: main\n    events:\n"+
		"      - ckafka: { instanceId: i, topic: t }\n      - timer: { name: n, cron: c }\n      - cos: { bucket: b, events: e }\n      - http: {}\n")
	want := []scf.Function{{
		Key: "dump", Name: "etl-dev-dump", Handler: "main", Binary: "bin/main", Runtime: "Go1", Namespace: "default",
		MemorySize: 128, Timeout: 3, Environment: map[string]string{},
		Events: []scf.Trigger{
			{Kafka: &scf.KafkaTrigger{InstanceID: "i", Topic: "t", MaxMsgNum: 100, TimeOut: 60, Retry: 10_000,
				Offset: scf.Latest, Enabled: true, Qualifier: "$DEFAULT"}},
			{Timer: &scf.TimerTrigger{Name: "n", Cron: "c", Enabled: true, Qualifier: "$DEFAULT"}},
			{COS: &scf.COSTrigger{Bucket: "b", Events: "e", Enabled: true, Qualifier: "$DEFAULT"}},
			{URL: &scf.URLTrigger{Name: "url", AuthType: "CAM", Enabled: true, Qualifier: "$DEFAULT"}},
		},
	}}
	if diff := cmp.Diff(want, s.Functions); diff != "" {
		t.Error(diff)
	}
	if got := s.Name + " " + s.Stage + " " + s.Region; got != "etl dev ap-guangzhou" {
		t.Errorf("the service is %s", got)
	}
	if diff := cmp.Diff(scf.Local{}, s.Local); diff != "" {
		t.Errorf("custom.local that the file does not have: %s", diff)
	}
}

func TestAFunctionTakesOverWhatProviderSays(t *testing.T) {
	t.Parallel()
	s := load(t, `
service: etl
provider:
  name: tencent
  stage: test
  region: ap-beijing
  runtime: Go1
  namespace: jobs
  role: r1
  memorySize: 512
  timeout: 60
  environment: { A: all, B: 1.5, C: true }
  vpcConfig: { vpcId: v, subnetId: s }
  cls: { logsetId: l, topicId: t }
  tags: { team: data, kind: etl }
  async: { retry: 1 }
  concurrency: { reserved: 1280 }
  deploymentBucket: code-1250000000
functions:
  second: { handler: main }
  first:
    handler: main
    name: own
    role: r2
    memorySize: '1024'
    timeout: 900
    environment: { B: own, D: '' }
    vpcConfig: { vpcId: v2, subnetId: s2 }
    layers: [{ name: ffmpeg, version: 3 }]
    deadLetter: { type: topic, name: dead }
    description: d
    binary: out/x
    tags: { kind: own }
    async: { messageLifetime: 60 }
    concurrency: { provisioned: 2 }
    publish: true
`)
	all := scf.Function{
		Key: "second", Name: "etl-test-second", Handler: "main", Binary: "bin/main", Runtime: "Go1", Namespace: "jobs", Role: "r1",
		MemorySize: 512, Timeout: 60, Environment: map[string]string{"A": "all", "B": "1.5", "C": "true"},
		VPC: &scf.VPC{VPCID: "v", SubnetID: "s"}, CLS: &scf.CLS{LogsetID: "l", TopicID: "t"},
		Tags: map[string]string{"team": "data", "kind": "etl"}, Async: &scf.Async{Retry: 1, MessageLifetime: 21600},
		Concurrency: scf.Concurrency{Reserved: 1280},
	}
	own := all
	own.Key, own.Name, own.Role, own.MemorySize, own.Timeout, own.Binary, own.Description = "first", "own", "r2", 1024, 900, "out/x", "d"
	own.Environment = map[string]string{"A": "all", "B": "own", "C": "true", "D": ""}
	own.VPC = &scf.VPC{VPCID: "v2", SubnetID: "s2"}
	own.Layers = []scf.Layer{{Name: "ffmpeg", Version: 3}}
	own.DeadLetter = &scf.DeadLetter{Type: "topic", Name: "dead"}
	own.Tags, own.Publish = map[string]string{"team": "data", "kind": "own"}, true
	own.Async, own.Concurrency = &scf.Async{Retry: 2, MessageLifetime: 60}, scf.Concurrency{Provisioned: 2}
	if s.DeploymentBucket != "code-1250000000" {
		t.Errorf("the bucket is %q", s.DeploymentBucket)
	}
	if diff := cmp.Diff([]scf.Function{all, own}, s.Functions); diff != "" { // in the order of the file
		t.Error(diff)
	}
	s.Functions[1].Environment["A"] = "changed"
	if s.Functions[0].Environment["A"] != "all" {
		t.Error("the environment of one function is that of another")
	}
}

func TestTheLocalSettingsAreTyped(t *testing.T) {
	t.Parallel()
	s := load(t, `
service: etl
provider: tencent
custom:
  anything: else
  local:
    retryInterval: 1m30s
    asyncRetryInterval: 2s
    afterLastRetry: drop
    oversize: stall
    readUncommitted: true
    nullKey: ''
    capitalPartition: true
    backOffMin: 100ms
    backOffMax: 10s
    idleTimeout: 1h
    maxInstances: 4
    ckafka:
      - instanceId: ckafka-1
        brokers: [a:9092, 'b:9092']
      - instanceId: ckafka-2
        brokers: c:9092, d:9092
        tls: true
        tlsCAFile: ca.pem
        tlsCertFile: c.pem
        tlsKeyFile: k.pem
        tlsServerName: n
        sasl: PLAIN
        saslUser: u
        saslPassword: p
`)
	want := scf.Local{
		RetryInterval: 90 * time.Second, AsyncRetryInterval: 2 * time.Second, AfterLastRetry: scf.Drop, Oversize: scf.Stall, ReadUncommitted: true, EmptyNullKey: true, CapitalPartition: true,
		BackOffMin: 100 * time.Millisecond, BackOffMax: 10 * time.Second, IdleTimeout: time.Hour, MaxInstances: 4,
		Clusters: map[string]scf.Cluster{
			"ckafka-1": {Brokers: []string{"a:9092", "b:9092"}},
			"ckafka-2": {Brokers: []string{"c:9092", "d:9092"}, TLS: true, TLSCAFile: "ca.pem", TLSCertFile: "c.pem", TLSKeyFile: "k.pem",
				TLSServerName: "n", SASL: "PLAIN", User: "u", Password: secret.New("p")},
		},
	}
	if diff := cmp.Diff(want, s.Local); diff != "" {
		t.Error(diff)
	}
}

func TestAValueOfTheWrongTypeIsNamed(t *testing.T) {
	t.Parallel()
	const head = "service: etl\nprovider: tencent\n"
	for name, c := range map[string]struct{ file, want string }{
		"no service":          {"provider: tencent\n", "service: is missing; give the service a name: service: etl"},
		"another provider":    {"service: a\nprovider:\n  name: aws\n", `3:9: error: provider.name: "aws": the provider must be tencent; write provider.name: tencent`},
		"no provider":         {"service: a\n", "provider.name: the provider must be tencent"},
		"the vendor's format": {"component: scf\n", "1:12: error: component: \"scf\": belongs to Serverless Components"},
		"a text for a number": {head + "functions:\n  f:\n    memorySize: large\n",
			`5:17: error: functions.f.memorySize: "large": is no whole number, want a whole number`},
		"a fraction":       {head + "functions:\n  f:\n    timeout: 1.5\n", `functions.f.timeout: "1.5": is no whole number`},
		"a map for a text": {head + "functions:\n  f:\n    handler: { a: b }\n", "5:14: error: functions.f.handler: is a map, want a text"},
		"a list for a map": {head + "functions:\n  f:\n    environment: [a]\n", "functions.f.environment: is a list, want a map of settings"},
		"a map in the environment": {head + "functions:\n  f:\n    environment: { A: { b: c } }\n",
			"functions.f.environment.A: is a map, want a text"},
		"a text for events": {head + "functions:\n  f:\n    events: ckafka\n", `5:13: error: functions.f.events: "ckafka": is a text, want a list`},
		"an event without a dash of its own": {head + "functions:\n  f:\n    events:\n      - ckafka:\n        topic: t\n",
			"functions.f.events.0: is no trigger, want a map with one key, the kind: - ckafka: {...}; mend the indentation"},
		"a kind of trigger that is misspelled": {head + "functions:\n  f:\n    events:\n      - kafka: {}\n",
			"6:9: error: functions.f.events.0.kafka: is no kind of trigger, want ckafka, timer, cos or http; did you mean ckafka?"},
		"the API gateway": {head + "functions:\n  f:\n    events:\n      - apigw: {}\n", "can no longer be made: use http"},
		"an offset": {head + "functions:\n  f:\n    events:\n      - ckafka: { offset: earlist }\n",
			`functions.f.events.0.ckafka.offset: "earlist": is no offset, want latest, earliest or a time in milliseconds since 1970; did you mean earliest?`},
		"the oldest offset":  {head + "functions:\n  f:\n    events:\n      - ckafka: { offset: oldest }\n", "did you mean earliest?"},
		"a negative offset":  {head + "functions:\n  f:\n    events:\n      - ckafka: { offset: -2 }\n", `"-2": is no offset`},
		"a switch":           {head + "functions:\n  f:\n    events:\n      - ckafka: { enable: OPEN }\n", `"OPEN": is neither true nor false, want true or false`},
		"a time span":        {head + "custom: { local: { retryInterval: 5 } }\n", `custom.local.retryInterval: "5": is no time span, want a number with its unit`},
		"a policy":           {head + "custom: { local: { afterLastRetry: skip } }\n", `"skip": is not known, want "stall" or "drop"`},
		"a mechanism":        {head + "custom: { local: { ckafka: [{ instanceId: a, brokers: b, sasl: GSSAPI }] } }\n", `"GSSAPI": is not known`},
		"no brokers":         {head + "custom: { local: { ckafka: [{ instanceId: a }] } }\n", "custom.local.ckafka.0.brokers: is missing"},
		"no instance":        {head + "custom: { local: { ckafka: [{ brokers: a }] } }\n", "custom.local.ckafka.0: instanceId is missing"},
		"an instance twice":  {head + "custom: { local: { ckafka: [{ instanceId: a, brokers: a }, { instanceId: a, brokers: b }] } }\n", "stands twice"},
		"a missing variable": {head + "custom: { a: '${env:A}' }\n", "3:14: error: custom.a: ${env:A}: is not set in the environment; set A, or give a default"},
		"a text for a password": {head + "custom: { local: { ckafka: [{ instanceId: a, brokers: b, saslPassword: { hunter2: x } }] } }\n",
			"saslPassword: is a map, want a text"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := scf.Load(write(t, c.file), scf.Options{})
			var load *scf.LoadError
			if !errors.As(err, &load) || len(load.Findings) == 0 {
				t.Fatalf("got %v, want a *LoadError", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("got  %s\nwant %s", err, c.want)
			}
		})
	}
}

func TestAllFaultsOfAFileAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := scf.Load(write(t, "service: etl\nprovider: { name: tencent, timeout: x }\nfunctions:\n  a: { memorySize: y }\n  b: { layers: z }\n"), scf.Options{})
	var load *scf.LoadError
	if !errors.As(err, &load) {
		t.Fatal(err)
	}
	var paths []string
	for _, f := range load.Findings {
		paths = append(paths, f.Path)
	}
	if diff := cmp.Diff([]string{"provider.timeout", "functions.a.memorySize", "functions.b.layers"}, paths); diff != "" {
		t.Error(diff)
	}
}

func TestTheFilesOfAPackageAreThoseOfTheServiceThenOfTheFunction(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "serverless.yml")
	text := `service: etl
provider: {name: tencent}
package: {individually: true, patterns: ["rules/**"]}
functions:
  one: {handler: main, package: {patterns: ["!rules/b.yaml", models/m.bin], artifact: x.zip}}
  two: {handler: main}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	service, err := scf.Load(path, scf.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"rules/**", "!rules/b.yaml", "models/m.bin"}, {"rules/**"}}
	if diff := cmp.Diff(want, [][]string{service.Functions[0].Patterns, service.Functions[1].Patterns}); diff != "" {
		t.Error(diff)
	}
}

func TestAFileThatDoesNotExistIsNamed(t *testing.T) {
	t.Parallel()
	_, err := scf.Load(filepath.Join(t.TempDir(), "serverless.yml"), scf.Options{})
	if err == nil || !strings.Contains(err.Error(), "serverless.yml: error: does not exist") {
		t.Errorf("got %v", err)
	}
	_, err = scf.Load(filepath.Join(t.TempDir(), "no", "serverless.yml"), scf.Options{})
	if err == nil {
		t.Error("a folder that does not exist is taken")
	}
}

// FuzzLoad: whatever a file holds, there is a service that lint can look at, or an error.
func FuzzLoad(f *testing.F) {
	for _, path := range []string{projectFile, "internal/sls/testdata/golden/plain/serverless.yml", "internal/sls/testdata/golden/commas/serverless.yml"} {
		content, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
	f.Fuzz(func(t *testing.T, content string) {
		s, err := scf.Load(write(t, content), scf.Options{})
		var load *scf.LoadError
		if (err == nil) != (s != nil) || err != nil && (!errors.As(err, &load) || err.Error() == "") {
			t.Fatalf("service %v, error %v", s, err)
		}
		if err != nil {
			return
		}
		for _, finding := range s.Lint() {
			if finding.Message == "" || finding.Severity == "" || finding.File == "" {
				t.Errorf("an empty finding %+v", finding)
			}
		}
	})
}
