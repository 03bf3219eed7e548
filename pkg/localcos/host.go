package localcos

import (
	"net"
	"strings"
)

// splitHost finds the bucket in a host name: the first label of
// BUCKET.cos.REGION.myqcloud.com, BUCKET.localhost:9436 and the like. The names
// of the service itself, and addresses, have none.
func splitHost(host string) (bucket string) {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(host, "[]")
	label, rest, dotted := strings.Cut(host, ".")
	if !dotted || rest == "" || net.ParseIP(host) != nil || label == "service" || label == "cos" {
		return ""
	}
	return label
}

// location is the host name that the service would have for a bucket.
func (s *Server) location(bucket string) string {
	return bucket + ".cos." + s.config.Region + ".myqcloud.com"
}
