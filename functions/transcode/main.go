// Command transcode is the function that transcodes media in COS with FFmpeg. See README.md.
package main

import "github.com/scf-etl/scf-etl/pkg/fn"

func main() { fn.Start("transcode", New) }
