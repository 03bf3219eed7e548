// Package extract pulls records out of a source that is no topic, an HTTP API or a
// table of a database, into topics: each once, also through crashes.
//
// A file, extract.yaml, says where the records are, how one page follows on another, and
// what becomes of a record: see [Load]. Its rules and its output are those of package
// transform, so a record can be parsed, masked and routed before it is in any topic.
//
// The way of the data through [Extractor.Run]:
//
//	fence    one transactional id a job, etl.JOB: an older run can write nothing more
//	cursor   read back what was committed last: group etl.JOB, partition 0 of the output's topic
//	page     ask the source for the page at the cursor: all of it, or it counts for nothing
//	check    the page is no other one's copy, begins as it did before, and is of the form that it had
//	map      each record through the rules: to key, headers, timestamp, topic; or to the dead letter
//	write    in one transaction, page after page, up to a bound of bytes and time
//	commit   the cursor behind those pages, in that same transaction
//
// So the cursor and the records before it become visible together or not at all. Killed
// at any point, the next run reads the cursor, asks for the page at it again, and writes
// it once. Nothing of the first try is seen, so it does not matter that the page may be
// another one by then.
//
// # The cursor
//
// It is the metadata of a committed offset, as JSON: where the source goes on, by its own
// kind. The offset is how many records of the source have been handled. Brokers take up
// to 4096 bytes (offset.metadata.max.bytes): a longer cursor is [ErrCursorTooLong].
// The cursor goes with the topic: where that is deleted, the job begins anew.
//
// # What a source must promise
//
// A crash costs nothing with any paging. What can be lost or doubled is what the source
// moves while it is being read:
//
//	page     A number counts from the front: a record that is inserted or removed there moves all
//	         behind it to another page, some past the reader. For sources that only grow at the end.
//	link,    Whatever the source has put into it. As a rule a position behind a record, which does
//	cursor   not move; some sources put a page number there.
//	key      A column that grows with each row: a row is read once, however others come and go. A row
//	         that becomes visible behind a greater key is passed over.
//	time     With a key beside it: rows are read in the order of (time, key), and both are the cursor,
//	         so that rows of the same time are not lost. A row that changes has a new time, and comes
//	         again. delay (10s) waits for transactions that commit late, and no time is read
//	         before it is over, by what the column can tell apart: a second, a day. Of a time that
//	         is a number none of that is known: rows of the same one have to become visible together.
//
// A source that has come to its end is asked again from its last page on, and the records
// of that page that were taken are left out by their number, after a digest has shown
// that they are the same (then: resume). Or it is read from its first page on again, where
// ETag, Last-Modified or the digest of a single page says that it has changed (then:
// restart). A job whose file goes over from resume to restart reads all of it again at once.
package extract
