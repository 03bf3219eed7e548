package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// The large backup is made up, by what FORMAT.md says and not by the code that is
// measured: manifests are all there, and of the segments those alone that a search for
// the moments at hand has to look into. To open another one, or to take longer than one a
// partition, is an error of the run.
const (
	largeCluster    = "large"
	largeTopic      = "events"
	largeLineage    = "0.1"
	largePartitions = 4
	largeRuns       = 300 // one an hour, twelve days and a half
	segmentsPerRun  = 2   // and partition, which makes 10 GB of everything
	segmentRecords  = 40  // of a segment, each in a batch of its own
	recordBytes     = 104_857
	firstTime       = int64(1_700_000_000_000)
	runMillis       = int64(3_600_000)
)

// perRun is how many records a run has added to each partition.
const perRun = int64(segmentsPerRun * segmentRecords)

// timeOf is the timestamp of the record at an offset, in each partition.
func timeOf(offset int64) int64 {
	return firstTime + offset/perRun*runMillis + 1 + offset%perRun*(runMillis-2)/perRun
}

// endAt is the offset of the first record that is later than a moment.
func endAt(moment int64) int64 {
	low, high := int64(0), perRun*largeRuns
	for low < high {
		if middle := (low + high) / 2; timeOf(middle) > moment {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// moments are what is looked for: near the beginning, in the middle, near the end.
func moments() []int64 {
	var all []int64
	for _, run := range []int64{largeRuns / 10, largeRuns / 2, largeRuns - 2} {
		all = append(all, timeOf(run*perRun+perRun/2))
	}
	return all
}

// writeLarge writes it, and gives the bytes of its logs.
func writeLarge(ctx context.Context, store backup.Store, prefix string) (size int64, err error) {
	value := bytes.Repeat([]byte("0123456789abcdef"), recordBytes/16)
	wanted := map[int64]bool{} // first offsets of segments that are written
	for _, moment := range moments() {
		wanted[endAt(moment)/segmentRecords*segmentRecords] = true
	}
	var previous *backup.Link
	for run := range int64(largeRuns) {
		m := backup.Manifest{
			Kind: "manifest", Version: 1, Cluster: largeCluster, Sequence: run + 1, Oldest: 1, Previous: previous,
			Observed: firstTime + (run+1)*runMillis, Time: firstTime + (run+1)*runMillis, Complete: true,
		}
		if run > 0 {
			m.Since = firstTime + run*runMillis
		}
		topic := backup.Topic{Name: largeTopic, Lineage: largeLineage}
		for p := range int32(largePartitions) {
			next := (run + 1) * perRun
			state := backup.Partition{Number: p, Next: next, End: next, High: next}
			for first := run * perRun; first < next; first += segmentRecords {
				s, log, err := largeSegment(first, value, wanted[first])
				if err != nil {
					return size, err
				}
				size += s.Log.Bytes
				state.Segments = append(state.Segments, s)
				if log != nil {
					key := fmt.Sprintf("%s/%s/topics/%s/%s/%d/%020d.%020d.%s.log", prefix, largeCluster, largeTopic, largeLineage,
						p, s.First, s.Next, s.Log.SHA256[:16])
					if err := store.Write(ctx, key, log); err != nil {
						return size, err
					}
				}
			}
			topic.Partitions = append(topic.Partitions, state)
		}
		m.Topics = []backup.Topic{topic}
		link, err := writeDocument(ctx, store, manifestKey(prefix, m.Sequence), m)
		if err != nil {
			return size, err
		}
		previous = &backup.Link{Sequence: m.Sequence, SHA256: link}
	}
	_, err = writeDocument(ctx, store, prefix+"/"+largeCluster+"/newest.json", map[string]any{
		"kind": "newest", "version": 1, "cluster": largeCluster, "newest": previous, "checked": 0,
	})
	return size, err
}

func manifestKey(prefix string, sequence int64) string {
	return fmt.Sprintf("%s/%s/manifests/%012d-%d.json", prefix, largeCluster, 999_999_999_999-sequence, sequence)
}

// largeSegment is a segment; its log only where it is wanted. What is not has a digest of
// nothing.
func largeSegment(first int64, value []byte, wanted bool) (s backup.Segment, log []byte, err error) {
	s = backup.Segment{
		First: first, Next: first + segmentRecords, Records: segmentRecords,
		MinTime: timeOf(first), MaxTime: timeOf(first + segmentRecords - 1),
	}
	if !wanted {
		s.Log = backup.Sum{Bytes: segmentRecords * recordBytes, SHA256: hex.EncodeToString(make([]byte, sha256.Size))}
		s.Object = s.Log
		return s, nil, nil
	}
	for offset := first; offset < s.Next; offset++ {
		b, err := batch.Build(batch.Options{}, []batch.Record{{Timestamp: timeOf(offset), Value: value}})
		if err != nil {
			return s, nil, err
		}
		binary.BigEndian.PutUint64(b, uint64(offset)) // where the checksum does not look
		log = append(log, b...)
	}
	s.Log = sumOf(log)
	s.Object = s.Log
	return s, log, nil
}

func sumOf(p []byte) backup.Sum {
	sum := sha256.Sum256(p)
	return backup.Sum{Bytes: int64(len(p)), SHA256: hex.EncodeToString(sum[:])}
}

// writeDocument writes a document in its envelope, and gives its digest.
func writeDocument(ctx context.Context, store backup.Store, key string, document any) (string, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return "", err
	}
	digest := sumOf(text).SHA256
	envelope := fmt.Appendf(nil, "{\"sha256\":%q,\"document\":%s}\n", digest, text)
	return digest, store.Write(ctx, key, envelope)
}
