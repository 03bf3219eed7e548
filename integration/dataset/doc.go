// Package dataset has tests whose result is read by engines that are not ours, DuckDB and pyarrow from PyPI: of the built
// function load under kills, and of the page at the end of the flow, which Chromium opens.
package dataset
