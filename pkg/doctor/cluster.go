package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// cluster is the source or the target, with what was found about it.
type cluster struct {
	Section
	doctor   *doctor
	name     string // source or target
	prefix   string // of its settings
	isTarget bool
	config   kafka.Config

	client   *kafka.Client // nil: it cannot be used
	state    kafka.Cluster
	settings map[string]string // of a broker; nil where the user may not read them
}

func newCluster(d *doctor, name, prefix string, config kafka.Config) *cluster {
	return &cluster{Section: Section{Title: name + " cluster"}, doctor: d, name: name, prefix: prefix, config: bounded(config)}
}

func (c *cluster) close() {
	if c.client != nil {
		c.client.Close()
	}
}

// key is a setting under its full name.
func (c *cluster) key(name string) string { return c.prefix + name }

// check looks at the whole cluster, and leaves a client where it can be used.
func (c *cluster) check(ctx context.Context) {
	switch {
	case len(c.config.Brokers) == 0 && !c.isTarget && c.doctor.settings.Mode == modeEvent:
		c.skip("brokers", "MODE=event takes the records from the event")
		return
	case len(c.config.Brokers) == 0 && c.isTarget && c.doctor.function != nil:
		c.fail("brokers", "set "+c.key("BROKERS")+" to host:port of the cluster to copy to", "%s gets no %s", c.doctor.function.Key, c.key("BROKERS"))
		return
	case len(c.config.Brokers) == 0:
		c.skip("brokers", "not named: set %s, or give --%s-brokers", c.key("BROKERS"), c.name)
		return
	}
	if err := c.config.Validate(); err != nil {
		c.skip("brokers", "not looked at: its settings are at fault, see above")
		return
	}
	if !c.reach(ctx) {
		return
	}
	var err error
	if c.state, err = c.client.Cluster(ctx); err != nil {
		c.fail("cluster", "look into the brokers' logs", "%v", err)
		return
	}
	c.checkAdvertised(ctx)
	c.checkController()
	c.checkRelease()
	c.readSettings(ctx)
	if c.isTarget {
		c.checkTransactions(ctx)
		c.checkLimits()
		c.checkInternalTopics(ctx)
	}
	c.checkQuotas(ctx)
}

func (c *cluster) checkController() {
	brokers := count(len(c.state.Brokers), "broker")
	switch {
	case c.state.Controller < 0:
		c.fail("cluster", "look into the controllers' logs: without one no topic is created and no leader elected", "%s, no controller", brokers)
	case c.isTarget && len(c.state.Brokers) == 1:
		c.ok("cluster", "id %s, %s: what it holds is on one machine", c.state.ID, brokers)
	default:
		c.ok("cluster", "id %s, %s, broker %d is controller", c.state.ID, brokers, c.state.Controller)
	}
}

// checkRelease says in words what the brokers' release allows.
func (c *cluster) checkRelease() {
	release := c.client.Release()
	if release.Name == "" {
		c.fail("version", "use Kafka 0.10.1 or later", "older than 0.10.1")
		return
	}
	var can, cannot []string
	note := func(from, what string) {
		if release.From(from) {
			can = append(can, what)
		} else {
			cannot = append(cannot, what+" ("+from+")")
		}
	}
	if c.isTarget {
		note("0.11", "transactions")
		note("2.1", "zstd")
		note("2.5", "stable offsets")
		note("2.8", "topic ids")
	} else {
		note("0.11", "headers and transactions")
		note("2.1", "zstd")
		note("2.8", "topic ids")
	}
	found := fmt.Sprintf("Kafka %s, by the requests it takes; has %s", release.Name, list(can))
	if len(cannot) > 0 {
		found += "; lacks " + list(cannot)
	}
	if c.isTarget && !c.client.SupportsTransactions() {
		c.fail("version", "use a target of Kafka 0.11 or later", "%s: the copy needs transactions", found)
		return
	}
	c.ok("version", "%s", found)
}

