package deadletter

import "github.com/scf-etl/scf-etl/pkg/kafka/batch"

func (l Letter) Records(int) []batch.Record { return []batch.Record{l.Encode()} }

