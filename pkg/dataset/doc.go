// Package dataset keeps rows of records as Parquet in an object store, and answers questions about them.
//
// A dataset is the objects below a prefix, one folder a value of what it is partitioned by (date=2026-11-27/hour=09), as
// DuckDB, Spark and the like read it.
package dataset
