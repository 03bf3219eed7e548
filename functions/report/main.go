// Command report is the function that makes reports of a dataset. README.md says how.
package main

import "github.com/scf-etl/scf-etl/pkg/fn"

func main() { fn.Start("report", New) }
