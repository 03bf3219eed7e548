package localcos_test

import (
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/localcos"
)

func rules(actions string) string {
	return "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>old/</Prefix></Filter>" + actions +
		"</Rule></LifecycleConfiguration>"
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		rules string
		at    time.Time
		left  []string
	}{
		"removes objects of an age":     {rules("<Expiration><Days>3</Days></Expiration>"), now.Add(3*day + time.Second), []string{"new/a", "upload"}},
		"keeps what is younger":         {rules("<Expiration><Days>3</Days></Expiration>"), now.Add(3 * day), []string{"old/a", "old/b", "new/a", "upload"}},
		"removes objects after a date":  {rules("<Expiration><Date>2026-03-05T00:00:00Z</Date></Expiration>"), now.Add(5 * day), []string{"new/a", "upload"}},
		"keeps them before the date":    {rules("<Expiration><Date>2026-03-05T00:00:00Z</Date></Expiration>"), now.Add(3 * day), []string{"old/a", "old/b", "new/a", "upload"}},
		"removes unfinished uploads":    {rules("<AbortIncompleteMultipartUpload><DaysAfterInitiation>2</DaysAfterInitiation></AbortIncompleteMultipartUpload>"), now.Add(3 * day), []string{"old/a", "old/b", "new/a"}},
		"does nothing while it is off":  {strings.Replace(rules("<Expiration><Days>3</Days></Expiration>"), "Enabled", "Disabled", 1), now.Add(9 * day), []string{"old/a", "old/b", "new/a", "upload"}},
		"removes only what has the tag": {strings.Replace(rules("<Expiration><Days>3</Days></Expiration>"), "<Prefix>old/</Prefix>", "<And><Prefix>old/</Prefix><Tag><Key>keep</Key><Value>no</Value></Tag></And>", 1), now.Add(9 * day), []string{"old/a", "new/a", "upload"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, func(c *localcos.Config) { c.Now = func() time.Time { return now } })
			s.want(200, "PUT", "/old/a", "x")
			s.want(200, "PUT", "/old/b", "x", "x-cos-tagging", "keep=no")
			s.want(200, "PUT", "/new/a", "x")
			s.initiate("/old/up")
			s.want(200, "PUT", "/?lifecycle", c.rules)
			removed, err := s.Sweep(c.at)
			if err != nil || removed != 4-len(c.left) {
				t.Errorf("removed %d, %v, want %d", removed, err, 4-len(c.left))
			}
			listed := s.want(200, "GET", "/", nil).body + s.want(200, "GET", "/?uploads", nil).body
			for key, text := range map[string]string{
				"old/a": "<Key>old/a<", "old/b": "<Key>old/b<", "new/a": "<Key>new/a<", "upload": "<Key>old/up<",
			} {
				want := strings.Contains(strings.Join(c.left, " "), key)
				if got := strings.Contains(listed, text); got != want {
					t.Errorf("%s: there is %t, want %t", key, got, want)
				}
			}
		})
	}
	t.Run("is given back, removed, and refused where it makes no sense", func(t *testing.T) {
		t.Parallel()
		s := newServer(t, nil)
		s.refused(404, "NoSuchLifecycleConfiguration", "GET", "/?lifecycle", nil)
		text := rules("<Expiration><Days>3</Days></Expiration>")
		s.want(200, "PUT", "/?lifecycle", text)
		if got := s.want(200, "GET", "/?lifecycle", nil).body; got != text {
			t.Errorf("got %s", got)
		}
		for _, bad := range []string{
			"", "<LifecycleConfiguration/>", rules("<Expiration><Days>x</Days></Expiration>"), rules("<Expiration><Days>-1</Days></Expiration>"),
			rules("<Expiration><Date>soon</Date></Expiration>"), strings.Replace(text, "Enabled", "Perhaps", 1),
		} {
			s.refused(400, "MalformedXML", "PUT", "/?lifecycle", bad)
		}
		s.want(204, "DELETE", "/?lifecycle", nil)
		s.refused(404, "NoSuchLifecycleConfiguration", "GET", "/?lifecycle", nil)
	})
}
