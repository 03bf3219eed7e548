package scf_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// clean has nothing to mend. Tests change one thing in it.
const clean = `service: etl
provider:
  name: tencent
  vpcConfig: { vpcId: v, subnetId: s }
functions:
  dump:
    handler: main
    memorySize: 256
    timeout: 60
    environment: { SOURCE_BROKERS: 'a:9092' }
    events:
      - ckafka: { instanceId: i, topic: t, consumerGroupName: g, maxMsgNum: 1000, timeOut: 5, retry: 10, offset: earliest }
custom:
  local: { ckafka: [{ instanceId: i, brokers: a:9092 }] }
`

func lint(t *testing.T, content string) []scf.Finding {
	t.Helper()
	return load(t, content).Lint()
}

func TestACleanFileHasNoFinding(t *testing.T) {
	t.Parallel()
	for _, f := range lint(t, clean) {
		t.Error(f)
	}
}

func TestLintNamesPlaceValueAndWhatIsAllowed(t *testing.T) {
	t.Parallel()
	f := lint(t, strings.Replace(clean, "memorySize: 256", "memorySize: 300", 1))
	if len(f) != 1 {
		t.Fatalf("got %v", f)
	}
	f[0].File = ""
	want := scf.Finding{
		Path: "functions.dump.memorySize", Line: 8, Column: 17, Severity: scf.Error, Value: "300", Message: "is no memory size",
		Allowed: "64, or 128 to 3072 in steps of 128", Fix: "the next size is 384",
	}
	if diff := cmp.Diff(want, f[0]); diff != "" {
		t.Error(diff)
	}
	if got, want := f[0].String(), `:8:17: error: functions.dump.memorySize: "300": is no memory size, want 64, or 128 to 3072 in steps of 128; the next size is 384`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestLintRules changes the clean file and looks for the one finding that comes of it.
func TestLintRules(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 61)
	for name, c := range map[string]struct{ old, new, want string }{
		"memory of 64 MB is allowed":           {"memorySize: 256", "memorySize: 64", ""},
		"memory of 3072 MB is allowed":         {"memorySize: 256", "memorySize: 3072", ""},
		"memory of 192 MB is not":              {"memorySize: 256", "memorySize: 192", "8:17 error functions.dump.memorySize: is no memory size"},
		"memory of 3200 MB is not":             {"memorySize: 256", "memorySize: 3200", "8:17 error functions.dump.memorySize: is no memory size"},
		"memory of 0 MB is not":                {"memorySize: 256", "memorySize: 0", "8:17 error functions.dump.memorySize: is no memory size"},
		"memory below 0 is not":                {"memorySize: 256", "memorySize: -128", "8:17 error functions.dump.memorySize: is no memory size"},
		"memory of provider is found there":    {"    memorySize: 256\n", "", ""},
		"900 seconds are allowed":              {"timeout: 60", "timeout: 900", ""},
		"901 seconds are not":                  {"timeout: 60", "timeout: 901", "9:14 error functions.dump.timeout: is out of range"},
		"0 seconds are not":                    {"timeout: 60", "timeout: 0", "9:14 error functions.dump.timeout: is out of range"},
		"a handler is needed":                  {"    handler: main\n", "", "7:5 error functions.dump.handler: handler is missing"},
		"a handler is no path":                 {"handler: main", "handler: bin/main", "7:14 error functions.dump.handler: is a path"},
		"another runtime":                      {"handler: main", "handler: main\n    runtime: Python3.6", "8:14 warning functions.dump.runtime: is neither built nor run"},
		"a long description":                   {"handler: main", "handler: main\n    description: " + strings.Repeat("d", 1001), "8:18 error functions.dump.description: has 1001 characters"},
		"a full name of 61 characters":         {"handler: main", "handler: main\n    name: " + long, "8:11 error functions.dump.name: the function's full name"},
		"a full name of 60 characters":         {"handler: main", "handler: main\n    name: " + long[1:], ""},
		"a full name of 1 character":           {"handler: main", "handler: main\n    name: a", "8:11 error functions.dump.name: the function's full name"},
		"a full name with a dot":               {"  dump:", "  du.mp:", "6:3 error functions.du.mp.name: the function's full name"},
		"a full name that ends with a dash":    {"handler: main", "handler: main\n    name: a-", "8:11 error functions.dump.name: the function's full name"},
		"a full name that begins with a digit": {"service: etl", "service: 1etl", "6:3 error functions.dump.name: the function's full name"},
		"half a network": {"vpcConfig: { vpcId: v, subnetId: s }", "vpcConfig: { vpcId: v }",
			"4:14 error provider.vpcConfig: vpcId and subnetId go together"},
		"no network for a CKafka trigger": {"vpcConfig: { vpcId: v, subnetId: s }", "region: ap-beijing",
			"12:17 warning functions.dump.events.0.ckafka: the function is in no private network"},

		"a key of the environment with a dash":       {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, A-B: c", "10:44 error functions.dump.environment.A-B: is refused as the name"},
		"a key of one letter":                        {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, A: c", "10:42 error functions.dump.environment.A: is refused as the name"},
		"a key that begins with an underscore":       {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, _A: c", "functions.dump.environment._A: is refused as the name"},
		"a key that belongs to the platform":         {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, SCF_X: c", "names that begin with SCF_ belong to the platform"},
		"a key that belongs to the platform, too":    {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, QCLOUD_X: c", "names that begin with QCLOUD_"},
		"a key of the vendor":                        {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, TENCENTCLOUD_X: c", "names that begin with TENCENTCLOUD_"},
		"a value that is missing":                    {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, AB: ", "error functions.dump.environment.AB: has no value"},
		"an environment of 4 KB":                     {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: " + strings.Repeat("x", 4096-14), ""},
		"an environment of a byte more":              {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: " + strings.Repeat("x", 4097-14), "10:18 error functions.dump.environment: keys and values take 4097 bytes"},
		"a number that loses its zero":               {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, AB: 1.10", "10:43 warning functions.dump.environment.AB: 1.10 is a number and reaches the function as 1.1"},
		"a number that loses its digits":             {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, AB: 12345678901234567890", "reaches the function as 12345678901234567000"},
		"a number with a zero before it":             {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, AB: 007", "007 is a number and reaches the function as 7"},
		"a number that stays what it is":             {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, AB: 42", ""},
		"a password in the file":                     {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, DB_PASSWORD: hunter2", "10:52 warning functions.dump.environment.DB_PASSWORD: a secret stands in the file"},
		"a password as a default":                    {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, API_SECRET: \"${env:S, 'hunter2'}\"", "API_SECRET: a secret stands in the file"},
		"a password that is not there":               {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, DB_PASSWORD: \"${env:PW, ''}\"", ""},
		"maxMsgNum of 10,000":                        {"maxMsgNum: 1000", "maxMsgNum: 10000", ""},
		"maxMsgNum of 10,001":                        {"maxMsgNum: 1000", "maxMsgNum: 10001", "error functions.dump.events.0.ckafka.maxMsgNum: is out of range, want 1 to 10000 records"},
		"maxMsgNum of 0":                             {"maxMsgNum: 1000", "maxMsgNum: 0", "functions.dump.events.0.ckafka.maxMsgNum: is out of range"},
		"timeOut of 61 seconds":                      {"timeOut: 5", "timeOut: 61", "functions.dump.events.0.ckafka.timeOut: is out of range, want 1 to 60 seconds"},
		"timeOut of 0 seconds":                       {"timeOut: 5", "timeOut: 0", "functions.dump.events.0.ckafka.timeOut: is out of range"},
		"retry of 0":                                 {"retry: 10", "retry: 0", ""},
		"retry below 0":                              {"retry: 10", "retry: -1", "functions.dump.events.0.ckafka.retry: is below 0"},
		"an offset in milliseconds":                  {"offset: earliest", "offset: 1700000000000", ""},
		"an offset in seconds":                       {"offset: earliest", "offset: 1700000000", "warning functions.dump.events.0.ckafka.offset: is a time before 1973"},
		"no consumer group":                          {", consumerGroupName: g", "", "warning functions.dump.events.0.ckafka.consumerGroupName: consumerGroupName is missing"},
		"no instance":                                {"instanceId: i, topic", "topic", "error functions.dump.events.0.ckafka.instanceId: instanceId is missing"},
		"no topic":                                   {"topic: t, ", "", "error functions.dump.events.0.ckafka.topic: topic is missing"},
		"an instance that is nothing on the machine": {"[{ instanceId: i,", "[{ instanceId: j,", "note functions.dump.events.0.ckafka.instanceId: the instance has no cluster on this machine"},
		"a topic that its own function writes": {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: 'a:1,b:1', TARGET_BROKERS: 'b:1, a:1', TOPICS: 't:t'",
			"functions.dump.environment.TOPICS: topic t is fed by what it triggers (dump)"},
		"a topic that a pattern gives its own name": {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, TARGET_BROKERS: a, TOPICS: '*:*'", "topic t is fed by what it triggers (dump)"},
		"the same name in another cluster":          {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, TARGET_BROKERS: b", ""},
		"another name in the same cluster":          {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, TARGET_BROKERS: a, TOPICS: '*:copy.*'", ""},
		"no dead letter":                            {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, DEADLETTER_TOPIC: ''", "warning functions.dump.environment.DEADLETTER_TOPIC: there is no dead letter"},
		"dead letters that trigger their function": {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, TARGET_BROKERS: a, TOPICS: 't:u', DEADLETTER_TOPIC: t",
			"error functions.dump.environment.DEADLETTER_TOPIC: the dead letters trigger the function"},
		"retries for a week":      {"retry: 10", "retry: 10080", ""},
		"retries for over a week": {"retry: 10", "retry: 20000", "warning functions.dump.events.0.ckafka.retry: a failed event is sent again for 13 days"},
		"a trigger that is off":   {"topic: t,", "topic: t, enable: false,", "note functions.dump.events.0.ckafka.enable: the trigger is off"},
		"a function that reads the event": {"SOURCE_BROKERS: 'a:9092'", "SOURCE_BROKERS: a, MODE: event",
			"10:45 warning functions.dump.environment.MODE: the function takes its records from the event"},
		"a function without source brokers": {"{ SOURCE_BROKERS: 'a:9092' }", "{}",
			"12:17 warning functions.dump.events.0.ckafka: the function takes its records from the event"},

		"three retries of asynchronous events": {"timeout: 60", "timeout: 60\n    async: { retry: 3 }", "10:12 error functions.dump.async: retry is 3, want 0 to 2 retries"},
		"events that wait for a day":           {"timeout: 60", "timeout: 60\n    async: { messageLifetime: 86400 }", "functions.dump.async: messageLifetime is 86400, want 60 to 21600 seconds"},
		"reserved memory off the step":         {"timeout: 60", "timeout: 60\n    concurrency: { reserved: 300 }", "functions.dump.concurrency: reserved is 300 MB, want a multiple of 128"},
		"reserved memory for no instance":      {"timeout: 60", "timeout: 60\n    concurrency: { reserved: 128 }", "functions.dump.concurrency: reserved is 128 MB, less than one instance, want at least memorySize, which is 256"},
		"instances of no version":              {"timeout: 60", "timeout: 60\n    concurrency: { provisioned: 1 }", "functions.dump.concurrency: provisioned instances are those of a published version; publish: true"},
		"instances of a version":               {"timeout: 60", "timeout: 60\n    publish: true\n    concurrency: { provisioned: 1, reserved: 1280 }", ""},
		"less than no instances":               {"timeout: 60", "timeout: 60\n    concurrency: { provisioned: -1 }", "functions.dump.concurrency: provisioned is -1, want 0 or more"},
		"a layer without a version":            {"timeout: 60", "timeout: 60\n    layers: [{ name: ffmpeg }]", "functions.dump.layers.0: a layer has a name, and a version of 1 or more"},
		"a dead letter without a name":         {"timeout: 60", "timeout: 60\n    deadLetter: { type: topic }", "functions.dump.deadLetter: a dead letter has type and name"},
		"a bucket without its number":          {"  name: tencent\n", "  name: tencent\n  deploymentBucket: code\n", "4:21 error provider.deploymentBucket: is no bucket, want NAME-APPID"},

		"a key that is misspelled":              {"memorySize: 256", "memorysize: 256", "8:5 error functions.dump.memorysize: is not a setting here; did you mean memorySize?"},
		"a key that is cut short":               {"memorySize: 256", "memory: 256", "did you mean memorySize?"},
		"a key of a trigger that is misspelled": {"timeOut: 5", "timeout: 5", "12:83 error functions.dump.events.0.ckafka.timeout: is not a setting here; did you mean timeOut?"},
		"a key cut short in a trigger":          {"consumerGroupName: g", "consumerGroup: g", "did you mean consumerGroupName?"},
		"a key of the network":                  {"subnetId: s", "subNet: s", "did you mean subnetId?"},
		"a key of provider":                     {"  name: tencent", "  name: tencent\n  regoin: x", "4:3 error provider.regoin: is not a setting here; did you mean region?"},
		"a key of the local machine":            {"local: {", "local: { retryIntervall: 1s,", "did you mean retryInterval?"},
		"a key at the top":                      {"service: etl", "service: etl\nfunction: {}", "2:1 warning function: is not a setting here; did you mean functions?"},
		"a key like no other":                   {"memorySize: 256", "somethingElse: 256", "is not a setting here; remove it"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(clean, c.old) {
				t.Fatalf("the clean file has no %q", c.old)
			}
			var got []string
			for _, f := range lint(t, strings.Replace(clean, c.old, c.new, 1)) {
				if strings.Contains(f.String(), "hunter2") {
					t.Errorf("a secret is shown: %s", f)
				}
				line := fmt.Sprintf("%d:%d %s %s: %s", f.Line, f.Column, f.Severity, f.Path, f.Message)
				if f.Allowed != "" {
					line += ", want " + f.Allowed
				}
				got = append(got, line+"; "+f.Fix)
			}
			if c.want == "" {
				if len(got) > 0 {
					t.Errorf("got %q, want nothing", got)
				}
				return
			}
			if !strings.Contains(strings.Join(got, "\n"), c.want) {
				t.Errorf("got %q\nwant %q", got, c.want)
			}
		})
	}
}

func TestLintLooksAtAllTriggersTogether(t *testing.T) {
	t.Parallel()
	const trigger = "      - ckafka: { instanceId: i, topic: t%d, consumerGroupName: g }\n"
	base := clean[:strings.Index(clean, "      - ckafka")]
	tail := clean[strings.Index(clean, "custom:"):]
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, trigger, i)
		}
		return base + b.String() + tail
	}
	for name, c := range map[string]struct{ file, want string }{
		"ten of a kind are allowed": {many(10), ""},
		"eleven are not":            {many(11), "functions.dump.events.10.ckafka: the function has more than 10 triggers of the kind ckafka"},
		"the same topic twice is not": {base + fmt.Sprintf(trigger+trigger, 1, 1) + tail,
			"functions.dump.events.1.ckafka: is the same trigger as events.0: both are named i-t1"},
		"two functions in one group": {
			base + fmt.Sprintf(trigger, 1) + "  other:\n    handler: main\n    environment: { SOURCE_BROKERS: a }\n    events:\n" + fmt.Sprintf(trigger, 1) + tail,
			"functions.other.events.0.ckafka.consumerGroupName: dump reads the same topic in this group",
		},
		"two functions with one name": {
			strings.Replace(base, "handler: main", "handler: main\n    name: same", 1) + fmt.Sprintf(trigger, 1) + "  other: { handler: main, name: same }\n" + tail,
			"functions.other.name: has the name of functions.dump",
		},
		"no function at all": {"service: etl\nprovider: tencent\n", "functions: the service has no functions"},
		"a URL is told of, as it is not driven here": {base + "      - http: { authType: NONE }\n" + tail,
			"functions.dump.events.0.http: triggers of the kind http are deployed, and not driven by the local platform yet"},
		"a bucket is named by its domain": {base + "      - cos: { bucket: media-1250000000, events: 'cos:ObjectCreated:*' }\n" + tail,
			`functions.dump.events.0.cos.bucket: bucket is "media-1250000000"`},
		"a bucket has events of its own": {base + "      - cos: { bucket: media-1250000000.cos.ap-guangzhou.myqcloud.com, events: e }\n" + tail,
			`functions.dump.events.0.cos.events: events is "e"`},
		"two triggers must not get the same events of a bucket": {
			base + "      - cos: { bucket: media-1250000000.cos.ap-guangzhou.myqcloud.com, events: 'cos:ObjectCreated:*', prefix: a/ }\n" +
				"  other:\n    handler: main\n    events:\n      - cos: { bucket: media-1250000000.cos.ap-guangzhou.myqcloud.com, events: 'cos:ObjectCreated:Put' }\n" + tail,
			"functions.other.events.0.cos: would get the events of a trigger of dump on the same bucket"},
		"a fault of provider is told once": {
			"service: etl\nprovider: { name: tencent, timeout: 1000 }\nfunctions: { ab: { handler: main }, cd: { handler: main } }\n",
			"provider.timeout: is out of range",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, f := range lint(t, c.file) {
				got = append(got, f.Path+": "+f.Message)
			}
			if c.want == "" && len(got) > 0 || c.want != "" && !strings.Contains(strings.Join(got, "\n"), c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if strings.HasPrefix(c.want, "provider.") && len(got) != 1 {
				t.Errorf("got %d findings: %q", len(got), got)
			}
		})
	}
}

// TestLintOfTimers looks for the one finding that comes of a timer, in November 2026.
func TestLintOfTimers(t *testing.T) {
	t.Parallel()
	const at = "functions.report.events.0.timer."
	for requirement, c := range map[string]struct{ timer, want string }{
		"a timer that can fire has nothing to mend":    {"name: hourly, cron: '0 0 * * * * *'", ""},
		"five fields are as good":                      {"name: hourly, cron: '0 * * * *'", ""},
		"a timer needs a name":                         {"cron: '0 0 * * * * *'", "error " + at + "name: name is missing, want 1 to 60 letters"},
		"a name of 60 characters is allowed":           {"name: " + strings.Repeat("n", 60) + ", cron: '0 0 * * * * *'", ""},
		"a name of 61 is not":                          {"name: " + strings.Repeat("n", 61) + ", cron: '0 0 * * * * *'", "error " + at + "name: is refused as the name of a timer"},
		"a name begins with a letter":                  {"name: 1st, cron: '0 0 * * * * *'", "error " + at + "name: is refused as the name of a timer, want 1 to 60 letters"},
		"a name has no dot":                            {"name: a.b, cron: '0 0 * * * * *'", "error " + at + "name: is refused as the name of a timer"},
		"an argument of 4 KB is allowed":               {"name: n, cron: '0 0 * * * * *', argument: " + strings.Repeat("a", 4096), ""},
		"an argument of a byte more is not":            {"name: n, cron: '0 0 * * * * *', argument: " + strings.Repeat("a", 4097), "error " + at + "argument: has 4097 bytes, want at most 4096"},
		"a timer needs a cron":                         {"name: n", "error " + at + "cron: cron is missing, want seven fields"},
		"a cron of six fields says what is allowed":    {"name: n, cron: '0 * * * * *'", "error " + at + "cron: has 6 fields, want seven fields (second minute hour day month weekday year), or five"},
		"a field out of range is named":                {"name: n, cron: '0 60 * * * * *'", "error " + at + `cron: the minute "60" is out of range, want *, or 0 to 59`},
		"a day that no month has never fires":          {"name: n, cron: '0 0 0 31 2 * *'", "error " + at + "cron: never fires"},
		"a year that is over is worth a warning":       {"name: n, cron: '0 0 0 1 1 * 2025-2026'", "warning " + at + "cron: never fires again: its years are over"},
		"a year that is not over yet is none":          {"name: n, cron: '0 0 0 31 12 * 2025-2026'", ""},
		"a form that only the cloud knows is no error": {"name: n, cron: '0 0 0 L * * *'", "warning " + at + `cron: the day "L" has a form that this project does not know`},
		"a timer that is off is told of":               {"name: n, cron: '0 0 * * * * *', enable: false", "note " + at + "enable: the trigger is off"},
	} {
		t.Run(requirement, func(t *testing.T) {
			t.Parallel()
			file := write(t, "service: etl\nprovider: tencent\nfunctions:\n  report:\n    handler: main\n    events: [ { timer: { "+c.timer+" } } ]\n")
			s, err := scf.Load(file, scf.Options{Now: time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range s.Lint() {
				got = append(got, fmt.Sprintf("%s %s: %s, want %s", f.Severity, f.Path, f.Message, f.Allowed))
			}
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || !strings.HasPrefix(got[0], c.want)) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestFindingsComeInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	found := lint(t, "service: etl\nodd: 1\nprovider: { name: tencent, odd: 1 }\nfunctions:\n  a: { handler: '', odd: 1 }\n")
	for i := 1; i < len(found); i++ {
		if found[i].Line < found[i-1].Line {
			t.Errorf("%s after %s", found[i], found[i-1])
		}
	}
	if len(found) < 4 {
		t.Errorf("got %v", found)
	}
}

func TestLintFindsLoopsThroughSeveralFunctions(t *testing.T) {
	t.Parallel()
	file := func(back string) string {
		function := func(name, source, target, topic, topics string) string {
			return "  " + name + ": { handler: main, environment: { SOURCE_BROKERS: " + source + ", TARGET_BROKERS: " + target + ", TOPICS: '" + topics + "' }, " +
				"events: [ckafka: { instanceId: i, topic: " + topic + ", consumerGroupName: " + name + " }] }\n"
		}
		return "service: etl\nprovider: { name: tencent, vpcConfig: { vpcId: v, subnetId: s } }\nfunctions:\n" +
			function("there", "a:1", "b:1", "t", "") + function("on", "b:1", "b:1", "t", "t:u") + function("back", "b:1", "a:1", "u", back) +
			"custom: { local: { ckafka: [{ instanceId: i, brokers: 'a:1' }] } }\n"
	}
	loops := func(found []scf.Finding) (n int) {
		for _, f := range found {
			if strings.Contains(f.Message, "without end") {
				n++
			}
		}
		return n
	}
	if found := lint(t, file("u:t")); loops(found) != 3 || !strings.Contains(found[0].Message, "there, then on, then back") {
		t.Errorf("got %v, want the loop at each of its functions", found)
	}
	if found := lint(t, file("u:v")); loops(found) != 0 {
		t.Errorf("got %v, and nothing leads back", found)
	}
}
