package deadletter

import "github.com/scf-etl/scf-etl/pkg/kafka/batch"

func (l Letter) Records(int) []batch.Record { return []batch.Record{l.Encode()} }

type Redrive struct {
	Count int
	ID    string
	Last  bool
}

func TakeRedrive(r batch.Record) (batch.Record, Redrive) { return r, Redrive{} }
