// Package deadletter says how a record that could not be handled is kept: whole,
// with all that is needed to understand why, and to send it on its way again.
//
// A [Letter] is written as one record of a dead-letter topic. Its key and its
// value are those of the record, unchanged, so that every consumer reads them;
// so are its headers, behind those that this package adds. Nothing of the record
// is lost: null and empty stay apart, and [Decode] gives back what [Letter.Records]
// was given.
package deadletter
