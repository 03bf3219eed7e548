package cos

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

const (
	// MinPartSize is the smallest part of a multipart upload but the last:
	// 1 MB (COS, "Upload Part").
	MinPartSize = 1 << 20
	// MaxParts is the largest number of parts of an upload (COS, "Upload Part").
	MaxParts = 10_000

	defaultPartSize    = 8 << 20
	defaultConcurrency = 3
	defaultRetries     = 5
	defaultBackOff     = 200 * time.Millisecond
	defaultStall       = 30 * time.Second
	// A simple copy takes at most 5 GB (COS, "PUT Object - Copy").
	defaultCopyLimit = 5 << 30
)

// Config says which bucket, where and how. Bucket, Region and Credentials have
// to be set; the zero value of the others is a good choice.
type Config struct {
	// Bucket is the full name, with the APPID: "backup-1250000000".
	Bucket string
	// Region is the long name: "ap-guangzhou".
	Region string
	// Endpoint is an address to dial in place of the service, with its scheme:
	// "http://localhost:9436" for pkg/localcos. The requests keep the host name
	// of the service. "" is the service, over https.
	Endpoint string
	// Credentials signs the requests. See CredentialsFunc.
	Credentials CredentialsFunc
	// PartSize is the size in bytes above which a body is uploaded in parts, and
	// of each part; 8 MiB by default, at least MinPartSize.
	PartSize int64
	// Concurrency is how many parts of a body are under way at once, 3 by
	// default. A Put holds at most Concurrency+1 buffers of PartSize.
	Concurrency int
	// Retries is how often a request is repeated after an answer of 5xx, a wrong
	// checksum or a torn connection, 5 by default; negative is never.
	Retries int
	// BackOff is the pause before the first repeat, 200 ms by default; it doubles,
	// with jitter, up to 25 times that.
	BackOff time.Duration
	// Stall is how long a connection may move no byte before it counts as torn,
	// 30 s by default.
	Stall time.Duration
	// CopyLimit is the size above which Copy goes in parts, 5 GB by default, which
	// is the most that the service copies at once.
	CopyLimit int64
	// Now is the clock that signs and that credentials expire by; time.Now by
	// default.
	Now func() time.Time
	// WriteID makes the id by which a writer knows its own object again; random by
	// default. See PutOptions.IfAbsent.
	WriteID func() string
}

// Bucket is one bucket. It is safe for use by several goroutines.
type Bucket struct {
	config      Config
	client      *sdk.Client
	credentials *credentials
	buffers     sync.Pool // of *[]byte with PartSize bytes
	connections *http.Transport
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,48}[a-z0-9])?-[0-9]{1,20}$`)
	regionName = regexp.MustCompile(`^[a-z]{2,}(-[a-z0-9]+)+$`)
)

// Open checks the configuration; every fault is named. It sends nothing: a
// bucket that does not exist is found by the first call.
func Open(config Config) (*Bucket, error) {
	endpoint, err := config.check()
	if err != nil {
		return nil, fmt.Errorf("open COS bucket %q: %w", config.Bucket, err)
	}
	b := &Bucket{config: config.withDefaults()}
	scheme := "https"
	if endpoint != nil {
		scheme = endpoint.Scheme
	}
	host := b.config.Bucket + ".cos." + b.config.Region + ".myqcloud.com"
	b.credentials = &credentials{get: b.config.Credentials, now: b.config.Now}
	b.connections = connections(endpoint, b.config.Stall)
	b.client = sdk.NewClient(&sdk.BaseURL{
		BucketURL: &url.URL{Scheme: scheme, Host: host},
		// why: left out, the SDK sets one at the real service
		ServiceURL: &url.URL{Scheme: scheme, Host: "service.cos.myqcloud.com"},
	}, &http.Client{Transport: &transport{base: b.connections, credentials: b.credentials, now: b.config.Now}})
	// The checks and repeats of the SDK are less than ours: its checksum error has
	// no type, and it repeats without a pause and not where a body is streamed.
	b.client.Conf.EnableCRC = false
	b.client.Conf.RetryOpt.Count = 1
	b.client.Conf.ObjectKeySimplifyCheck = false // checkKey does more
	b.buffers.New = func() any {
		buffer := make([]byte, b.config.PartSize)
		return &buffer
	}
	return b, nil
}

// Name is the bucket's full name, as Config has it.
func (b *Bucket) Name() string { return b.config.Bucket }

// Close closes the connections that are idle. Calls under way go on.
func (b *Bucket) Close() { b.connections.CloseIdleConnections() }

func (c Config) check() (endpoint *url.URL, err error) {
	var faults []error
	if !bucketName.MatchString(c.Bucket) {
		faults = append(faults, fmt.Errorf(
			"bucket %q: want NAME-APPID, in small letters, digits and '-', like backup-1250000000", c.Bucket))
	}
	if !regionName.MatchString(c.Region) {
		faults = append(faults, fmt.Errorf("region %q: want the long name, like ap-guangzhou", c.Region))
	}
	if c.Credentials == nil {
		faults = append(faults, errors.New("credentials are missing: set a SecretId and a SecretKey"))
	}
	if c.PartSize != 0 && c.PartSize < MinPartSize {
		faults = append(faults, fmt.Errorf("part size %d: want at least %d (1 MiB)", c.PartSize, MinPartSize))
	}
	if c.Concurrency < 0 {
		faults = append(faults, fmt.Errorf("concurrency %d: want at least 1", c.Concurrency))
	}
	if c.Endpoint != "" {
		endpoint, err = url.Parse(c.Endpoint)
		if err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Hostname() == "" ||
			strings.Trim(endpoint.Path, "/") != "" || endpoint.RawQuery != "" || endpoint.User != nil {
			faults = append(faults, errors.New("endpoint: want a scheme and an address, like http://localhost:9436"))
		}
	}
	return endpoint, errors.Join(faults...)
}

func (c Config) withDefaults() Config {
	if c.PartSize == 0 {
		c.PartSize = defaultPartSize
	}
	if c.Concurrency == 0 {
		c.Concurrency = defaultConcurrency
	}
	if c.Retries == 0 {
		c.Retries = defaultRetries
	}
	if c.BackOff <= 0 {
		c.BackOff = defaultBackOff
	}
	if c.Stall <= 0 {
		c.Stall = defaultStall
	}
	if c.CopyLimit <= 0 {
		c.CopyLimit = defaultCopyLimit
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.WriteID == nil {
		c.WriteID = rand.Text
	}
	return c
}
