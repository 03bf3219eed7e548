// Command migrate is the function that carries out a migration between Kafka
// clusters (集群迁移). See README.md.
package main

import "github.com/scf-etl/scf-etl/pkg/fn"

func main() { fn.Start("migrate", New) }
