package scf_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

const projectFile = "../../serverless.yml"

func TestTheProjectsOwnFile(t *testing.T) {
	t.Parallel()
	t.Run("needs no environment and has nothing to mend", func(t *testing.T) {
		t.Parallel()
		s, err := scf.Load(projectFile, scf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range s.Lint() {
			if f.Severity != scf.Note { // as of a trigger that the local platform does not drive
				t.Error(f)
			}
		}
	})
	t.Run("describes dump between two clusters of this machine", func(t *testing.T) {
		t.Parallel()
		s, err := scf.Load(projectFile, scf.Options{})
		if err != nil {
			t.Fatal(err)
		}
		dump := s.Functions[0]
		want := scf.Function{
			Key: "dump", Name: "etl-dev-dump", Handler: "main", Binary: "bin/dump", Runtime: "Go1", Namespace: "default",
			MemorySize: 256, Timeout: 60,
			VPC: &scf.VPC{VPCID: "vpc-local", SubnetID: "subnet-local"},
			Events: []scf.Trigger{{Kafka: &scf.KafkaTrigger{
				InstanceID: "ckafka-local", Topic: "orders", ConsumerGroup: "etl-dump", MaxMsgNum: 10_000, TimeOut: 1,
				Retry: 10_000, Offset: scf.Earliest, Enabled: true, Qualifier: "$DEFAULT",
			}}},
		}
		if diff := cmp.Diff(want, dump, cmpopts.IgnoreFields(scf.Function{}, "Environment", "Description")); diff != "" {
			t.Error(diff)
		}
		if got := dump.Environment["SOURCE_BROKERS"] + " " + dump.Environment["TARGET_BROKERS"]; got != "localhost:19092 localhost:29092" {
			t.Errorf("brokers %s", got)
		}
		local := map[string]scf.Cluster{"ckafka-local": {Brokers: []string{"localhost:19092"}}}
		if diff := cmp.Diff(local, s.Local.Clusters); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("takes another cluster and instance from the environment", func(t *testing.T) {
		t.Parallel()
		s, err := scf.Load(projectFile, scf.Options{Stage: "prod", LookupEnv: env(map[string]string{
			"SOURCE_BROKERS": "a:9092, b:9092", "SOURCE_SASL": "SCRAM-SHA-512", "SOURCE_SASL_USER": "u", "SOURCE_SASL_PASSWORD": "p",
			"SOURCE_TLS": "true", "CKAFKA_INSTANCE_ID": "ckafka-1", "TOPIC": "t", "JOB": "j",
		})})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]scf.Cluster{"ckafka-1": {
			Brokers: []string{"a:9092", "b:9092"}, TLS: true, SASL: "SCRAM-SHA-512", User: "u", Password: secret.New("p"),
		}}
		if diff := cmp.Diff(want, s.Local.Clusters); diff != "" {
			t.Error(diff)
		}
		k := s.Functions[0].Events[0].Kafka
		if k.InstanceID != "ckafka-1" || k.Topic != "t" || k.ConsumerGroup != "etl-j" || s.Functions[0].Name != "etl-prod-dump" {
			t.Errorf("got %+v of %s", k, s.Functions[0].Name)
		}
	})
}

// env is an environment of these variables.
func env(m map[string]string) func(string) (string, bool) {
	return func(key string) (string, bool) { v, ok := m[key]; return v, ok }
}
