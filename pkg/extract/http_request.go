package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// answer is a whole one.
type answer struct {
	status    int
	header    http.Header
	body      []byte
	url       *url.URL // that gave it, behind redirects
	unchanged bool     // 304
}

// defaultRetryFor bounds how long a source that fails is asked again.
const defaultRetryFor = 30 * time.Second

// mostWait bounds how long a run waits because the source wants that.
const mostWait = 5 * time.Minute

// get asks for a page until it has one, the error is none that time mends, or there is
// no time. known is what tells whether it has changed.
func (s *httpSource) get(ctx context.Context, u *url.URL, name string, known validators) (answer, error) {
	delays := backoff.NewExponentialBackOff()
	delays.InitialInterval, delays.MaxInterval = 200*time.Millisecond, 5*time.Second
	for since := time.Now(); ; {
		a, err := s.once(ctx, u, known)
		if err == nil {
			return a, nil
		}
		err = fmt.Errorf("%s: %w", name, err)
		var final permanent
		var slow *slowDown
		delay := delays.NextBackOff()
		if errors.As(err, &final) || ctx.Err() != nil {
			return answer{}, err
		}
		if errors.As(err, &slow) && slow.asked {
			delay = max(slow.delay, delay) // why: it may ask for no time at all, again and again
			if deadline, ok := ctx.Deadline(); delay > mostWait || ok && time.Until(deadline) < delay+time.Second {
				return answer{}, &waitError{time.Now().Add(delay), slow.Error()}
			}
			since = since.Add(slow.delay) // what it has asked for does not count
		}
		if time.Since(since)+delay > s.retryFor {
			return answer{}, err
		}
		if ended := s.wait(ctx, delay); ended != nil {
			return answer{}, fmt.Errorf("%w, after: %w", ended, err)
		}
	}
}

// pause waits, or until the context ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// slowDown is the answer of a source that wants to be asked later.
type slowDown struct {
	status int
	asked  bool // it says when
	delay  time.Duration
}

func (s *slowDown) Error() string {
	return fmt.Sprintf("it answers %d %s", s.status, http.StatusText(s.status))
}

// once asks, and follows redirects.
func (s *httpSource) once(ctx context.Context, u *url.URL, known validators) (answer, error) {
	if err := s.limiter.Wait(ctx); err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	for range mostRedirects {
		response, err := s.send(ctx, u, known)
		if err != nil {
			return answer{}, fmt.Errorf("%w: %w", ErrSource, err)
		}
		to, err := s.redirected(response, u)
		if err == nil && to == nil {
			return s.answer(response, u, known)
		}
		response.Body.Close()
		if err != nil {
			return answer{}, err
		}
		u = to
	}
	return answer{}, refusal("it redirects more than %d times", mostRedirects)
}

func (s *httpSource) send(ctx context.Context, u *url.URL, known validators) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, errors.New("the address is none")
	}
	if s.sameHost(u) {
		request.Header = s.headers.Clone()
		if s.auth.header != "" {
			request.Header.Set(s.auth.header, s.auth.value.Reveal())
		}
	}
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", "scf-etl")
	}
	if known.ETag != "" {
		request.Header.Set("If-None-Match", known.ETag)
	}
	if known.Modified != "" {
		request.Header.Set("If-Modified-Since", known.Modified)
	}
	response, err := s.client.Do(request)
	var shown *url.Error
	if errors.As(err, &shown) {
		err = shown.Err // why: the address with its query is in the text
	}
	if err != nil && refusedTLS(err) {
		err = permanent{err}
	}
	return response, err
}

// redirected is where an answer points to; nil where it is one.
func (s *httpSource) redirected(r *http.Response, from *url.URL) (*url.URL, error) {
	switch r.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil, nil
	}
	to, err := from.Parse(r.Header.Get("Location"))
	if err != nil || r.Header.Get("Location") == "" {
		return nil, refusal("it answers %d without an address", r.StatusCode)
	}
	if s.redirects == redirectsNone {
		return nil, permanent{fmt.Errorf("%w: none: the source redirects to %s", ErrPolicy, plain(to))}
	}
	return to, s.allowed(from, to)
}

// answer reads a whole answer, or says why it is none.
func (s *httpSource) answer(r *http.Response, u *url.URL, known validators) (answer, error) {
	defer r.Body.Close()
	a := answer{status: r.StatusCode, header: r.Header, url: u}
	if a.status == http.StatusNotModified && (known.ETag != "" || known.Modified != "") {
		a.unchanged = true
		return a, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(s.maxBytes)+1))
	switch {
	case a.status == http.StatusOK || a.status == http.StatusNoContent:
	default:
		return a, s.failed(r, s.secrets.body(body))
	}
	switch {
	case err != nil:
		return a, fmt.Errorf("%w: the answer ends in the middle, after %d bytes: %w", ErrSource, len(body), err)
	case len(body) > s.maxBytes:
		return a, refusal("the answer is larger than %d bytes: ask for smaller pages, or raise max_bytes", s.maxBytes)
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "text/html" || kind == "application/xhtml+xml" {
		return a, refusal("it answers HTML, where %s is wanted: %s", s.format.kind, excerpt(s.secrets.body(body)))
	}
	if s.format.kind != formatJSON && endUnknown(r) {
		return a, refusal("the answer says not where it ends (neither Content-Length nor chunks): half of it could not be told from the whole")
	}
	a.body = body
	return a, nil
}

// endUnknown says that only the end of the connection ends an answer.
func endUnknown(r *http.Response) bool {
	return r.ContentLength < 0 && len(r.TransferEncoding) == 0 && r.ProtoMajor == 1 && !r.Uncompressed
}

// failed says what an answer with a status that is none of success means.
func (s *httpSource) failed(r *http.Response, body []byte) error {
	switch r.StatusCode {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		slow := &slowDown{status: r.StatusCode}
		slow.delay, slow.asked = retryAfter(r.Header)
		return fmt.Errorf("%w: %w", ErrSource, slow)
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return fmt.Errorf("%w: it answers %s: %s", ErrSource, r.Status, excerpt(body))
	case http.StatusUnauthorized, http.StatusForbidden:
		if s.auth.header == "" {
			return refusal("it answers %s: write auth: {header: Authorization, env: NAME}", r.Status)
		}
		return refusal("it answers %s to the header %s that auth gives it", r.Status, s.auth.header)
	}
	return refusal("it answers %s: %s", r.Status, excerpt(body))
}

// retryAfter reads the header of RFC 9110, 10.2.3. A date counts from the source's own
// clock, where it says what that is.
func retryAfter(h http.Header) (time.Duration, bool) {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(at.Sub(now), 0), true
}
