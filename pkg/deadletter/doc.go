// Package deadletter says how a record that could not be handled is kept: whole,
// with all that is needed to understand why; reads what is kept; and sends it on
// its way again.
//
// # Letters
//
// A [Letter] is written as one record of a dead-letter topic. Its key and its
// value are those of the record, unchanged, so that every consumer reads them; so
// are its headers, behind those that this package adds. Its timestamp is the time
// at which the record failed. The headers come in this order, each once:
//
//	etl.deadletter.format     1; a reader refuses any other
//	etl.deadletter.part       2/5, or 2/5 packed: of a letter in parts alone
//	etl.deadletter.object     URL of the object with the record, where it is in one
//	etl.deadletter.topic      of the record
//	etl.deadletter.partition  of the record
//	etl.deadletter.offset     of the record
//	etl.deadletter.timestamp  of the record, ms since 1970; -1: it has none
//	etl.deadletter.function   that could not handle it
//	etl.deadletter.version    of the function
//	etl.deadletter.reason     rejected, panic, killed, too-large, behind
//	etl.deadletter.error      the whole chain; cut in its middle from 8 KB on
//	etl.deadletter.stack      of a panic; cut from 16 KB on
//	etl.deadletter.attempt    how often it was tried, from 1 on
//	etl.deadletter.redrives   how often it was sent on its way again before
//
// A letter that is too large for its topic comes in parts ([Letter.Records],
// [Join]): records of one partition in their order, with the same headers; those
// of the record are in the first part. The value of each is a piece of the
// record's value. Where key or headers are what is too large, it is a piece of the
// whole record, packed as a record batch (v2), and the key is the beginning of the
// record's.
//
// Or, where there is a bucket for them, the record of such a letter, or of every
// letter, is an object of COS ([Letter.InObject], [Letter.Whole]): then the letter has
// the key, and neither value nor headers. The object is there before the letter is.
// Where the letter is never written, because the function was killed in between and
// handles the record otherwise the next time, it stays: that is all it costs. Deleting
// objects by age is the bucket's lifecycle's.
//
// Nothing of the record is lost: null and empty stay apart, and what was written
// is read as it was, or refused with [ErrNotALetter] or [ErrNotWhole].
//
// # Redrives
//
// A [Redriver] sends letters on their way again: the record as it was, with the
// headers etl.redrive.id, .count and .function behind its own, which [TakeRedrive]
// takes off. Each is sent once. What was sent is recorded beside the dead-letter
// topic, in the topic NAME.redrives of one partition, an [Entry] a record:
//
//   - Record and entry are one transaction where the dead-letter topic and the
//     source are in one cluster.
//   - Else an intent is committed before, with the offset at which the partition
//     ends that is written to; then the record; then the outcome. The next run
//     first fences the producers of the last one, so that nothing of it can arrive
//     any more, and then looks for the record of each intent without an outcome,
//     by its etl.redrive.id, from the intent's offset on.
//   - Both need readers of committed records in the source, as the jobs of this
//     project are, and the right to write in a transaction there.
//   - What cannot be known any more, because the source's retention has removed
//     the records, stays interrupted, and is sent by nobody who does not say so
//     ([Redriver.Again]). A compacted topic may have removed a record as well: there
//     a later one with the same key has replaced it, and it may be sent twice.
//
// Of two runs at once, the one that began last goes on; the other ends with
// [ErrTakenOver]. The transactional id is etl.redrive.NAME, in the source cluster
// with the id of the other cluster behind it.
package deadletter
