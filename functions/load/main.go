// Command load is the function that writes the records of topics into a dataset of Parquet in COS. See README.md.
package main

import "github.com/scf-etl/scf-etl/pkg/fn"

func main() { fn.Start("load", New) }
