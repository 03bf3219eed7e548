package deadletter

import (
	"context"
	"time"
)

// SetFault has fault called between the steps of a run: what it does not return
// from is what a kill would be.
func (r *Redriver) SetFault(fault func(point string)) { r.fault = fault }

// SetWait replaces the waiting of a rate.
func (r *Redriver) SetWait(wait func(context.Context, time.Duration) error) { r.wait = wait }

// DecodeEntry reads an entry of the redrive log.
var DecodeEntry = decodeEntry
