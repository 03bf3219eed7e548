// Command extract is the function that pulls records from an API or a database into topics. See README.md.
package main

import "github.com/scf-etl/scf-etl/pkg/fn"

func main() { fn.Start("extract", New) }
