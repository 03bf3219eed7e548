// Package backup keeps what a Kafka cluster holds in an object store, and brings
// it back: all or some topics, into any cluster, up to any offset or moment.
//
// FORMAT.md describes every object, for people who write other readers. In short:
//
//	segment   a part of a partition's log, byte for byte as the broker stores it
//	manifest  what one run has added: the state of all topics, new segments, groups
//	base      the segments that pruned manifests had and later ones need
//
// The decisions behind it:
//
// The log is kept as it is up to the last stable offset, with control batches and
// aborted transactions in it, and the list of the aborted ones beside it. So every
// transaction in a backup is decided, Kafka's own tools read a segment, a restore
// passes batches on byte for byte, and a moment may lie anywhere.
//
// A segment's name comes from the cluster, the topic and its lineage, the partition,
// the offsets and the content; where one is cut depends on the content alone. A run
// that was killed comes to the same names again, and uploads nothing twice.
//
// A manifest is written last, under a key that the one before determines, and only
// where nobody has written it: of two runs one wins, and nobody ever sees half of a
// backup. It names the digest of the one before it, so that no byte of a backup can
// change unseen. Sequence numbers count down in keys, so that a listing begins with
// the newest.
//
// A manifest has what is new, and not all segments: an idle cluster costs nothing,
// and a restore walks the chain from its oldest manifest on. The newest has the whole
// state that the next run needs.
//
// A restore is the copy engine of package mirror whose source is a backup ([Source]),
// and not a second engine: exactly once, resumable and with an offset map.
package backup
