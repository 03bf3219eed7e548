// Package dataset keeps rows of records as Parquet in an object store, and answers questions about them.
//
// A dataset is the objects below a prefix, one folder a value of what it is partitioned by (date=2026-11-27/hour=09),
// as DuckDB, Spark and the like read it. Objects and folders whose name begins with '_' or '.' are no data, as those
// engines have it too: what package load notes is there.
//
// # The way of the data in
//
// [Rows] are values by column. [Encode] makes one Parquet object of some of them: a row group for each RowGroupRows,
// zstd, and for each column the encoding that fits what is in it: a dictionary where values come again, deltas for
// whole numbers, else plain. The same rows give the same bytes, so that an object which is written again is the same
// object. [Dataset.Write] puts it into the folder of its values.
//
// # The way of the data out
//
// [Dataset.Query] lists the folders whose values can meet the conditions, level by level; reads the footer of each
// object there; leaves out row groups whose statistics say that no row in them can meet the conditions; reads of the
// rest the columns that the query names, each with one request; and goes through them some thousand rows at a time:
//
//	pages of the columns ──> selection (conditions) ──> number of the group of each row ──> measures, by group
//
// Values that a dictionary holds are compared, hashed and numbered once for each entry of the dictionary, not for
// each row. Memory is bounded: a page a column, one row group's columns as they are in the object, and the groups, of
// which there may be [Limits.Groups]. What needs more is an error that says so, as is an object that is no Parquet,
// or not such that can be read.
package dataset
