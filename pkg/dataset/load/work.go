package load

import (
	"github.com/scf-etl/scf-etl/pkg/deadletter"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// work is the rows of offsets, and the letters about those that are none.
type work struct {
	decoder *decoder
	letters []deadletter.Letter
	bytes   int // of records and letters
}

// rowsFactor is how many times Config.RangeBytes the rows of an entry may take in memory. Rows of usual records take
// about what those have; small ones in a schema with many columns, and those without a value, much more.
const rowsFactor = 2

// full says that work is enough for an entry. It decides where a new one is cut; one that exists is read whole.
func (p *partition) full(w *work) bool {
	return w.bytes >= p.RangeBytes || w.decoder.rows.Size() >= rowsFactor*p.RangeBytes ||
		len(w.decoder.folders) >= p.Folders
}

// recordBytes is what a record has.
func recordBytes(r batch.Record) int {
	bytes := len(r.Key) + len(r.Value)
	for _, h := range r.Headers {
		bytes += len(h.Key) + len(h.Value)
	}
	return bytes
}

// letterBytes is about what a letter takes in memory.
func letterBytes(l deadletter.Letter) int {
	const letter, header = 512, 48 // without what they point to
	return letter + header*len(l.Record.Headers) + recordBytes(l.Record) + len(l.Error)
}
