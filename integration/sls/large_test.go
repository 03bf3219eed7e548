package sls

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// large is a service whose one zip no request to the API can hold.
const large = `service: large
plugins: [./deploy/serverless-tencent]
configValidationMode: error
provider: { name: tencent, deploymentBucket: code-1250000000 }
functions:
  restore:
    handler: main
    binary: bin/restore
    memorySize: 128
    timeout: 60
    package: { patterns: ['extra/**'] }
custom:
  local:
    cos: { address: localhost:9436, buckets: code-1250000000 }
`

var storeLine = regexp.MustCompile(`COS: (http://\S+),`)

func TestALargeZip(t *testing.T) {
	s := newService(t, "serverless", []byte(large))
	if err := os.Mkdir(filepath.Join(s.folder, "extra"), 0o755); err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 12<<20) // it cannot be compressed
	_, _ = rand.Read(data)       // it never fails
	if err := os.WriteFile(filepath.Join(s.folder, "extra", "data.bin"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	platform := s.serve(t, "serve", "--listen", "localhost:0", "--cos", "localhost:0", "--data", t.TempDir())

	t.Run("it goes through the bucket, and what is deployed runs", func(t *testing.T) {
		s.env["TENCENTCLOUD_COS_ENDPOINT"] = platform.store(t)
		s.must(t, "deploy")
		out, _ := s.run("invoke", "-f", "restore", "-d", "{}") // it lacks its settings, and its process says so
		if !strings.Contains(out, "COS_BUCKET") && !strings.Contains(out, "BUCKET") {
			t.Errorf("the function does not run:\n%s", out)
		}
	})
}

// store is where the object store of etl serve answers.
func (p *served) store(t *testing.T) string {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	found := storeLine.FindStringSubmatch(strings.Join(p.lines, "\n"))
	if found == nil {
		t.Fatal("etl serve does not say where COS is")
	}
	return found[1]
}
