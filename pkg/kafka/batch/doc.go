// Package batch reads, checks, restamps and builds Kafka record batches, the unit in which
// brokers store and ship records, without going through a client's record type.
//
// A [Batch] is a view of the bytes of one batch of format version 2 (Kafka 0.11 and later).
// [Next] splits a fetch response into batches; the accessors read header fields in place;
// [Batch.Stamp] makes a fetched batch producible again without decoding it;
// [Batch.Records] decodes it; [Builder] makes a new one. The older message sets (magic 0 and 1)
// are read through [Message].
//
// The example of the package is the loop of a copier over the bytes of a fetch.
//
// Bytes are never trusted: lengths, counts and claimed sizes are checked against what is there
// before memory is taken, and decompression stops at [Decoder.Limit].
//
// The formats are those of https://kafka.apache.org/documentation/#messageformat, and for the
// older ones of https://kafka.apache.org/0102/documentation.html#messageformat.
package batch
