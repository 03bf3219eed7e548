package backup

import "github.com/scf-etl/scf-etl/pkg/kafka/batch"

// Seal is for tests that write documents of their own.
func Seal(document any) ([]byte, error) {
	data, _, err := seal(document)
	return data, err
}

// Decode decodes an object as a segment's, with a bound, and walks through it.
func Decode(e Encoding, object []byte, size int64) (log []byte, err error) {
	log, err = e.decode(object, size, nil, nil)
	if err == nil {
		_, _, err = inspect(units(log), Segment{Next: 1 << 40}, 1<<60, &batch.Decoder{Limit: 1 << 20})
	}
	return log, err
}
