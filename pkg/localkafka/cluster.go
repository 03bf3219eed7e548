package localkafka

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"
)

const (
	// minSessionTimeout lets a consumer notice a dead neighbour in a fraction
	// of a second. Kafka's own floor is 6 s (group.min.session.timeout.ms).
	minSessionTimeout = 200 * time.Millisecond

	// heartbeatInterval is what members of KIP-848 groups are told. Members
	// of classic groups choose their own; 100 to 500 ms is right here.
	heartbeatInterval = 200 * time.Millisecond
)

// Cluster is a running set of brokers. Its methods may be called from several
// goroutines.
type Cluster struct {
	fake *kfake.Cluster
	log  *logger
	lock *os.File
	temp string // folder to remove, empty where the caller named one

	close sync.Once
	err   error // what close gave
}

// Start starts the brokers and returns once they answer. It fails where the
// folder is in use by another process or holds something unreadable, a port is
// taken, or a setting is wrong.
func Start(cfg Config) (*Cluster, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	c := &Cluster{log: &logger{to: cfg.Log}}
	dir := cfg.Dir
	if dir == "" {
		temp, err := os.MkdirTemp("", "localkafka-")
		if err != nil {
			return nil, fmt.Errorf("local kafka: create a data folder: %w", err)
		}
		dir, c.temp = temp, temp
	}
	if err := c.start(cfg, dir); err != nil {
		return nil, errors.Join(fmt.Errorf("local kafka in %s: %w", dir, err), c.release())
	}
	return c, nil
}

func (c *Cluster) start(cfg Config, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	lock, err := lockDir(dir)
	if err != nil {
		return err
	}
	c.lock = lock
	if c.fake, err = kfake.NewCluster(options(cfg, dir, c.log)...); err != nil {
		return err
	}
	refuseByName(c.fake, cfg.Users)
	for name, partitions := range cfg.Topics {
		err := c.fake.CreateTopic(name, partitions, nil)
		if err != nil && !errors.Is(err, kerr.TopicAlreadyExists) {
			c.fake.Close()
			return fmt.Errorf("create topic %s with %d partitions: %w", name, partitions, err)
		}
	}
	return nil
}

func options(cfg Config, dir string, log kfake.Logger) []kfake.Opt {
	configs := map[string]string{
		"group.consumer.heartbeat.interval.ms": strconv.FormatInt(heartbeatInterval.Milliseconds(), 10),
		"default.replication.factor":           strconv.Itoa(min(max(cfg.Brokers, len(cfg.Ports)), 3)), // kfake says 3 whatever there are
	}
	for k, v := range cfg.BrokerConfigs {
		configs[k] = v
	}
	opts := []kfake.Opt{
		kfake.DataDir(dir),
		kfake.ClusterID(clusterID(dir)),
		kfake.NumBrokers(cfg.Brokers),
		kfake.DefaultNumPartitions(cfg.Partitions),
		kfake.GroupMinSessionTimeout(minSessionTimeout),
		kfake.BrokerConfigs(configs),
		kfake.WithLogger(log),
	}
	if len(cfg.Ports) > 0 {
		opts = append(opts, kfake.Ports(cfg.Ports...))
	}
	if cfg.AutoCreate {
		opts = append(opts, kfake.AllowAutoTopicCreation())
	}
	if cfg.Version != "" {
		opts = append(opts, kfake.MaxVersions(kversion.FromString(cfg.Version)))
	}
	if cfg.TLS != nil {
		opts = append(opts, kfake.TLS(cfg.TLS))
	}
	if len(cfg.Users) > 0 {
		opts = append(opts, kfake.EnableSASL())
	}
	for _, u := range cfg.Users {
		opts = append(opts, kfake.Superuser(u.Mechanism, u.Name, u.Password))
	}
	return opts
}

// clusterID is that of the cluster in a folder, and of no other.
func clusterID(dir string) string {
	sum := sha256.Sum256([]byte(dir))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// Brokers returns the addresses to connect to, as host:port, one a broker. They
// stay the same until Close.
func (c *Cluster) Brokers() []string { return c.fake.ListenAddrs() }

// Fake returns the broker underneath, for what tests need and users do not:
// Fault and ControlKey make requests fail, MoveTopicPartition moves a leader,
// Compact and ApplyRetention make gaps, GroupInfo and TopicInfo look inside. It
// must not be used after Close.
func (c *Cluster) Fake() *kfake.Cluster { return c.fake }

// Close stops the brokers, writes what is not on disk yet and, where the folder
// was a temporary one, removes it. An error means that a later start on the
// same folder has to recover from the records alone, as after kill -9. Calling
// it again returns the same error.
func (c *Cluster) Close() error {
	c.close.Do(func() {
		c.fake.Close()
		c.err = errors.Join(c.log.failed(), c.release())
	})
	return c.err
}

// release gives the folder back.
func (c *Cluster) release() error {
	var errs []error
	if c.lock != nil {
		errs = append(errs, c.lock.Close())
	}
	if c.temp != "" {
		errs = append(errs, os.RemoveAll(c.temp))
	}
	return errors.Join(errs...)
}
