// Package chaos is what `make chaos` judges a copy by: records that can be made
// again from a seed, a schedule of faults from the same seed, a ledger of what
// was acknowledged, and a check of what arrived that holds three bits a record
// in memory.
//
// The tests of the package are the run itself: a copy between two real clusters
// whose function, platform, brokers and networks are killed, stopped, paused,
// cut and slowed by the schedule. Without the flags that `make chaos` gives
// they are skipped.
package chaos
