package sls

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

const randomFiles = 200

// variables are the environment of the files.
func variables() map[string]string {
	return map[string]string{"SET": "from env", "NUMBER": "42", "EMPTY": "", "FLAG": "true", "COLON": "a:b,c", "PROVIDED_STAGE": "test"}
}

// TestRandomFilesResolveAsTheyPrint compares pkg/scf with `serverless print`.
func TestRandomFilesResolveAsTheyPrint(t *testing.T) {
	t.Parallel()
	modules := frameworks(t)
	root := t.TempDir()
	anything, err := filepath.Abs("../../pkg/scf/internal/sls/testdata/plugin")
	if err != nil {
		t.Fatal(err)
	}
	var folders []string
	for seed := range uint64(randomFiles) {
		folder := filepath.Join(root, fmt.Sprint(seed))
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(anything, filepath.Join(folder, "plugin")); err != nil {
			t.Fatal(err)
		}
		for name, content := range (&writer{rand.New(rand.NewPCG(seed, 1))}).files() {
			if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		folders = append(folders, folder)
	}
	node := exec.CommandContext(t.Context(), "node", "testdata/print.js", modules)
	node.Stdin, node.Stderr = strings.NewReader(strings.Join(folders, "\n")+"\n"), os.Stderr
	// why a home: the framework keeps what it has compiled in it
	node.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "SLS_GEO_LOCATION=no-cn", "SLS_TELEMETRY_DISABLED=1", "SLS_NOTIFICATIONS_MODE=off", "CI=1"}
	for key, value := range variables() {
		node.Env = append(node.Env, key+"="+value)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for seed, folder := range folders {
		if !lines.Scan() {
			t.Fatalf("the framework ends at file %d: %v", seed, lines.Err())
		}
		comparePrint(t, seed, folder, lines.Bytes())
	}
	if err := node.Wait(); err != nil {
		t.Error(err)
	}
}

func comparePrint(t *testing.T, seed int, folder string, answer []byte) {
	t.Helper()
	var printed struct {
		Print, Text string
		Failed      bool
	}
	if err := json.Unmarshal(answer, &printed); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "serverless.yml")
	file, _ := os.ReadFile(path) // it was written above
	if printed.Failed {
		t.Errorf("seed %d is no valid file: %s\n%s", seed, printed.Text, file)
		return
	}
	service, err := scf.Load(path, scf.Options{LookupEnv: func(key string) (string, bool) { v, ok := variables()[key]; return v, ok }})
	if err != nil {
		t.Errorf("seed %d: %v\n%s", seed, err, file)
		return
	}
	var want, got any
	if err := json.Unmarshal([]byte(printed.Print), &want); err != nil {
		t.Fatalf("seed %d: %v in %s", seed, err, printed.Print)
	}
	if err := json.Unmarshal(service.JSON(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("seed %d: (-serverless print +pkg/scf)\n%s\n%s", seed, diff, file)
	}
}

// writer makes up files.
type writer struct{ *rand.Rand }

func (w *writer) one(of ...string) string { return of[w.IntN(len(of))] }
func (w *writer) often(in10 int) bool     { return w.IntN(10) < in10 }

// files are serverless.yml and what it reads.
func (w *writer) files() map[string]string {
	var b strings.Builder
	fmt.Fprintf(&b, "service: s%d\nplugins: [./plugin]\n", w.IntN(100))
	b.WriteString("custom:\n  word: custom\n  count: 7\n  list: [a, b]\n  deep: { key: below, other: '${self:custom.word}-2' }\n  common: &common { SHARED: anchor }\n")
	b.WriteString("provider:\n  name: tencent\n  runtime: Go1\n")
	if w.often(5) {
		fmt.Fprintf(&b, "  stage: %s\n", w.one("dev", "prod", "${opt:stage, 'beta'}", "${env:PROVIDED_STAGE}"))
	}
	if w.often(5) {
		fmt.Fprintf(&b, "  region: %s\n  memorySize: %s\n", w.one("ap-beijing", "${env:NOT_SET, 'ap-guangzhou'}"), w.number())
	}
	if w.often(4) {
		b.WriteString("  vpcConfig:\n    vpcId: " + w.word() + "\n    subnetId: " + w.word() + "\n")
	}
	w.environment(&b, "  ")
	b.WriteString("functions:\n")
	for i := range 1 + w.IntN(3) {
		fmt.Fprintf(&b, "  f%d:\n    handler: main\n    binary: bin/f%d\n", i, i)
		if w.often(5) {
			fmt.Fprintf(&b, "    timeout: %s\n    description: %s\n", w.number(), w.word())
		}
		if w.often(3) {
			fmt.Fprintf(&b, "    tags:\n      team: %s\n    publish: %s\n    async: { retry: %d }\n", w.word(), w.one("true", "false"), w.IntN(3))
		}
		w.environment(&b, "    ")
		w.events(&b)
	}
	return map[string]string{
		"serverless.yml": b.String(),
		"values.yml":     "text: from file\nnumber: 12\nnested:\n  of: { file: deep }\nvariable: ${self:custom.word}\n",
		"values.json":    `{"text": "from json", "list": [1, 2]}`,
	}
}

func (w *writer) environment(b *strings.Builder, indent string) {
	if w.often(2) {
		return
	}
	b.WriteString(indent + "environment:\n")
	if w.often(2) {
		b.WriteString(indent + "  <<: *common\n")
	}
	for i := range 1 + w.IntN(5) {
		fmt.Fprintf(b, "%s  KEY_%d: %s\n", indent, i, w.value())
	}
}

func (w *writer) events(b *strings.Builder) {
	if w.often(2) {
		return
	}
	b.WriteString("    events:\n")
	for i := range 1 + w.IntN(2) {
		switch w.IntN(4) {
		case 0:
			fmt.Fprintf(b, "      - timer: { name: t%d, cron: '0 0 * * * * *', enable: %s }\n", i, w.one("true", "false"))
		case 1:
			fmt.Fprintf(b, "      - ckafka:\n          instanceId: %s\n          topic: %s\n          maxMsgNum: %s\n          offset: %s\n",
				w.word(), w.word(), w.number(), w.one("latest", "earliest", "1700000000000"))
		case 2:
			fmt.Fprintf(b, "      - cos: { bucket: b%d, events: 'cos:ObjectCreated:*', prefix: %s }\n", i, w.one("in/", "'${self:custom.word}/'"))
		default:
			b.WriteString("      - http: { authType: NONE }\n")
		}
	}
}

func (w *writer) number() string {
	return w.one("128", "256", "${env:NUMBER}", "${self:custom.count}", "${file(./values.yml):number}", "'60'", "0x10", "1e3", "${env:NOT_SET, 64}")
}

// word is a text, as a rule of a variable.
func (w *writer) word() string {
	return w.one("plain", "'quoted'", `"with \"quotes\""`, "${env:SET}", "${env:NOT_SET, 'default'}", "${self:custom.word}", "pre-${self:custom.deep.key}-post",
		"${self:custom.deep.other}", "${sls:stage}", "${self:provider.stage, 'none'}", "${file(./values.yml):text}", "${file(./values.json):text}",
		"${file(./values.yml):nested.of.file}", "${file(./values.yml):variable}", "${env:NOT_SET, env:ALSO_NOT, 'third'}", "${env:NOT_SET, self:custom.word}",
		"'${env:COLON}'", "${opt:nothing, 'no option'}", "${self:service}", "${env:EMPTY}", "'a, b: c'", "${self:custom.${env:NOT_SET, 'word'}}",
		"${env:SET}/${env:NUMBER}", "日本語", "'#no comment'", "yes", "~x", "1.10.3", "'007'")
}

// value is anything that an environment variable is given.
func (w *writer) value() string {
	if w.often(7) {
		return w.word()
	}
	return w.one("1", "1.10", "true", "false", "007", "-3", "''", "1e2", "${self:custom.count}", "${env:NUMBER}", "${env:FLAG}", "${strToBool(${env:FLAG})}",
		"2026-01-31", "12:30:45", "null", ".5", "0o17", "1_000")
}
