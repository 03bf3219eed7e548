package main

import (
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// scenario is one source topic that all copiers copy.
type scenario struct {
	Partitions int         `json:"partitions"`
	Size       int         `json:"size"` // bytes of a record, key and value, uncompressed
	Codec      batch.Codec `json:"codec"`
	Together   int         `json:"together"` // records in a batch
	Records    int64       `json:"records"`  // all partitions together
	// Also are the copiers that take part beside those of every case, because
	// they take long or there is nothing to be seen elsewhere.
	Also []string `json:"-"`
	// Few leaves out those of every case.
	Few bool `json:"-"`
}

// Batches of a producer that lingers are near the default limit of 1 MB; small
// ones are those of a producer that does not.
const (
	largeBytes = 900_000
	smallCount = 10
)

// name is what -cases matches.
func (s scenario) name() string {
	batches := "large"
	if s.Together == smallCount {
		batches = "small"
	}
	return fmt.Sprintf("%dp %s %s %s", s.Partitions, sizeName(s.Size), s.Codec, batches)
}

func sizeName(bytes int) string {
	if bytes%1024 == 0 {
		return fmt.Sprintf("%dKB", bytes/1024)
	}
	return fmt.Sprintf("%dB", bytes)
}

// scenarios cover each of codec, partitions, record size and batch size, not
// every combination of them, which would take hours.
func scenarios() []scenario {
	large := func(partitions, size int, codec batch.Codec, records int64, also ...string) scenario {
		const beside = 12 // bytes of a record that are neither key nor value
		return scenario{
			Partitions: partitions, Size: size, Codec: codec, Together: largeBytes / (size + beside),
			Records: records, Also: also,
		}
	}
	small := func(partitions, size int, codec batch.Codec, records int64, also ...string) scenario {
		return scenario{Partitions: partitions, Size: size, Codec: codec, Together: smallCount, Records: records, Also: also}
	}
	few := func(s scenario) scenario {
		s.Few = true
		return s
	}
	return []scenario{
		large(4, 1024, batch.None, 1_000_000, platform, mirrorMaker, verify),
		large(4, 1024, batch.LZ4, 1_000_000, mirrorMaker, verify),
		large(4, 1024, batch.Zstd, 1_000_000, platform, mirrorMaker, verify),
		large(1, 1024, batch.None, 1_000_000, platform, mirrorMaker),
		large(1, 1024, batch.Zstd, 1_000_000, platform),
		large(4, 100, batch.None, 2_000_000),
		large(4, 100, batch.Zstd, 2_000_000),
		small(4, 1024, batch.None, 500_000, unchecked),
		small(4, 1024, batch.Zstd, 500_000, unchecked),
		small(1, 100, batch.LZ4, 1_000_000),
		few(large(4, 1024, batch.Gzip, 500_000, engine, verify)),
		few(large(4, 1024, batch.Snappy, 500_000, engine, verify)),
		few(large(4, 500, batch.LZ4, 1_000_000, cleaner)),
		few(large(40, 1024, batch.None, 1_000_000, follower, mirrorMaker)),
		few(large(40, 1024, batch.Zstd, 1_000_000, follower, mirrorMaker)),
		few(large(400, 1024, batch.None, 1_000_000, follower, mirrorMaker)),
	}
}

// scaled has that part of the records, the same number in each partition.
func (s scenario) scaled(by float64) scenario {
	each := max(int64(float64(s.Records)*by)/int64(s.Partitions), 1)
	s.Records = each * int64(s.Partitions)
	return s
}
