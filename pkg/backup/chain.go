package backup

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Chain is the manifests of one cluster's backup. It is safe for concurrent use.
type Chain struct {
	store   Store
	layout  layout
	cluster string
}

// OpenChain names the backup of a cluster under a prefix of a store. It reads nothing.
func OpenChain(store Store, prefix, cluster string) (*Chain, error) {
	l, err := newLayout(prefix, cluster)
	if err != nil {
		return nil, err
	}
	return &Chain{store: store, layout: l, cluster: cluster}, nil
}

// Cluster is the id of the Kafka cluster.
func (c *Chain) Cluster() string { return c.cluster }

// Clusters lists the ids of the clusters that have backups under a prefix.
func Clusters(ctx context.Context, store Store, prefix string) ([]string, error) {
	prefix = folder(prefix)
	var all []string
	for after := ""; ; {
		var next string
		for object, err := range store.List(ctx, prefix, after) {
			if err != nil {
				return nil, fmt.Errorf("list the backups: %w", err)
			}
			next = object.Key[len(prefix):]
			break
		}
		if next == "" {
			return all, nil
		}
		for i := range len(next) {
			if next[i] == '/' {
				next = next[:i]
				if clusterName.MatchString(next) {
					all = append(all, next)
				}
				break
			}
		}
		after = prefix + next + "/\U0010ffff" // behind all of this one
	}
}

// linked is a manifest with its own link.
type linked struct {
	*Manifest
	Link
}

// Newest reads the newest manifest; [ErrNoBackup] where there is none.
func (c *Chain) Newest(ctx context.Context) (*Manifest, error) {
	newest, err := c.newest(ctx)
	return newest.Manifest, err
}

func (c *Chain) newest(ctx context.Context) (linked, error) {
	sequence, err := c.head(ctx)
	if err != nil {
		return linked{}, err
	}
	return c.load(ctx, sequence)
}

// head gives the sequence number of the newest manifest.
func (c *Chain) head(ctx context.Context) (int64, error) {
	for object, err := range c.store.List(ctx, c.layout.manifests(), "") {
		if err != nil {
			return 0, fmt.Errorf("list the manifests: %w", err)
		}
		if sequence, ok := c.layout.sequence(object.Key); ok {
			return sequence, nil
		}
	}
	return 0, fmt.Errorf("%w of cluster %s", ErrNoBackup, c.cluster)
}

// Manifest reads a manifest. What is not as it was written is a [DamageError].
func (c *Chain) Manifest(ctx context.Context, sequence int64) (*Manifest, error) {
	m, err := c.load(ctx, sequence)
	return m.Manifest, err
}

func (c *Chain) load(ctx context.Context, sequence int64) (linked, error) {
	m := new(Manifest)
	digest, err := c.document(
		ctx,
		c.layout.manifest(sequence),
		m,
		func() error { return m.validate(c.cluster, sequence) },
	)
	if err != nil {
		return linked{}, err
	}
	return linked{m, Link{sequence, digest}}, nil
}

func (c *Chain) base(ctx context.Context, link Link) (*Base, error) {
	b := new(Base)
	key := c.layout.base(link.Sequence, link.SHA256)
	digest, err := c.document(ctx, key, b, func() error { return b.validate(c.cluster, link.Sequence) })
	if err == nil && digest != link.SHA256 {
		err = &DamageError{Key: key, Offset: -1, Reason: "it is not the one that the manifests name"}
	}
	return b, err
}

// document reads an object with a document.
func (c *Chain) document(ctx context.Context, key string, into any, validate func() error) (digest string, err error) {
	data, err := read(ctx, c.store, key, nil, maxManifest)
	if errors.Is(err, ErrNotFound) {
		return "", &DamageError{Key: key, Offset: -1, Reason: missing}
	}
	var known *DamageError
	if errors.Is(err, ErrDamaged) && !errors.As(err, &known) {
		err = &DamageError{Key: key, Offset: -1, Reason: err.Error()}
	}
	if err != nil {
		return "", err
	}
	digest, err = unseal(data, into)
	if err == nil {
		err = validate()
	}
	if err != nil {
		return "", &DamageError{Key: key, Offset: -1, Reason: err.Error()}
	}
	return digest, nil
}

// missing is the reason of a [DamageError] about an object that is not there.
const missing = "it is missing"

