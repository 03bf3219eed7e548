package mirror_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/kafka/sample"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// topicsOf makes two topics of one cluster, with partitions of their own.
func topicsOf(t *testing.T, left, right int) *kafka.Client {
	t.Helper()
	client, _ := cluster(t, localkafka.Config{})
	createTopic(t, client, kafka.TopicSpec{Name: "left", Partitions: left, Settings: sample.TopicSettings()})
	createTopic(t, client, kafka.TopicSpec{Name: "right", Partitions: right, Settings: sample.TopicSettings()})
	return client
}

func compareTopics(t *testing.T, client *kafka.Client, options mirror.CompareOptions) mirror.TopicComparison {
	t.Helper()
	got, err := mirror.CompareTopics(testContext(t), client, client, "left", "right", options)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestCompareTopics(t *testing.T) {
	t.Parallel()

	t.Run("topics with the same records in the same partitions are equal, whatever the batches and codecs", func(t *testing.T) {
		t.Parallel()
		client := topicsOf(t, 3, 3)
		total := 0
		for p := range int32(3) {
			records := sample.Plain(100+int(p), 100, uint64(p))
			produce(t, client, "left", p, batch.Zstd, 7, records)
			produce(t, client, "right", p, batch.LZ4, 11, records)
			total += 2 * len(records)
		}
		var last mirror.CompareProgress
		got := compareTopics(t, client, mirror.CompareOptions{Progress: func(p mirror.CompareProgress) { last = p }})
		if !got.Equal || !got.Ordered || len(got.Partitions) != 3 {
			t.Fatalf("got %+v, want 3 equal partitions, ordered", got)
		}
		for p, row := range got.Partitions {
			if want := int64(100 + p); row.Partition != int32(p) || row.Source.Records != want || row.Target.Records != want || row.Source.Digest != row.Target.Digest {
				t.Errorf("row %d is %+v, want %d records and the same digests", p, row, want)
			}
		}
		if last.Offsets != int64(total) || last.Total != int64(total) || last.Bytes == 0 {
			t.Errorf("progress ended at %+v, want %d offsets of %d", last, total, total)
		}
	})

	t.Run("a partition that differs is shown and does not hide the others", func(t *testing.T) {
		t.Parallel()
		client := topicsOf(t, 2, 2)
		records := sample.Plain(50, 100, 1)
		produce(t, client, "left", 0, batch.None, 10, records)
		produce(t, client, "right", 0, batch.None, 10, records)
		produce(t, client, "left", 1, batch.None, 10, records)
		produce(t, client, "right", 1, batch.None, 10, append(records[:20:20], records[21:]...))
		got := compareTopics(t, client, mirror.CompareOptions{})
		if got.Equal || !got.Partitions[0].Equal || got.Partitions[1].Equal {
			t.Fatalf("got %+v, want partition 1 alone to differ", got)
		}
		row := got.Partitions[1]
		if row.Source.Records != 50 || row.Target.Records != 49 || row.Source.Digest == row.Target.Digest {
			t.Errorf("counted %+v and %+v, want 50 and 49 records", row.Source, row.Target)
		}
		d := row.Difference
		if d.Index != 20 || d.Field != mirror.FieldMissing || d.Source.Offset != 20 || d.Target.Offset != 20 {
			t.Errorf("difference is %+v, want record 20 missing", d)
		}
		if want := "missing in target: source partition 1 offset 20: key " + fmt.Sprintf("%q", records[20].Key); !strings.Contains(d.String(), want) {
			t.Errorf("shown as %q, want %q in it", d, want)
		}
	})

	t.Run("with other partition counts the topics are compared as a whole, and it says so", func(t *testing.T) {
		t.Parallel()
		client := topicsOf(t, 3, 2)
		records := sample.Special()
		for i, r := range records {
			produce(t, client, "left", int32(i%3), batch.None, 1, []batch.Record{r})
			produce(t, client, "right", int32(len(records)-i)%2, batch.Gzip, 1, []batch.Record{r})
		}
		got := compareTopics(t, client, mirror.CompareOptions{})
		if !got.Equal || got.Ordered || len(got.Partitions) != 1 || got.Partitions[0].Source.Digest != got.Partitions[0].Target.Digest {
			t.Fatalf("got %+v, want equal as a whole", got)
		}
		if got.Partitions[0].Source.Records != int64(len(records)) {
			t.Errorf("counted %d records, want %d", got.Partitions[0].Source.Records, len(records))
		}
		if !strings.Contains(got.Scope(), "order was not compared") {
			t.Errorf("scope is %q, want it to say that order was not compared", got.Scope())
		}
	})

	t.Run("as a whole the first record that one side lacks is found with its place", func(t *testing.T) {
		t.Parallel()
		client := topicsOf(t, 2, 1)
		records := sample.Plain(60, 100, 1)
		produce(t, client, "left", 0, batch.None, 10, records[:30])
		produce(t, client, "left", 1, batch.None, 10, records[30:])
		changed := records[45].Clone()
		changed.Value[3] ^= 1
		produce(t, client, "right", 0, batch.None, 10, records[:45])
		produce(t, client, "right", 0, batch.None, 10, append([]batch.Record{changed}, records[46:]...))
		d := compareTopics(t, client, mirror.CompareOptions{}).Partitions[0].Difference
		if d == nil || d.SourcePartition != 1 || d.Source.Offset != 15 || d.TargetPartition != 0 || d.Target.Offset != 45 {
			t.Fatalf("difference is %v, want source 1/15 and target 0/45", d)
		}
		if string(d.Source.Value) != string(records[45].Value) || string(d.Target.Value) != string(changed.Value) {
			t.Errorf("it shows %+v and %+v", d.Source, d.Target)
		}
	})

	t.Run("as a whole a record that is there twice is a difference", func(t *testing.T) {
		t.Parallel()
		client := topicsOf(t, 2, 1)
		records := sample.Plain(10, 100, 1)
		produce(t, client, "left", 1, batch.None, 10, records)
		produce(t, client, "right", 0, batch.None, 10, records)
		produce(t, client, "right", 0, batch.None, 10, records[4:5])
		row := compareTopics(t, client, mirror.CompareOptions{}).Partitions[0]
		if row.Equal || row.Difference.Field != mirror.FieldExtra || row.Difference.Source != nil || row.Difference.Target.Offset != 4 {
			t.Errorf("got %+v, want the record at target offset 4 as an extra", row.Difference)
		}
	})

	t.Run("only the given spans are read", func(t *testing.T) {
		t.Parallel()
		client := topicsOf(t, 1, 1)
		records := sample.Plain(30, 100, 1)
		produce(t, client, "left", 0, batch.Zstd, 10, records)
		produce(t, client, "right", 0, batch.None, 10, records[5:25])
		got := compareTopics(t, client, mirror.CompareOptions{Source: map[int32]mirror.Span{0: {First: 5, End: 25}}})
		if !got.Equal || got.Partitions[0].Source.Records != 20 {
			t.Errorf("got %+v, want 20 equal records", got.Partitions[0])
		}
	})

	t.Run("two empty topics are equal", func(t *testing.T) {
		t.Parallel()
		if got := compareTopics(t, topicsOf(t, 2, 2), mirror.CompareOptions{}); !got.Equal {
			t.Errorf("got %+v, want equal", got)
		}
	})
}
