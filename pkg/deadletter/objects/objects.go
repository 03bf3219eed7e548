// Package objects keeps the records of dead letters in buckets of COS, for
// package deadletter: each an object below deadletter/, that is written before its
// letter is and found by the URL that the letter has.
package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/deadletter"
)

// prefix begins the key of each object. A function whose trigger watches the bucket
// has to leave it out.
const prefix = "deadletter/"

// mostBytes bounds what is read of an object: the largest batch that a broker can be
// set to take is 2 GB, and no record in it is larger than this in practice.
const mostBytes = 256 << 20

// Store puts records into one bucket, and gets them from any. It is safe for use by
// several goroutines.
type Store struct {
	config cos.Config // Bucket is "" for one that only gets

	mu      sync.Mutex
	buckets map[place]*cos.Bucket
}

type place struct{ bucket, region string }

// New gives a store that puts records into the bucket of config. Without a bucket it
// only gets: each object from the bucket and the region that its URL names, by the
// endpoint and with the credentials of config. Nothing is sent.
func New(config cos.Config) (*Store, error) {
	s := &Store{config: config, buckets: map[place]*cos.Bucket{}}
	if config.Bucket == "" {
		return s, nil
	}
	_, err := s.open(place{config.Bucket, config.Region})
	return s, err
}

func (s *Store) open(at place) (*cos.Bucket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.buckets[at]; b != nil {
		return b, nil
	}
	config := s.config
	config.Bucket, config.Region = at.bucket, at.region
	b, err := cos.Open(config)
	if err == nil {
		s.buckets[at] = b
	}
	return b, err
}

// Put keeps the record of a letter.
func (s *Store) Put(ctx context.Context, key string, content []byte) (string, error) {
	at := place{s.config.Bucket, s.config.Region}
	b, err := s.open(at)
	if err != nil {
		return "", err
	}
	if _, err := b.Put(ctx, prefix+key, bytes.NewReader(content), cos.PutOptions{}); err != nil {
		return "", err
	}
	return (&url.URL{Scheme: "https", Host: at.bucket + ".cos." + at.region + ".myqcloud.com", Path: "/" + prefix + key}).String(), nil
}

// host is what Put makes of a bucket and a region.
var host = regexp.MustCompile(`^([a-z0-9-]+)\.cos\.([a-z0-9-]+)\.myqcloud\.com$`)

// Get gives the record of a letter, [deadletter.ErrNoObject] where it is gone. A URL
// that Put has not made is refused: letters are what somebody wrote into a topic.
func (s *Store) Get(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("%.300q is no URL of an object: %w", address, err)
	}
	names := host.FindStringSubmatch(u.Host)
	key, below := strings.CutPrefix(u.Path, "/"+prefix)
	if names == nil || !below || u.Scheme != "https" || u.RawQuery != "" || u.User != nil || u.Fragment != "" {
		return nil, fmt.Errorf("%.300q is no URL of a dead letter's object: want one that begins with https://BUCKET.cos.REGION.myqcloud.com/%s", address, prefix)
	}
	b, err := s.open(place{names[1], names[2]})
	if err != nil {
		return nil, err
	}
	body, o, err := b.Get(ctx, prefix+key)
	if errors.Is(err, cos.ErrNotFound) {
		err = fmt.Errorf("%w: %w", deadletter.ErrNoObject, err)
	}
	if err != nil {
		return nil, err
	}
	defer body.Close()
	if o.Size > mostBytes {
		return nil, fmt.Errorf("%.300s has %d bytes, no record has more than %d", address, o.Size, mostBytes)
	}
	content, err := io.ReadAll(io.LimitReader(body, mostBytes+1))
	if err == nil && len(content) > mostBytes {
		err = fmt.Errorf("%.300s has more than %d bytes, which no record has", address, mostBytes)
	}
	return content, err
}

// Close closes idle connections.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.buckets {
		b.Close()
	}
}

var _ deadletter.Objects = (*Store)(nil)
