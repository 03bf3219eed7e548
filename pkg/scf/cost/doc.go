// Package cost says what functions cost in a month: from invocations that were
// measured, or from a load that is described; and from which load on a machine
// that is always on would be cheaper. The rules of billing and the prices are
// those of package scf.
package cost
