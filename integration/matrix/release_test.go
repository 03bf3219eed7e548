package matrix

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// release is a version of Kafka, such as "2.8.2".
type release string

func (r release) before(other release) bool { return compareReleases(r, other) < 0 }

func compareReleases(a, b release) int { return slices.Compare(a.numbers(), b.numbers()) }

func (r release) numbers() []int {
	var numbers []int
	for part := range strings.SplitSeq(string(r), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// dashed is the release as a part of a topic's name.
func (r release) dashed() string { return strings.ReplaceAll(string(r), ".", "-") }

// parseReleases reads a list, in order of age.
func parseReleases(t *testing.T, list string) []release {
	t.Helper()
	var releases []release
	for part := range strings.SplitSeq(list, ",") {
		r := release(strings.TrimSpace(part))
		if len(r.numbers()) < 3 {
			t.Fatalf("%q is no release of Kafka: want a list such as 0.10.2.2,4.2.0", part)
		}
		releases = append(releases, r)
	}
	slices.SortFunc(releases, compareReleases)
	return slices.Compact(releases)
}

// cluster is a running broker of a release.
type cluster struct {
	release
	brokers []string
	*kafka.Client
}

// patience is what a busy machine may need for a connection, or a request.
const patience = time.Minute

func patient(brokers []string) kafka.Config {
	return kafka.Config{Brokers: brokers, DialTimeout: patience, RequestTimeout: patience}
}

// starting bounds the brokers that start at once.
const starting = 2

// start starts a broker of each release, for as long as the test runs.
func start(t *testing.T, releases ...release) []cluster {
	t.Helper()
	kafkatest.Require(t)
	started := make([]*kafkatest.Cluster, len(releases))
	var group errgroup.Group
	group.SetLimit(starting)
	for i, r := range releases {
		group.Go(func() (err error) {
			started[i], err = containers.Start(t, kafkatest.Config{
				Image: "scf-etl/kafka:" + string(r), Version: string(r), Heap: "-Xms64m -Xmx256m",
			})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	clusters := make([]cluster, len(releases))
	for i, r := range releases {
		client, err := kafka.Open(t.Context(), patient(started[i].Brokers))
		if err != nil {
			t.Fatalf("connect to Kafka %s: %v", r, err)
		}
		t.Cleanup(func() { client.Close() })
		clusters[i] = cluster{release: r, brokers: started[i].Brokers, Client: client}
	}
	return clusters
}

// set changes a setting of a topic.
func (c cluster) set(t *testing.T, topic, name, value string) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(c.brokers...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	request := kmsg.NewPtrIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	resource.Configs = []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: name, Value: &value}}
	request.Resources = append(request.Resources, resource)
	answer, err := request.RequestWith(t.Context(), client)
	if err == nil {
		err = kerr.ErrorForCode(answer.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("set %s of %s: %v", name, topic, err)
	}
}
