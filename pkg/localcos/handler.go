package localcos

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Names of headers, as net/http has them.
const (
	crcHeader  = "X-Cos-Hash-Crc64ecma"
	metaPrefix = "X-Cos-Meta-"
	copySource = "X-Cos-Copy-Source"
)

// maxKey is the longest key in bytes (COS, "Object Overview").
const maxKey = 850

// call is one request.
type call struct {
	s          *Server
	w          http.ResponseWriter
	r          *http.Request
	id         string
	query      url.Values
	bucketName string
	key        string
	bucket     *bucket // nil where the operation is not one on an existing bucket
}

// ServeHTTP answers one request of the COS API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.gate.RLock()
	defer s.gate.RUnlock()
	select {
	case <-s.closed: // why: the folder may be another's now
		http.Error(w, "the COS server is closed", http.StatusServiceUnavailable)
		return
	default:
	}
	c := &call{s: s, w: w, r: r, id: s.config.NewID(), bucketName: splitHost(r.Host)}
	c.key = strings.TrimPrefix(r.URL.Path, "/")
	w.Header().Set("X-Cos-Request-Id", c.id)
	w.Header().Set("Server", "tencent-cos")
	c.w = &wireWriter{w}
	var fault *Fault
	if s.config.Fault != nil {
		fault = s.config.Fault(r)
	}
	if fault != nil {
		c.w = &faultyWriter{ResponseWriter: c.w, fault: fault}
		if err := fault.before(r, s.closed); err != nil {
			c.fail(err)
			return
		}
	}
	if err := c.serve(); err != nil {
		c.fail(err)
	}
}

func (c *call) serve() (err error) {
	if c.query, err = parseQuery(c.r.URL.RawQuery); err != nil {
		return err
	}
	if err := c.s.authorize(c.r, c.query); err != nil {
		return err
	}
	for name := range c.query {
		if strings.HasPrefix(name, "q-") || name == "sign" || name == "x-cos-security-token" {
			c.query.Del(name)
		}
	}
	if c.bucketName == "" && c.key != "" {
		return invalidArgument("The host name has no bucket: want BUCKET.cos.REGION.myqcloud.com or BUCKET.localhost.")
	}
	operation := c.operation()
	if operation == nil {
		return errMethodNotAllowed
	}
	if c.bucketName != "" && !c.creates() {
		if c.bucket, err = c.s.bucket(c.bucketName); err != nil {
			return err
		}
	}
	if len(c.key) > maxKey {
		return refuse(http.StatusBadRequest, "KeyTooLong", "Your key is too long.")
	}
	return operation(c)
}

// parseQuery is as url.ParseQuery, but takes a ';' for what it is: signatures
// have it, and not every SDK escapes it.
func parseQuery(text string) (url.Values, error) {
	query := url.Values{}
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(name)
		value, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			return nil, invalidArgument("The query of the URL is not escaped as it should be.")
		}
		query.Add(name, value)
	}
	return query, nil
}

func (c *call) creates() bool {
	return c.key == "" && c.r.Method == http.MethodPut && len(c.query) == 0
}

// routes are the operations: the parameter that names one, which may be the
// first of several, then the method. "" is without any.
type routes map[string]map[string]func(*call) error

func (c *call) operation() func(*call) error {
	table, order := objectRoutes(), []string{"uploads", "uploadId", "append", "tagging"}
	switch {
	case c.bucketName == "":
		table, order = routes{"": {http.MethodGet: (*call).listBuckets}}, nil
	case c.key == "":
		table, order = bucketRoutes(), []string{"lifecycle", "uploads", "delete", "location", "versioning"}
	}
	for _, name := range order {
		if c.query.Has(name) {
			return table[name][c.r.Method]
		}
	}
	for _, name := range lacking() { // why: they must not be taken for the operation without them
		if c.query.Has(name) {
			return func(*call) error { return errNotImplemented }
		}
	}
	return table[""][c.r.Method]
}

func bucketRoutes() routes {
	return routes{
		"": {
			http.MethodPut: (*call).putBucket, http.MethodGet: (*call).listObjects,
			http.MethodHead: (*call).headBucket, http.MethodDelete: (*call).deleteBucket,
		},
		"lifecycle": {
			http.MethodPut: (*call).putLifecycle, http.MethodGet: (*call).getLifecycle,
			http.MethodDelete: (*call).deleteLifecycle,
		},
		"uploads":    {http.MethodGet: (*call).listUploads},
		"delete":     {http.MethodPost: (*call).deleteObjects},
		"location":   {http.MethodGet: (*call).getLocation},
		"versioning": {http.MethodGet: (*call).getVersioning},
	}
}

func objectRoutes() routes {
	return routes{
		"": {
			http.MethodPut: (*call).put, http.MethodGet: (*call).get, http.MethodHead: (*call).get,
			http.MethodDelete: (*call).deleteObject,
		},
		"uploads": {http.MethodPost: (*call).initiateUpload},
		"uploadId": {
			http.MethodPut: (*call).putPart, http.MethodGet: (*call).listParts,
			http.MethodPost: (*call).completeUpload, http.MethodDelete: (*call).abortUpload,
		},
		"append":  {http.MethodPost: (*call).appendObject},
		"tagging": {http.MethodPut: (*call).putTags, http.MethodGet: (*call).getTags, http.MethodDelete: (*call).deleteTags},
	}
}

// lacking names the operations of the service that are not here.
func lacking() []string {
	return []string{
		"acl", "policy", "cors", "website", "versions", "replication", "restore", "select", "inventory", "logging",
		"encryption", "domain", "domaincertificate", "origin", "referer", "accelerate", "object-lock", "retention",
		"intelligenttiering", "intelligent-tiering", "tagging", "ci-process", "symlink", "rename", "torrent", "notification",
		"versioning", "lifecycle", "delete", "location",
	}
}

// xml answers with a document.
func (c *call) xml(status int, document any) {
	text, err := xml.Marshal(document)
	if err != nil {
		c.s.config.Log.Error("an answer cannot be written", "error", err)
		c.w.WriteHeader(http.StatusInternalServerError)
		return
	}
	text = append([]byte(xml.Header), text...)
	c.w.Header().Set("Content-Type", "application/xml")
	c.w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	c.w.WriteHeader(status)
	_, _ = c.w.Write(text) // the client may have left
}

// maxDocument bounds the XML of a request: 10,000 parts, or 1000 keys.
const maxDocument = 4 << 20

// readXML reads the document of a request.
func (c *call) readXML(into any) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(&requestBody{c.r.Body}, maxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxDocument {
		return nil, refuse(http.StatusBadRequest, "EntityTooLarge", "The document is larger than %d bytes.", maxDocument)
	}
	if xml.Unmarshal(text, into) != nil {
		return nil, errMalformedXML
	}
	return text, nil
}

func (c *call) noContent() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// number reads a parameter from low to high; fallback where it is not there.
func (c *call) number(name string, fallback, low, high int) (int, error) {
	text := c.query.Get(name)
	if text == "" {
		return fallback, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low {
		return 0, invalidArgument("%s must be a number of at least %d.", name, low)
	}
	return min(n, high), nil
}

// encoding is the parameter encoding-type, and what it does to a key.
func (c *call) encoding() (name string, encode func(string) string, err error) {
	switch name = c.query.Get("encoding-type"); name {
	case "":
		return "", func(key string) string { return key }, nil
	case "url":
		return name, func(key string) string { return strings.ReplaceAll(escape(key), "%2F", "/") }, nil
	}
	return "", nil, invalidArgument("encoding-type must be url.")
}
