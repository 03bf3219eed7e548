package localcos

import (
	"encoding/xml"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// lifecycle is a bucket's rules (COS, "PUT Bucket lifecycle"), as far as they
// remove by age.
type lifecycle struct {
	XMLName xml.Name `xml:"LifecycleConfiguration"`
	Rule    []rule
}

type rule struct {
	ID     string
	Status string
	Prefix string
	Filter struct {
		Prefix string
		Tag    *tag
		And    struct {
			Prefix string
			Tag    []tag
		}
	}
	Expiration struct {
		Days int
		Date string
	}
	AbortIncompleteMultipartUpload struct{ DaysAfterInitiation int }
	// Moving to another storage class changes nothing here.
	Transition []struct {
		Days         int
		Date         string
		StorageClass string
	}
}

var errNoLifecycle = &apiError{http.StatusNotFound, "NoSuchLifecycleConfiguration",
	"The lifecycle configuration does not exist."}

func (l *lifecycle) check() error {
	if len(l.Rule) == 0 || len(l.Rule) > 1000 {
		return errMalformedXML
	}
	for _, r := range l.Rule {
		_, err := r.before(time.Time{})
		if r.Status != "Enabled" && r.Status != "Disabled" || err != nil || r.Expiration.Days < 0 ||
			r.AbortIncompleteMultipartUpload.DaysAfterInitiation < 0 {
			return errMalformedXML
		}
	}
	return nil
}

func (c *call) putLifecycle() error {
	var rules lifecycle
	text, err := c.readXML(&rules)
	if err != nil {
		return err
	}
	if err := rules.check(); err != nil {
		return err
	}
	if err := c.bucket.setLifecycle(string(text)); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusOK)
	return nil
}

func (c *call) deleteLifecycle() error {
	if err := c.bucket.setLifecycle(""); err != nil {
		return err
	}
	return c.noContent()
}

func (b *bucket) setLifecycle(text string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone {
		return errNoSuchBucket
	}
	state := b.state
	state.Lifecycle = text
	if err := writeJSON(filepath.Join(b.dir, bucketFile), state, b.s.config.Fsync); err != nil {
		return err
	}
	b.state = state
	return nil
}

func (b *bucket) rules() (lifecycle, error) {
	b.mu.RLock()
	text := b.state.Lifecycle
	b.mu.RUnlock()
	var rules lifecycle
	if text == "" {
		return rules, errNoLifecycle
	}
	return rules, xml.Unmarshal([]byte(text), &rules)
}

func (c *call) getLifecycle() error {
	if _, err := c.bucket.rules(); err != nil {
		return err
	}
	c.bucket.mu.RLock()
	text := c.bucket.state.Lifecycle
	c.bucket.mu.RUnlock()
	c.w.Header().Set("Content-Type", "application/xml")
	_, err := c.w.Write([]byte(text))
	return err
}

// before is the moment that an object has to be older than to be removed; zero
// where the rule removes none.
func (r *rule) before(now time.Time) (time.Time, error) {
	if r.Expiration.Date != "" {
		date, err := time.Parse(time.RFC3339, r.Expiration.Date)
		if err != nil || now.Before(date) {
			return time.Time{}, err
		}
		return now, nil
	}
	if r.Expiration.Days == 0 {
		return time.Time{}, nil
	}
	return now.AddDate(0, 0, -r.Expiration.Days), nil
}

func (r *rule) covers(key string, tags []tag) bool {
	for _, want := range append(slices.Clone(r.Filter.And.Tag), deref(r.Filter.Tag)...) {
		if !slices.Contains(tags, want) {
			return false
		}
	}
	return r.Status == "Enabled" && strings.HasPrefix(key, r.Prefix) && strings.HasPrefix(key, r.Filter.Prefix) &&
		strings.HasPrefix(key, r.Filter.And.Prefix)
}

func deref(t *tag) []tag {
	if t == nil {
		return nil
	}
	return []tag{*t}
}

// Sweep does what the lifecycle rules of all buckets ask for at a moment:
// removes objects and unfinished uploads of an age. It returns how many. Call it
// now and then; the service does it once a day, without a notification.
func (s *Server) Sweep(now time.Time) (removed int, err error) {
	s.mu.RLock()
	var buckets []*bucket
	for _, b := range s.buckets {
		buckets = append(buckets, b)
	}
	s.mu.RUnlock()
	for _, b := range buckets {
		rules, failed := b.rules()
		if errors.Is(failed, errNoLifecycle) {
			continue
		}
		n := 0
		for i := range rules.Rule {
			if failed == nil {
				var swept int
				swept, failed = b.sweep(&rules.Rule[i], now)
				n += swept
			}
		}
		removed, err = removed+n, errors.Join(err, failed)
	}
	return removed, err
}

func (b *bucket) sweep(r *rule, now time.Time) (removed int, err error) {
	before, err := r.before(now)
	if err != nil {
		return 0, err
	}
	old := func(o *object) bool { return r.covers(o.key(), o.Tags) && o.Modified.Before(before) }
	b.mu.RLock()
	keys := slices.Clone(b.keys)
	b.mu.RUnlock()
	for _, key := range keys {
		if !strings.HasPrefix(key, r.Filter.Prefix) || before.IsZero() {
			continue
		}
		o, err := b.remove(key, old)
		if err != nil {
			return removed, err
		}
		if o != nil {
			removed++
		}
	}
	days := r.AbortIncompleteMultipartUpload.DaysAfterInitiation
	for _, u := range b.sortedUploads() {
		if days > 0 && r.covers(u.key(), u.Object.Tags) && u.Object.Modified.Before(now.AddDate(0, 0, -days)) {
			if err := b.endUpload(u); err != nil {
				return removed, err
			}
			removed++
		}
	}
	return removed, nil
}
