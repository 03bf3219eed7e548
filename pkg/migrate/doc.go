// Package migrate moves topics from one Kafka cluster to another, while they
// are written and read, in steps that are checked and can be taken back.
//
//	planned       the plan is stored; nothing was touched
//	mirroring     the source's topics are copied as they grow, offsets of consumer groups translated
//	dual-writing  the copy has caught up: what is written to the source is on both clusters within seconds
//	verified      both sides were compared by content, up to the checkpoints
//	cutting-over  the copy to the target is being closed; etl migrate cutover goes on with it
//	cut-over      producers and consumers have moved; what they write is copied back to the source
//	finished      nothing is copied any more
//	rolled-back   producers and consumers stay at, or have gone back to, the source
//
// A migration is a record of a compacted topic in the target cluster, see
// [Store]: the command line changes its state, the function migrate does what
// the state says ([Run]). Each step has gates, which measure; a step whose gates
// do not hold is refused with the numbers ([GateError]), and nothing has
// happened then. One of two operators who take a step at the same time is told
// so ([ErrConflict]).
//
// Several sources are merged into one target by a migration each. What stands in
// the way of one, another migration's names among it, is what [Operator.Preview]
// shows as a [Conflict], with the choices; [Operator.Start] looks again.
//
// The copy itself, exactly once and in order, is package mirror's.
package migrate
