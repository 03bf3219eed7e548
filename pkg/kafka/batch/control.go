package batch

import "strconv"

// MarkerType says what a control batch marks.
type MarkerType int16

// The markers that end a transaction. Brokers may write others, which consumers skip.
const (
	Abort  MarkerType = 0
	Commit MarkerType = 1
)

// String returns "abort", "commit" or "marker(N)".
func (t MarkerType) String() string {
	switch t {
	case Abort:
		return "abort"
	case Commit:
		return "commit"
	}
	return "marker(" + strconv.Itoa(int(t)) + ")"
}

// Marker is the content of a control batch. The transaction it ends is the one of
// [Batch.ProducerID] in this partition.
type Marker struct {
	Type             MarkerType
	CoordinatorEpoch int32 // of the transaction coordinator that wrote it; -1 where absent
}

// Marker decodes the record of a control batch. The error wraps [ErrCorrupt], also for a batch
// that is no control batch.
//
// The key is an int16 version and an int16 type, the value an int16 version and the int32 epoch
// (Kafka protocol, "Control Records").
func (b Batch) Marker() (Marker, error) {
	if len(b) < HeaderSize || !b.Control() {
		return Marker{}, corrupt("no control batch")
	}
	var d Decoder
	for r, err := range b.Records(&d) {
		if err != nil {
			return Marker{}, err
		}
		if len(r.Key) < 4 {
			return Marker{}, corrupt("control batch at offset %d has a key of %d bytes, not 4", b.BaseOffset(), len(r.Key))
		}
		m := Marker{Type: MarkerType(be.Uint16(r.Key[2:])), CoordinatorEpoch: -1}
		if len(r.Value) >= 6 {
			m.CoordinatorEpoch = int32(be.Uint32(r.Value[2:]))
		}
		return m, nil
	}
	return Marker{}, corrupt("control batch at offset %d has no record", b.BaseOffset())
}
