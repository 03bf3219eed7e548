// Command restore is the function that restores Kafka topics from backups in COS. See
// README.md.
package main

import "github.com/scf-etl/scf-etl/pkg/fn"

func main() { fn.Start("restore", New) }