// readSettings takes those of one broker, which are those of all where the
// cluster is set up as one.
func (c *cluster) readSettings(ctx context.Context) {
	broker := c.state.Controller
	if !slices.ContainsFunc(c.state.Brokers, func(b kafka.Broker) bool { return b.ID == broker }) {
		broker = c.state.Brokers[0].ID
	}
	settings, err := c.client.BrokerSettings(ctx, broker)
	switch {
	case errors.Is(err, kafka.ErrAuthorization):
		c.add(Skip, "broker settings", c.allow(onCluster, kafka.OperationDescribeConfigs), "the user may not read them: the copy does without, this report cannot tell of limits")
	case err != nil:
		c.skip("broker settings", "%v", err)
	default:
		c.settings = settings
	}
}

// transactionalID is one that no copy has: theirs end with a partition.
func (c *cluster) transactionalID() string { return c.groupPrefix() + "doctor" }

// groupPrefix begins the checkpoint groups and the transactional ids of a job.
func (c *cluster) groupPrefix() string { return "etl." + c.doctor.settings.Job + "." }

// checkTransactions fences a transactional id.
func (c *cluster) checkTransactions(ctx context.Context) {
	if !c.client.SupportsTransactions() {
		return
	}
	const check = "target transactions"
	_, err := c.client.Transactional(ctx, c.transactionalID(), mirror.DefaultTransactionTimeout)
	for kafka.Retriable(err) && pause(ctx) == nil { // the first use ever makes the cluster create __transaction_state
		_, err = c.client.Transactional(ctx, c.transactionalID(), mirror.DefaultTransactionTimeout)
	}
	switch {
	case errors.Is(err, kafka.ErrAuthorization):
		c.fail(check, c.allow(transactionalIDs(c.groupPrefix()), kafka.OperationWrite, kafka.OperationDescribe),
			"the user may not write with transactional ids that begin with %s", c.groupPrefix())
	case err != nil && c.transactionTooLong():
		// the line about transaction.max.timeout.ms says it
	case err != nil:
		c.fail(check, "see whether __transaction_state has all its partitions online, and the brokers' logs", "%v", err)
	default:
		c.ok(check, "can be begun, with ids that begin with %s", c.groupPrefix())
	}
}

// pause waits a moment, or less where ctx ends: then it gives the cause.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(200 * time.Millisecond):
		return nil
	}
}

func (c *cluster) transactionTooLong() bool {
	most, ok := milliseconds(c.settings, "transaction.max.timeout.ms")
	return ok && most < mirror.DefaultTransactionTimeout
}

// checkQuotas lists what bounds this user.
func (c *cluster) checkQuotas(ctx context.Context) {
	quotas, err := c.client.Quotas(ctx, c.config.User)
	if errors.Is(err, kafka.ErrAuthorization) {
		if c.settings != nil { // else the line about broker settings has said it
			c.add(Skip, "quotas", c.allow(onCluster, kafka.OperationDescribeConfigs), "the user may not read them")
		}
		return
	}
	if err != nil {
		if !errors.Is(err, kafka.ErrUnsupported) {
			c.skip("quotas", "%v", err)
		}
		return
	}
	var bounds []string
	for _, q := range quotas {
		bound := fmt.Sprintf("%s=%g", q.Key, q.Value)
		if strings.HasSuffix(q.Key, "_byte_rate") {
			bound = fmt.Sprintf("%s=%s/s", q.Key, size(int64(q.Value)))
		}
		if !slices.Contains(bounds, bound) {
			bounds = append(bounds, bound)
		}
	}
	if len(bounds) == 0 {
		c.ok("quotas", "none for this user and client id")
		return
	}
	c.warn("quotas", fmt.Sprintf("raise them where the copy falls behind: kafka-configs.sh --bootstrap-server %s --alter --entity-type users ...", c.config.Brokers[0]),
		"%s: the copy is slowed down to that", list(bounds))
}

// certificateSoon is how long before its end a certificate is worth a word.
const certificateSoon = 14 * 24 * time.Hour
