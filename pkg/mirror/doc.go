// Package mirror copies partitions from one Kafka cluster to another: every
// record once, in order, unchanged.
//
// The way of the data through [Copier.Copy], for each partition:
//
//	fence      one transactional id a (job, source partition): an older copy can write nothing more
//	checkpoint read the next source offset, committed in the target with the records before it
//	fetch      raw record batches from the source, read_committed, checksums verified
//	identify   the source topic is still the one of the checkpoint, and nothing is missing
//	plan       pass a batch on byte for byte, or decode and build it anew where it must change, or is one of very many small ones
//	write      chunk after chunk, in one transaction of the target, and the new checkpoint at its end
//	identify   the target topic is still the one of the checkpoint
//	commit     end the transaction
//
// A checkpoint is the committed offset of a consumer group in the target
// cluster, one a partition of the source: see [CheckpointGroup]. Calling Copy
// again with the same range, or one that overlaps, copies what is missing and
// nothing twice; killed at any point it has copied all of a transaction or
// nothing of it.
//
// A job with a [Processor] has each record decoded and processed after it was fetched;
// what comes out, the dead letters among it, is what is written. Everything else is as
// above. isolate.go says how a record is found that ends the process, order.go how the
// order of a key is kept behind a dead letter.
//
// Nothing is in memory but two fetched buffers a partition that is being
// copied, and what was built anew from one of them.
//
// [Compare] is the proof: it reads two partitions and gives their digests and
// the first difference; [CompareTopics] does so for whole topics.
package mirror
