// Package chaos is what `make chaos` judges a copy by: records that can be made
// again from a seed, a schedule of faults from the same seed, a ledger of what
// was acknowledged, and a check of what arrived that holds three bits a record
// in memory.
//
// The tests of the package are the runs themselves: a copy between two real
// clusters, and a migration there and back with its consumer groups, whose
// function, platform, brokers and networks are killed, stopped, paused, cut and
// slowed by the schedule; and instances that are paused past their time. Without
// the flags that `make chaos` gives they are skipped.
package chaos
