package scf

import (
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Local is custom.local of serverless.yml: how this machine stands for the cloud. The cloud ignores it. What is zero is left
// to the local platform, whose configuration documents its defaults. Settings marked [?] are for behaviour that no public
// document of the cloud states: a service can be tried under either answer.
type Local struct {
	// Clusters says which Kafka cluster a CKafka instance is here, by instance id (custom.local.ckafka).
	Clusters map[string]Cluster
	// COS is the object store of this machine (custom.local.cos); nil for none.
	COS *LocalCOS
	// RetryInterval is the time between two deliveries of a batch that failed (retryInterval: 5s). In the cloud, and by
	// default, it is [KafkaRetryInterval].
	RetryInterval time.Duration
	// AsyncRetryInterval is the time from the failure of an asynchronous event, which is what a timer sends, until it is sent
	// again (asyncRetryInterval) [?].
	AsyncRetryInterval time.Duration
	// AfterLastRetry is what comes of a batch that has failed once more than retry allows (afterLastRetry) [?].
	AfterLastRetry Policy
	// Oversize is what comes of a record that no event of [MaxSyncPayload] can hold (oversize) [?].
	Oversize Policy
	// ReadUncommitted also delivers records of open and aborted transactions (readUncommitted) [?].
	ReadUncommitted bool
	// EmptyNullKey delivers a missing key as "" and not as "None", the cloud being seen to do either (nullKey: None or "").
	EmptyNullKey bool
	// CapitalPartition names the partition in an event "Partition" and not "partition", the cloud being seen to do either
	// (capitalPartition).
	CapitalPartition bool
	// BackOffMin and BackOffMax bound the doubling wait after a fault of the platform (backOffMin, backOffMax) [?].
	BackOffMin, BackOffMax time.Duration
	// IdleTimeout is after how long an unused instance is ended, so that the next start is a cold one (idleTimeout) [?].
	IdleTimeout time.Duration
	// MaxInstances is how many invocations of one function run at once (maxInstances) [?].
	MaxInstances int
}

// Policy is what to do with records that cannot be delivered.
type Policy string

// The policies.
const (
	// Stall stops the partition at the record: nothing is lost, nothing behind it is delivered.
	Stall Policy = "stall"
	// Drop goes on behind it: it is not delivered again.
	Drop Policy = "drop"
)

// LocalCOS is the object store that stands for COS here.
type LocalCOS struct {
	Address string   // host:port that it answers on (address)
	Dir     string   // folder of the objects, from the one of serverless.yml on (dir); empty: one of the user's cache
	Buckets []string // that are there, NAME-APPID, beside those of triggers (buckets)
}

// Cluster is a Kafka cluster that this machine reaches.
type Cluster struct {
	Brokers       []string // host:port
	TLS           bool
	TLSCAFile     string // PEM; empty trusts the system's
	TLSCertFile   string // PEM, of the client
	TLSKeyFile    string // PEM
	TLSServerName string
	SASL          string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; empty for none
	User          string
	Password      secret.String
}

// local reads custom.local.
func (r *reader) local(s section) Local {
	l := Local{
		RetryInterval: s.duration("retryInterval"), AsyncRetryInterval: s.duration("asyncRetryInterval"),
		AfterLastRetry:   Policy(s.oneOf("afterLastRetry", "", string(Stall), string(Drop))),
		Oversize:         Policy(s.oneOf("oversize", "", string(Stall), string(Drop))),
		ReadUncommitted:  s.flag("readUncommitted", false),
		EmptyNullKey:     s.oneOf("nullKey", "None", "None", "") == "",
		CapitalPartition: s.flag("capitalPartition", false),
		BackOffMin:       s.duration("backOffMin"),
		BackOffMax:       s.duration("backOffMax"),
		IdleTimeout:      s.duration("idleTimeout"),
		MaxInstances:     s.integer("maxInstances", 0),
	}
	if s.get("cos") != nil {
		l.COS = s.section("cos").cos()
	}
	for i, member := range s.list("ckafka") {
		c := r.section(member, s.path+".ckafka."+fmt.Sprint(i))
		id := c.text("instanceId", "")
		cluster := c.cluster()
		c.end()
		if id == "" {
			c.fault("", "instanceId is missing", "say which CKafka instance this cluster stands for")
			continue
		}
		if _, twice := l.Clusters[id]; twice {
			c.fault("instanceId", "stands twice in custom.local.ckafka", "keep one cluster for it")
		}
		if l.Clusters == nil {
			l.Clusters = map[string]Cluster{}
		}
		l.Clusters[id] = cluster
	}
	s.end()
	return l
}

// cos reads custom.local.cos.
func (s section) cos() *LocalCOS {
	c := &LocalCOS{Address: s.text("address", DefaultCOSAddress), Dir: s.text("dir", ""), Buckets: s.texts("buckets")}
	for _, name := range c.Buckets {
		if !ValidBucketName(name) {
			s.fault("buckets", fmt.Sprintf("has %q", name), "the full name of a bucket is NAME-APPID: backup-1250000000")
		}
	}
	s.end()
	return c
}

// DefaultCOSAddress is where the object store of this machine answers.
const DefaultCOSAddress = "localhost:9436"

func (s section) cluster() Cluster {
	c := Cluster{
		Brokers:       s.texts("brokers"),
		TLS:           s.flag("tls", false),
		TLSCAFile:     s.text("tlsCAFile", ""),
		TLSCertFile:   s.text("tlsCertFile", ""),
		TLSKeyFile:    s.text("tlsKeyFile", ""),
		TLSServerName: s.text("tlsServerName", ""),
		SASL:          s.oneOf("sasl", "", "", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
		User:          s.text("saslUser", ""),
		Password:      secret.New(s.text("saslPassword", "")),
	}
	if len(c.Brokers) == 0 {
		s.fault("brokers", "is missing", "give host:port, or several with commas between")
	}
	return c
}
