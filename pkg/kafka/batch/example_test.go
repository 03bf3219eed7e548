package batch_test

import (
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// The loop of a copier over the bytes of a fetch: pass on what may be passed on, decode the rest.
func Example() {
	var (
		decoder  batch.Decoder
		producer = batch.Producer{ID: 4711, Epoch: 0, Sequence: 0}
		send     = func(b batch.Batch) { fmt.Println("send", b.Count(), "records,", b.Codec()) }
	)
	copyAll := func(p []byte) error {
		for {
			b, rest, err := batch.Next(p)
			if errors.Is(err, batch.ErrOldFormat) {
				return err // a copier would read it with NextMessage
			}
			if b == nil {
				return err // nil: at most a part of a batch is left
			}
			p = rest
			if err := b.Verify(); err != nil {
				return err
			}
			if b.Control() {
				continue // the target's broker writes its own markers
			}
			if err := b.Stamp(producer); errors.Is(err, batch.ErrNotStampable) {
				builder := batch.NewBuilder(batch.Options{Codec: b.Codec()})
				for r, err := range b.Records(&decoder) {
					if err != nil {
						return err
					}
					builder.Add(r)
				}
				if b, err = builder.Batch(); err != nil {
					return err
				}
				if err := b.Stamp(producer); err != nil {
					return err
				}
			}
			producer.Sequence = batch.NextSequence(producer.Sequence, b.Count())
			send(b)
		}
	}

	first, _ := batch.Build(batch.Options{Codec: batch.LZ4}, []batch.Record{{Value: []byte("a")}, {Value: []byte("b")}})
	second, _ := batch.Build(batch.Options{Codec: batch.Zstd}, []batch.Record{{Value: []byte("c")}})
	fetched := append(first, second[:20]...) // a fetch may end inside a batch
	fmt.Println(copyAll(fetched))
	// Output:
	// send 2 records, lz4
	// <nil>
}

func ExampleDigest() {
	records := []batch.Record{{Key: []byte("k"), Value: []byte("v")}, {Key: []byte("k"), Value: nil}}
	var source, target batch.Digest
	for _, r := range records {
		source.Add(r)
	}
	for _, r := range records[:1] {
		target.Add(r)
	}
	fmt.Println(source.Sum() == target.Sum())
	target.Add(batch.Record{Key: []byte("k"), Value: nil})
	fmt.Println(source.Sum() == target.Sum(), source.Count())
	// Output:
	// false
	// true 2
}
