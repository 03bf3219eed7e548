// Package dataset has tests of the built function load under kills, whose result is read by engines that are not ours:
// DuckDB and pyarrow, from PyPI.
package dataset