// after finds the first manifest that is later than a moment, by halving: reading it
// takes as many manifests as their number has binary digits. newest is the last of the
// chain. The answer is newest.Sequence+1 where none is later.
func (c *Chain) after(ctx context.Context, newest *Manifest, at time.Time) (sequence int64, err error) {
	low, high := newest.Oldest, newest.Sequence+1
	for low < high {
		middle := low + (high-low)/2
		m := newest
		if middle != newest.Sequence {
			if m, err = c.Manifest(ctx, middle); err != nil {
				return 0, err
			}
		}
		if m.At().After(at) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low, nil
}

// append writes the next manifest behind last, the zero value for the first. It is
// [ErrTaken] where somebody else has; nothing is changed then.
func (c *Chain) append(ctx context.Context, last linked, m *Manifest) (linked, error) {
	m.Kind, m.Version, m.Cluster = kindManifest, formatVersion, c.cluster
	m.Sequence, m.Previous = 1, nil
	if last.Manifest != nil {
		m.Sequence, m.Previous = last.Manifest.Sequence+1, &Link{last.Manifest.Sequence, last.SHA256}
		m.Since = last.Time
		m.Time = max(m.Time, last.Time) // a clock that was set back
	}
	if m.Oldest == 0 {
		m.Oldest = 1
	}
	if err := c.ensureNoted(ctx, last); err != nil {
		return linked{}, err
	}
	data, digest, err := seal(m)
	if err != nil {
		return linked{}, fmt.Errorf("write manifest %d: %w", m.Sequence, err)
	}
	if len(data) > maxManifest {
		return linked{}, fmt.Errorf(
			"write manifest %d: it has %d bytes, and %d are the most",
			m.Sequence,
			len(data),
			maxManifest,
		)
	}
	key := c.layout.manifest(m.Sequence)
	err = c.store.Create(ctx, key, data, nil)
	if err != nil && !errors.Is(err, ErrExists) {
		return linked{}, fmt.Errorf("write manifest %d: %w", m.Sequence, err)
	}
	// A request that was repeated may have met its own first try; and in a bucket that has
	// had versions one run's manifest overwrites another's.
	written := linked{m, Link{m.Sequence, digest}}
	there, readErr := read(ctx, c.store, key, nil, maxManifest)
	switch {
	case readErr != nil && err == nil:
		return written, fmt.Errorf("look whether manifest %d was written: %w", m.Sequence, readErr)
	case readErr != nil || string(there) != string(data):
		return linked{}, fmt.Errorf("write manifest %d: %w", m.Sequence, ErrTaken)
	}
	return written, c.note(ctx, written.Link, m.Observed)
}

// ensureNoted makes sure that the note is not behind a manifest that another follows: so
// it is missing only beside the first, and at most one behind.
func (c *Chain) ensureNoted(ctx context.Context, last linked) error {
	if last.Manifest == nil {
		return nil
	}
	noted, err := c.noted(ctx)
	switch {
	case err == nil && noted.Newest.Sequence >= last.Manifest.Sequence:
		return nil
	case err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrDamaged):
		return err
	}
	return c.note(ctx, last.Link, last.Observed)
}

// note writes which manifest is the newest.
func (c *Chain) note(ctx context.Context, newest Link, checked int64) error {
	data, _, err := seal(
		newestNote{Kind: kindNewest, Version: formatVersion, Cluster: c.cluster, Newest: newest, Checked: checked},
	)
	if err == nil {
		err = c.store.Write(ctx, c.layout.newest(), data)
	}
	if err != nil {
		return fmt.Errorf("note that manifest %d is the newest: %w", newest.Sequence, err)
	}
	return nil
}

// Checked is when a run has last found the backup complete; the zero time where
// nobody has noted it.
func (c *Chain) Checked(ctx context.Context) (time.Time, error) {
	n, err := c.noted(ctx)
	if errors.Is(err, ErrNotFound) {
		return time.Time{}, nil
	}
	return time.UnixMilli(n.Checked), err
}

// noted reads the note of the newest manifest; [ErrNotFound] where there is none.
func (c *Chain) noted(ctx context.Context) (newestNote, error) {
	var n newestNote
	data, err := read(ctx, c.store, c.layout.newest(), nil, maxManifest)
	if err != nil {
		return n, err
	}
	if _, err = unseal(data, &n); err == nil {
		err = head(n.Kind, kindNewest, n.Version, n.Cluster, c.cluster)
	}
	if err == nil && (n.Newest.Sequence < 1 || n.Newest.Sequence >= lastSequence) {
		err = fmt.Errorf("it names manifest %d, and that cannot be", n.Newest.Sequence)
	}
	if err != nil {
		return n, &DamageError{Key: c.layout.newest(), Offset: -1, Reason: err.Error()}
	}
	return n, nil
}
