package kafka

import (
	"slices"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kversion"
)

func TestRelease(t *testing.T) {
	t.Parallel()
	t.Run("every release is told by its requests, as another client knows them", func(t *testing.T) {
		t.Parallel()
		for _, mark := range releaseMarks {
			for name := range strings.SplitSeq(strings.TrimSuffix(mark.name, " or later"), " or ") {
				if name == "0.11" {
					name = "0.11.0"
				}
				versions := map[protocol.ApiKey]int16{}
				kversion.FromString(name).EachMaxKeyVersion(func(key, highest int16) { versions[protocol.ApiKey(key)] = highest })
				if got := releaseOf(versions); got.Name != mark.name || got.AtLeast != mark.atLeast {
					t.Errorf("release %s is taken for %+v", name, got)
				}
			}
		}
	})
	t.Run("a release that is later than all that are known is the last one or later", func(t *testing.T) {
		t.Parallel()
		versions := map[protocol.ApiKey]int16{}
		for _, mark := range releaseMarks {
			versions[mark.key] = 99
		}
		if got := releaseOf(versions).Name; !strings.HasSuffix(got, " or later") {
			t.Errorf("it is %q", got)
		}
	})
	t.Run("releases are compared by age and not by their digits", func(t *testing.T) {
		t.Parallel()
		var reached []string
		for _, mark := range releaseMarks {
			if (Release{AtLeast: "1.1"}).From(mark.atLeast) {
				reached = append(reached, mark.atLeast)
			}
		}
		if want := []string{"0.10.1", "0.11", "1.0", "1.1"}; !slices.Equal(reached, want) {
			t.Errorf("1.1 has reached %v, want %v", reached, want)
		}
		if (Release{}).From("0.10.1") {
			t.Error("a broker of no known release has reached 0.10.1")
		}
	})
}
