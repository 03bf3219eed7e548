package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/doctor"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/mirror"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// guarded is a real cluster with an authorizer. alice reads orders there and
// bob writes copied; root may do everything.
type guarded struct {
	cluster *kafkatest.Cluster
	environ []string
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	kafkatest.Require(t)
	cluster, err := kafkatest.Start(t.Context(), kafkatest.Config{Settings: map[string]string{
		"listener.security.protocol.map":             "HOST:SASL_PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"listener.name.host.sasl.enabled.mechanisms": "PLAIN",
		"listener.name.host.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain.PlainLoginModule required " +
			`user_root="r00t" user_alice="w0nder" user_bob="bu1lder";`,
		"broker.heartbeat.interval.ms": "2000", // the time that a registration may take: a busy machine needs more than 500
		"broker.session.timeout.ms":    "18000",
		"authorizer.class.name":        "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users":                  "User:ANONYMOUS;User:root", // the inner listeners know no users
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := cluster.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	g := &guarded{cluster: cluster, environ: []string{"TOPIC=orders", "TOPICS=orders:copied", "JOB=dump"}}
	for prefix, user := range map[string]string{"SOURCE_": "alice", "TARGET_": "bob"} {
		password := map[string]string{"alice": "w0nder", "bob": "bu1lder"}[user]
		g.environ = append(g.environ, prefix+"BROKERS="+cluster.Brokers[0],
			prefix+"DIAL_TIMEOUT=40s", prefix+"REQUEST_TIMEOUT=40s", // a busy machine
			prefix+"SASL=PLAIN", prefix+"SASL_USER="+user, prefix+"SASL_PASSWORD="+password)
	}
	root := g.open(t, "root", "r00t")
	for _, name := range []string{"orders", "copied"} {
		if err := root.CreateTopic(t.Context(), kafka.TopicSpec{Name: name, Partitions: 1, Replication: 1, Settings: sample.TopicSettings()}); err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func (g *guarded) open(t *testing.T, user, password string) *kafka.Client {
	t.Helper()
	client, err := kafka.Open(t.Context(), kafka.Config{
		Brokers: g.cluster.Brokers, SASL: "PLAIN", User: user, Password: secret.New(password),
		DialTimeout: time.Minute, RequestTimeout: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// doctor runs etl doctor and gives what failed.
func (g *guarded) doctor(t *testing.T) (failed []doctor.Finding, report doctor.Report) {
	t.Helper()
	code, stdout, stderr := etl(t, g.environ, "doctor", "-o", "json")
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("exit code %d, %v\n%s%s", code, err, stdout, stderr)
	}
	for _, section := range report {
		for _, f := range section.Findings {
			if f.Status == doctor.Fail && f.Check != "go toolchain" { // etl has no PATH here
				failed = append(failed, f)
			}
		}
	}
	return failed, report
}

// shell runs a command of the report in the container, as its administrator.
func (g *guarded) shell(t *testing.T, command string) {
	t.Helper()
	command = strings.ReplaceAll(command, g.cluster.Brokers[0], kafkatest.Inside)
	command = "touch admin.properties && /opt/kafka/bin/" + command
	if _, err := g.cluster.Exec(t.Context(), "sh", "-c", "cd /tmp && "+command); err != nil {
		t.Fatal(err)
	}
}

// acl is what a command of the report has allowed.
type acl struct {
	user      string
	resource  kmsg.ACLResourceType
	name      string // or the beginning of names
	operation kmsg.ACLOperation
}

// remove takes a right away again.
func (g *guarded) remove(t *testing.T, right acl) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(g.cluster.Brokers...), kgo.SASL(plain.Auth{User: "root", Pass: "r00t"}.AsMechanism()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	filter := kmsg.NewDeleteACLsRequestFilter()
	filter.ResourceType, filter.ResourceName, filter.ResourcePatternType = right.resource, &right.name, kmsg.ACLResourcePatternTypeAny
	filter.Principal, filter.Operation, filter.PermissionType = kmsg.StringPtr("User:"+right.user), right.operation, kmsg.ACLPermissionTypeAllow
	request := kmsg.NewPtrDeleteACLsRequest()
	request.Filters = append(request.Filters, filter)
	answer, err := request.RequestWith(t.Context(), client)
	if err != nil || len(answer.Results) != 1 || len(answer.Results[0].MatchingACLs) != 1 {
		t.Fatalf("remove %+v: %+v, error %v", right, answer, err)
	}
}

// await polls the doctor until its failures are as wanted: brokers learn of an
// access control list a moment later.
func (g *guarded) await(t *testing.T, what string, wanted func(failed []doctor.Finding) bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Minute); ; {
		failed, report := g.doctor(t)
		if wanted(failed) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("waited in vain until %s: %+v", what, report)
		}
	}
}

// copy does what the function does with a new record, with the rights of alice
// and bob.
func (g *guarded) copy(t *testing.T) error {
	t.Helper()
	root := g.open(t, "root", "r00t")
	first, err := root.Produce(t.Context(), "orders", 0, sample.Plain(1, 100, 1)...)
	if err != nil {
		t.Fatal(err)
	}
	source, target := g.open(t, "alice", "w0nder"), g.open(t, "bob", "bu1lder")
	topics, err := mirror.ParseTopicMap("orders:copied")
	if err != nil {
		t.Fatal(err)
	}
	copier, err := mirror.New(mirror.Config{Job: "dump", Source: source, Target: target, Topics: topics, FromEarliest: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = copier.Copy(t.Context(), []mirror.Range{{Topic: "orders", Partition: 0, First: first, Last: first}})
	return err
}

func TestDoctorAccess(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	failed, report := g.doctor(t)
	if len(failed) == 0 {
		t.Fatalf("users without any right have no failure: %+v", report)
	}
	if !t.Run("the commands of the failures, run one after the other, leave no failure", func(t *testing.T) {
		for len(failed) > 0 {
			i := slices.IndexFunc(failed, func(f doctor.Finding) bool { return strings.HasPrefix(f.Fix, "kafka-acls.sh ") })
			if i < 0 {
				t.Fatalf("a failure that is not about rights: %+v", failed)
			}
			mend := failed[i]
			g.shell(t, mend.Fix)
			g.await(t, "mended: "+mend.Fix, func(now []doctor.Finding) bool {
				failed = now
				return !slices.Contains(now, mend)
			})
		}
	}) {
		return
	}
	t.Run("then the copy works", func(t *testing.T) {
		if err := g.copy(t); err != nil {
			t.Error(err)
		}
	})
	for _, c := range []struct {
		right, check string
		acl          acl
		copies       bool // without it, because it is the trigger's
	}{
		{"READ on the source topic", "reading it", acl{"alice", kmsg.ACLResourceTypeTopic, "orders", kmsg.ACLOperationRead}, false},
		{"READ on the trigger's group", "trigger's group", acl{"alice", kmsg.ACLResourceTypeGroup, "etl-dump", kmsg.ACLOperationRead}, true},
		{"WRITE on the target topic", "writing it", acl{"bob", kmsg.ACLResourceTypeTopic, "copied", kmsg.ACLOperationWrite}, false},
		{"READ on the target topic", "checkpoint's topic", acl{"bob", kmsg.ACLResourceTypeTopic, "copied", kmsg.ACLOperationRead}, false},
		{"READ on the checkpoint's group", "checkpoint's group", acl{"bob", kmsg.ACLResourceTypeGroup, "etl.dump.", kmsg.ACLOperationRead}, false},
		{"WRITE on the transactional id", "target transactions", acl{"bob", kmsg.ACLResourceTypeTransactionalId, "etl.dump.", kmsg.ACLOperationWrite}, false},
	} {
		t.Run("without "+c.right+" one line fails, and its command mends it", func(t *testing.T) {
			g.remove(t, c.acl)
			var missing doctor.Finding
			g.await(t, "it is missing", func(failed []doctor.Finding) bool {
				if len(failed) == 1 && failed[0].Check == c.check {
					missing = failed[0]
				}
				return missing.Check != ""
			})
			if err := g.copy(t); c.copies && err != nil || !c.copies && !errors.Is(err, kafka.ErrAuthorization) {
				t.Errorf("the copy without it: %v", err)
			}
			g.shell(t, missing.Fix)
			g.await(t, "mended: "+missing.Fix, func(failed []doctor.Finding) bool { return len(failed) == 0 })
			if err := g.copy(t); err != nil {
				t.Errorf("the copy with it: %v", err)
			}
		})
	}
}
