// Package transform parses, filters, masks and routes records by rules.
package transform
