// Command clean is the function that cleans the logs of a topic. README.md says how.
package main

import "github.com/scf-etl/scf-etl/pkg/fn"

func main() { fn.Start("clean", New) }
