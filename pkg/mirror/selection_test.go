package mirror_test

import (
	"strings"
	"testing"

	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func TestSelection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		include, exclude string
		topic            string
		want             bool
	}{
		{".*", "", "orders", true},
		{"orders", "", "orders-2", false},
		{"a|orders.*", "", "orders-2", true},
		{".*", "tmp-.*", "tmp-1", false},
		{".*", "tmp", "tmp-1", true},
		{"", "", "orders", false},
		{".*", "", "__consumer_offsets", false},
		{".*", "", "etl.job.offsets", false},
		{"__consumer_offsets", "", "__consumer_offsets", false},
	} {
		var exclude []string
		if c.exclude != "" {
			exclude = strings.Split(c.exclude, ",")
		}
		s, err := mirror.NewSelection(strings.Split(c.include, ","), exclude)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Match(c.topic); got != c.want {
			t.Errorf("%s with %q without %q: %v, want %v", c.topic, c.include, c.exclude, got, c.want)
		}
	}
	if (mirror.Selection{}).Match("orders") {
		t.Error("the zero value selects a topic")
	}

	t.Run("all wrong patterns are named", func(t *testing.T) {
		t.Parallel()
		_, err := mirror.NewSelection([]string{"a(", "b"}, []string{"[z"})
		if err == nil || !strings.Contains(err.Error(), `"a("`) || !strings.Contains(err.Error(), `"[z"`) || strings.Contains(err.Error(), `"b"`) {
			t.Errorf("error is %v", err)
		}
	})
}

func TestShard(t *testing.T) {
	t.Parallel()

	t.Run("every partition is that of exactly one shard", func(t *testing.T) {
		t.Parallel()
		shares := [4]int{}
		for p := range int32(4000) {
			owners := 0
			for n := 1; n <= 4; n++ {
				if (mirror.Shard{Number: n, Of: 4}).Has("orders", p) {
					owners++
					shares[n-1]++
				}
			}
			if owners != 1 {
				t.Fatalf("partition %d has %d owners", p, owners)
			}
		}
		for n, share := range shares {
			if share < 800 || share > 1200 {
				t.Errorf("shard %d has %d of 4000 partitions", n+1, share)
			}
		}
	})

	t.Run("without sharding one has all", func(t *testing.T) {
		t.Parallel()
		if !(mirror.Shard{}).Has("orders", 7) || !(mirror.Shard{Number: 1, Of: 1}).Has("orders", 7) {
			t.Error("a partition has no owner")
		}
	})

	t.Run("the written form", func(t *testing.T) {
		t.Parallel()
		for text, want := range map[string]string{"": "1/1", "1/1": "1/1", "2/3": "2/3"} {
			var s mirror.Shard
			if err := s.UnmarshalText([]byte(text)); err != nil || s.String() != want {
				t.Errorf("%q is %v (%v), want %s", text, s, err, want)
			}
		}
		for _, text := range []string{"0/3", "4/3", "1", "1/", "/3", "a/b", "-1/3", "1/3/5"} {
			if err := new(mirror.Shard).UnmarshalText([]byte(text)); err == nil {
				t.Errorf("%q is taken", text)
			}
		}
	})
}
