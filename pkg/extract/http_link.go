package extract

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// link is the address of the next page as a page has it in its header Link; "" where it
// has none. On the host of the file it is kept without that.
func (s *httpSource) link(a answer) (string, error) {
	target := linkTarget(a.header, s.paging.rel)
	if target == "" {
		return "", nil
	}
	u, err := a.url.Parse(target)
	if err != nil {
		return "", refusal("its header Link has no address: %.100q", target)
	}
	u.Fragment, u.RawFragment = "", ""
	if err := s.allowed(a.url, u); err != nil {
		return "", fmt.Errorf("the next page: %w", err)
	}
	// why not of a path that begins with two: without the host the rest of it would be one
	if u.Scheme == s.url.Scheme && u.Host == s.url.Host && !strings.HasPrefix(u.RequestURI(), "//") {
		return u.RequestURI(), nil
	}
	return u.String(), nil
}

// linkTarget finds the target of a relation in headers Link (RFC 8288); "" where there
// is none. What cannot be read ends the header it is in.
func linkTarget(h http.Header, rel string) string {
	for _, value := range h.Values("Link") {
		for value != "" {
			var target string
			var relations []string
			if target, relations, value = cutLink(value); target == "" {
				break
			}
			for _, r := range relations {
				if strings.EqualFold(r, rel) {
					return target
				}
			}
		}
	}
	return ""
}

// cutLink reads the first link of a header.
func cutLink(value string) (target string, relations []string, rest string) {
	value = strings.TrimLeft(value, " \t,")
	if !strings.HasPrefix(value, "<") {
		return "", nil, ""
	}
	target, value, ok := strings.Cut(value[1:], ">")
	if !ok {
		return "", nil, ""
	}
	found := false
	for {
		value = strings.TrimLeft(value, " \t")
		if !strings.HasPrefix(value, ";") {
			break
		}
		var name, text string
		name, text, value = cutParameter(value[1:])
		if strings.EqualFold(name, "rel") && !found { // the first counts (RFC 8288, 3.3)
			found, relations = true, strings.Fields(text)
		}
	}
	_, rest, _ = strings.Cut(value, ",")
	return strings.TrimSpace(target), relations, rest
}

// cutParameter reads name=value or name="value".
func cutParameter(s string) (name, value, rest string) {
	end := strings.IndexAny(s, "=;,")
	if end < 0 {
		return strings.TrimSpace(s), "", ""
	}
	name, rest = strings.TrimSpace(s[:end]), s[end:]
	if rest[0] != '=' {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if !strings.HasPrefix(rest, `"`) {
		end = strings.IndexAny(rest, ";,")
		if end < 0 {
			end = len(rest)
		}
		return name, strings.TrimSpace(rest[:end]), rest[end:]
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '"':
			return name, b.String(), rest[i+1:]
		case c == '\\' && i+1 < len(rest):
			i++
			b.WriteByte(rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return name, b.String(), ""
}

// mostRedirects is how often one request is sent on.
const mostRedirects = 10

// allowed says whether the source may point from one address to another.
func (s *httpSource) allowed(from, to *url.URL) error {
	switch {
	case to.Scheme != "http" && to.Scheme != "https" || to.Host == "":
		return permanent{fmt.Errorf("%w: the source points to %.60q, which is neither http nor https", ErrPolicy, to.Scheme+":")}
	case from.Scheme == "https" && to.Scheme == "http":
		return permanent{fmt.Errorf("%w: the source points from https to %s, without TLS", ErrPolicy, plain(to))}
	case s.redirects == redirectsAny || s.sameHost(to):
		return nil
	}
	return permanent{fmt.Errorf("%w: %s: the source points to %s; redirects: any follows without headers and auth", ErrPolicy, s.redirects, plain(to))}
}

// sameHost says whether an address is on the host of the file, which alone gets its
// headers. One that has gone from http to https is the same.
func (s *httpSource) sameHost(u *url.URL) bool {
	return u.Host == s.url.Host && (u.Scheme == s.url.Scheme || u.Scheme == "https") ||
		u.Hostname() == s.url.Hostname() && u.Scheme == "https" && s.url.Scheme == "http" && defaultPort(u) && defaultPort(s.url)
}

func defaultPort(u *url.URL) bool {
	return u.Port() == "" || u.Scheme == "http" && u.Port() == "80" || u.Scheme == "https" && u.Port() == "443"
}
