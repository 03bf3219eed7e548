// Package localcos is a COS server on a folder, for a laptop, compose and
// tests: buckets and objects stay across restarts, and any COS SDK in any
// language works against it.
//
// It has what a program that stores data asks for: put, get with ranges and
// conditions, head, delete one or many, copy, append, multipart uploads, listing
// with prefix, delimiter and paging, conditional create, user metadata, tags,
// lifecycle by age, presigned URLs, signatures that are checked, CRC-64 of
// everything, notifications as the COS trigger gets them, and errors with the codes
// that the documents of the service have. What it lacks is refused
// with NotImplemented, never taken for something else: access lists, versions,
// replication, media processing.
//
// An object is published by renaming its metadata: it is there whole, or the one
// before is, also after a kill -9. Bodies are hashed while they stream and are
// never in memory. The same bytes are not written twice: a copy within a bucket
// and a completed upload refer to the files that are there.
//
// It is our own server, not an S3 one with another face: gofakes3 covers less
// than half of this list (no CRC-64, signature, append, conditional create,
// lifecycle or notification, no uploads that outlive a restart), and what would
// have to be put around it is as long as what is here.
package localcos
