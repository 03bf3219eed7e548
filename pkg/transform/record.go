package transform

import "github.com/scf-etl/scf-etl/pkg/kafka/batch"

// Record is one record as it came, with its position. [Transformer.Transform]
// reads it and changes nothing in it.
type Record struct {
	batch.Record
	Topic     string
	Partition int32
	// Redriven is how often the record was sent on its way again after it had failed:
	// then a deduplicate rule has seen it before, and lets it through.
	Redriven int
}

// Output is one record as the rules made it. Its Key, Value and Headers are valid
// until emit returns: clone what is kept longer.
type Output struct {
	Topic string // empty where the rules name none: the caller's default
	// Record has the key, value, headers and event time to write. Offset is that of
	// the input, so that a copy can be told from its position.
	batch.Record
}
