// Package job is a function that makes something of the records of a topic, without
// what such functions have in common: the settings, the clusters, the event, and what
// the copy engine of package mirror promises.
//
// A job that can be said in one piece of code is that piece of code:
//
//	func main() { fn.Start("shout", job.New(shout)) }
//
//	func shout(_ context.Context, r job.Record, emit func(job.Output)) error {
//		emit(job.Output{Record: batch.Record{Key: r.Key, Value: bytes.ToUpper(r.Value), Timestamp: r.Timestamp}})
//		return nil
//	}
//
// What it emits is written exactly once, in one transaction with the job's progress. A
// record that it refuses, or panics on, or that kills its process, goes to the dead
// letter, and holds up nothing behind it.
//
// Package jobtest tests that code with a table of records, without a broker. etl new writes
// such a job and such a test.
//
// A job with settings of its own has a Config with [Settings] in it, and a New that
// calls [Open].
package job
