// Package load writes the records of topics into a dataset of package dataset, each once, for readers that know
// nothing of it and take every *.parquet below the prefix.
//
// # The way of the data
//
//	event, or timer ──> offsets of a partition ──> fetch from the source ──> JSON ──> Rows, each with its folder
//	    ──> entry of the log (conditional) ──> letters ──> one object a folder ──> next entry
//
// Names from offsets alone would not do: after a redelivery a batch can begin and end elsewhere, and would give objects
// with other names that hold the same records. So each partition has a log in the dataset:
//
//	PREFIX/_load/TOPIC/PARTITION/start.json                     where the log begins, and the id of the topic
//	PREFIX/_load/TOPIC/PARTITION/log/00000000000000000100.json  an entry: offsets 100 to LAST, under its first offset
//	PREFIX/_load/TOPIC/PARTITION/log/00000000000000000100.sent  the letters of that entry have been written
//	PREFIX/_load/TOPIC/PARTITION/head.json                      a hint: the log is complete up to here
//	PREFIX/_schema/00000001.json                                a version of the schema, see [Schema]
//	PREFIX/date=.../hour=.../TOPIC-PARTITION-FIRST-LAST.parquet the rows of an entry in a folder
//
// An entry is created only where none is (x-cos-forbid-overwrite), so all instances agree on the cut: whoever finds
// that another was faster takes that one's. It is an intent. The objects come after it, and the next entry after the
// objects. So only the last entry of a log can be unfinished; who finds it does it again: it fetches exactly those
// offsets, decodes them by the entry's version of the schema, and writes the same rows under the same names.
//
// A paused instance that wakes up writes what is there already, or loses the creation of an entry. What it must not
// do is write an object again that was merged and deleted meanwhile. It cannot, because an invocation lasts
// [MaxInvocation] at most, what an instance knows of a log is found anew after ten minutes, and nothing is merged
// before the entry behind it is older than [MinAge].
//
// # Time
//
// The folder of a row is the hour of its event time, in UTC: that of the schema's time column, else the record's
// timestamp. A late record goes into the folder of its time, whenever it comes.
//
// # What does not fit
//
// A record that is no JSON object, or has a value that its column cannot hold, goes to the dead letter, in a
// transaction with a checkpoint, so once; without a dead letter it stops its partition. A note beside the entry says
// so, too: the cluster forgets a checkpoint at last. An entry that has letters alone is finished with them, also when
// its records have gone.
//
// # What is missing
//
// Aborted transactions and control batches are left out, and offsets that compaction has taken. Offsets that the
// source has deleted before they were loaded are a [GapError], or with Config.Gaps noted in the log, and left behind.
// A topic that was deleted and created again is [ErrRecreated]: its offsets would come a second time.
//
// # Compaction
//
// [Loader.Compact] merges the small objects of hours that have ended. Each folder has a log of merges in the dataset,
// with the rules of the log above: PREFIX/_compact/FOLDER/00000001.json says which objects become which one; then
// that is written, under a name that begins with '~' and so behind theirs, with their names in its footer; then they
// are deleted. A merge that was not finished is, by the next run. [dataset.Dataset.Query] leaves out objects that a
// merged one names. An engine that lists the folder between the write and the last delete sees their rows twice: for
// as long as that takes, a second as a rule.
package load
