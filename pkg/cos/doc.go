// Package cos is a client of Tencent COS, the object store, over
// cos-go-sdk-v5: put, get, list, copy, delete and presign in one bucket.
//
// What it adds to the SDK: bodies of any length in bounded memory, with parts
// that are uploaded side by side and repeated from their buffer; CRC-64/ECMA
// checked of every part, of the whole, and of every byte read; a download that
// goes on where the connection was cut, and never mixes two versions; creating
// an object only where none is, so that one of two writers wins, even where an
// answer was lost; temporary credentials that are renewed in time; bounded
// retries with back-off; errors that say what the user can do; and answers of a
// hostile server that end in an error instead of an endless loop or an endless
// buffer.
//
// The conformance suite in costest runs on pkg/localcos, the COS server on a
// folder, and on a real bucket.
package cos
