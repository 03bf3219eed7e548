// Package compose tests deploy/compose.yaml as a user runs it, with each
// Compose that is on the machine: from nothing to a topic that is dumped while
// brokers and platform are restarted, down and up again on the same volumes,
// and down to nothing.
//
// It builds an image and takes minutes, so it has a target of its own: make
// compose-test. Elsewhere its tests are skipped.
package compose
