package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
	"github.com/scf-etl/scf-etl/pkg/kafka"
)

// clusters are the two that everything is measured on.
type clusters struct {
	source, target             *kafka.Client
	sourceBroker, targetBroker string
	pair                       *kafkatest.Pair // nil where they ran already
}

// brokerSettings undo what only tests want, and free the disk at once: what
// is deleted must not be written back while the next copier is measured.
func brokerSettings() map[string]string {
	return map[string]string{
		"log.segment.delete.delay.ms":     "1000",
		"log.retention.check.interval.ms": "300000",
		"log.cleaner.backoff.ms":          "15000",
		"broker.heartbeat.interval.ms":    "2000",
		"broker.session.timeout.ms":       "9000",
	}
}

func openClusters(ctx context.Context, o options) (c *clusters, err error) {
	c = &clusters{}
	if len(o.brokers) == 0 {
		pair, err := kafkatest.StartPair(ctx, kafkatest.Config{
			HostNetwork: true, Heap: "-Xms1g -Xmx1g", Settings: brokerSettings(),
		})
		if err != nil {
			return nil, err
		}
		c.pair = &pair
		o.brokers = []string{pair.Source.Brokers[0], pair.Target.Brokers[0]}
	}
	c.sourceBroker, c.targetBroker = o.brokers[0], o.brokers[1]
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close(context.WithoutCancel(ctx)))
		}
	}()
	if c.source, err = kafka.Open(ctx, kafka.Config{Brokers: o.brokers[:1]}); err != nil {
		return c, fmt.Errorf("source: %w", err)
	}
	if c.target, err = kafka.Open(ctx, kafka.Config{Brokers: o.brokers[1:]}); err != nil {
		return c, fmt.Errorf("target: %w", err)
	}
	return c, nil
}

func (c *clusters) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var faults []error
	for _, client := range []*kafka.Client{c.source, c.target} {
		if client != nil {
			faults = append(faults, client.Close())
		}
	}
	if c.pair != nil {
		faults = append(faults, c.pair.Close(ctx))
	}
	return errors.Join(faults...)
}
