// Package rawjson reads and writes JSON (RFC 8259) without building values: an
// object is an index of slices of its text, which are copied to the output as
// they are unless something changes them. So numbers keep all of their digits,
// strings their escapes, and members their order.
//
// [Object] checks the whole text, strictly; all other functions take text that
// has passed it.
package rawjson
