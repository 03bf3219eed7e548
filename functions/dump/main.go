// Command dump is the function that copies a topic to another Kafka cluster
// (消息转储). See README.md.
package main

import "github.com/scf-etl/scf-etl/pkg/fn"

func main() { fn.Start("dump", New) }
