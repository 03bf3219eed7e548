// Package jobtest tests the code of a job with a table: records in, what is to be
// written and what goes to the dead letter out. There is no broker and no engine, so a
// table of a hundred cases takes milliseconds.
//
//	jobtest.Run(t, process, []jobtest.Case{
//		{
//			Name: "a large order is passed on",
//			In:   jobtest.Records(`{"total":100}`),
//			Want: jobtest.Outputs("", `{"total":100}`),
//		},
//		{
//			Name:            "what is no order goes to the dead letter",
//			In:              jobtest.Records("hello"),
//			WantDeadLetters: []jobtest.DeadLetter{{Reason: deadletter.Rejected, Error: "invalid character"}},
//		},
//	})
//
// It does to the code what the copy engine of package mirror does: what was emitted for
// a record that failed is dropped; an error or a panic sends the record to the dead
// letter, and the next one is handled; a transient error stops the partition, which
// fails the test unless the case wants it. What is emitted belongs to the code again
// when emit returns, and what a record points to is overwritten once it is handled: code
// that keeps such memory fails here and not later, at random.
//
// What only the engine can know is not tried: records that are too large for their
// topic, that kill the process, or that come behind a dead letter with their key.
//
// It is a package beside job and not a part of fntest, because it is about records: a
// table needs no event, no settings and no function around the code.
package jobtest
