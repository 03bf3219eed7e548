package main

import "github.com/scf-etl/scf-etl/pkg/transform"

// way is one way to do a job. It gives emit what becomes of each value, in their
// order, without those that are filtered. What emit gets is valid until it returns.
type way struct {
	name string
	run  func(values [][]byte, emit func([]byte)) error
}

const ours = "transform"

// ways are all that can do a job, ours before those of the peer. close ends what
// they have started.
func (c comparison) ways() (found []way, close func() error, err error) {
	rules, err := transform.Load(c.name, []byte(c.rules), transform.Options{})
	if err != nil {
		return nil, nil, err
	}
	theirs, close, err := c.peer.ways()
	return append([]way{{ours, transformer(rules)}}, theirs...), close, err
}

func transformer(rules *transform.Rules) func([][]byte, func([]byte)) error {
	t := rules.New()
	return func(values [][]byte, emit func([]byte)) error {
		var in transform.Record
		for i, value := range values {
			in.Offset, in.Value = int64(i), value
			err := t.Transform(in, func(out transform.Output) error {
				emit(out.Value)
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	}
}
