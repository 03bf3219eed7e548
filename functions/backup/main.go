// Command backup is the function that backs Kafka topics up to COS. See README.md.
package main

import "github.com/scf-etl/scf-etl/pkg/fn"

func main() { fn.Start("backup", New) }
