package sls

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

// canaryFile is a copy with small batches, so that a canary sees many; failed
// ones come again soon.
const canaryFile = `service: canary
plugins: [./deploy/serverless-tencent]
configValidationMode: error
provider:
  name: tencent
functions:
  dump:
    handler: main
    binary: bin/dump
    memorySize: 256
    timeout: 10
    environment:
      JOB: ${env:JOB}
      START: earliest
      SOURCE_BROKERS: ${env:SOURCE_BROKERS}
      TARGET_BROKERS: ${env:DUMP_TARGET}
      COMPRESSION: ${env:COMPRESSION, 'keep'}
    events:
      - ckafka: { instanceId: ckafka-local, topic: '${env:TOPIC}', consumerGroupName: 'etl-${env:JOB}', offset: earliest, maxMsgNum: 20, timeOut: 1 }
custom:
  local:
    retryInterval: 100ms
    ckafka:
      - { instanceId: ckafka-local, brokers: '${env:SOURCE_BROKERS}' }
`

func TestCanary(t *testing.T) {
	t.Parallel()
	frameworks(t)
	topic := kafkatest.Topic(t)
	s := newService(t, "serverless", []byte(canaryFile))
	source, target := clusters(t, topic)
	for key, value := range map[string]string{"SOURCE_BROKERS": source, "TARGET_BROKERS": target, "DUMP_TARGET": target, "TOPIC": topic, "JOB": topic} {
		s.env[key] = value
	}
	platform := s.serve(t, "serve", "--listen", "localhost:0", "--data", t.TempDir())
	s.must(t, "deploy")
	stop := s.trickle(t, topic)

	t.Run("a bad one is rolled back by itself, with its numbers", func(t *testing.T) {
		s.env["DUMP_TARGET"] = "127.0.0.1:1" // where no cluster is
		out := s.refused(t, "the canary was rolled back, canary-dev-dump to version 1", "deploy", "--canary", "40", "--canary-time", "3m", "--canary-min", "3")
		if !strings.Contains(out, " errors, ") || !strings.Contains(out, "invocations failed, of the old version 0 of ") {
			t.Errorf("it says\n%s", out)
		}
		s.env["DUMP_TARGET"] = target
		s.requireRoute(t, "1")
	})
	t.Run("a good one is promoted", func(t *testing.T) {
		s.env["COMPRESSION"] = "lz4"
		out := s.must(t, "deploy", "--canary", "40", "--canary-time", "8s", "--canary-min", "3", "--canary-slower", "1000")
		if !strings.Contains(out, "Promoted: canary-dev-dump to version 3") {
			t.Errorf("it says\n%s", out)
		}
		s.requireRoute(t, "3")
	})
	t.Run("one more deployment of the same changes nothing", func(t *testing.T) {
		platform.writes()
		s.must(t, "deploy")
		if writes := platform.writes(); len(writes) > 0 {
			t.Errorf("it has made the calls %v", writes)
		}
	})
	t.Run("rollback points to any version", func(t *testing.T) {
		if out := s.must(t, "rollback", "--function", "dump"); !strings.Contains(out, "$DEFAULT is 3") {
			t.Errorf("the versions are\n%s", out)
		}
		s.must(t, "rollback", "--function", "dump", "--to", "1")
		s.requireRoute(t, "1")
		s.refused(t, "has no version 9: it has 1, 2, 3", "rollback", "--function", "dump", "--to", "9")
	})
	t.Run("all of that has lost and doubled no record", func(t *testing.T) {
		s.awaitCopied(t, topic, stop())
	})
}

// requireRoute wants all invocations to go to a version.
func (s *service) requireRoute(t *testing.T, version string) {
	t.Helper()
	var alias struct {
		FunctionVersion string
		RoutingConfig   struct{ AdditionalVersionWeights []struct{ Version string } }
	}
	request := struct{ FunctionName, Name string }{"canary-dev-dump", "$DEFAULT"}
	if err := s.api().Call(s.ctx, "GetAlias", request, &alias); err != nil {
		t.Fatal(err)
	}
	if alias.FunctionVersion != version || len(alias.RoutingConfig.AdditionalVersionWeights) > 0 {
		t.Errorf("$DEFAULT is %+v, want version %s alone", alias, version)
	}
}

// trickle produces records until stop is called, which gives their number.
func (s *service) trickle(t *testing.T, topic string) (stop func() (records int64)) {
	t.Helper()
	client := connect(t, s.env["SOURCE_BROKERS"])
	ctx, cancel := context.WithCancel(s.ctx)
	ended, records := make(chan error, 1), int64(0)
	go func() {
		for seed := uint64(0); ; seed += partitions {
			if err := produce(s.ctx, client, topic, 10, seed); err != nil {
				ended <- err
				return
			}
			records += 10 * partitions
			select {
			case <-ctx.Done():
				ended <- nil
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	}()
	stop = sync.OnceValue(func() int64 {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		return records
	})
	t.Cleanup(func() { stop() })
	return stop
}
