// Package webhook posts messages to addresses that chat services and others give out.
//
// Such an address is a secret: who has it can post. So it stands in no error and no log.
package webhook

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

// IdempotencyKey is the header by which a receiver knows a message that it has already: the same in every try, and in a
// redelivery.
const IdempotencyKey = "Idempotency-Key"

const (
	defaultTimeout = 10 * time.Second
	defaultTries   = 5
	defaultBackOff = 500 * time.Millisecond
	maxAnswer      = 16 << 10 // of an answer that is read
	maxPause       = 30 * time.Second
)

// Hook is an address to post to. URL has to be set; the zero value of the rest is a good choice.
type Hook struct {
	URL     secret.String
	Timeout time.Duration // of one try, 10 s by default
	Tries   int           // at most, 5 by default
	BackOff time.Duration // before the second try, 500 ms by default; it grows, with jitter
	// Accept looks at the answer of status 2xx, for services that say in it what went wrong; nil takes any. An error that
	// is [Passing] is tried again.
	Accept func(body []byte) error
}

// ErrPassing marks an error of Accept that another try may mend.
var ErrPassing = errors.New("the receiver is busy")

// Check says what is wrong with the address, without showing it.
func (h Hook) Check() error {
	u, err := url.Parse(h.URL.Reveal())
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return errors.New("want an address, https://HOST/PATH")
	}
	return nil
}

// Post sends a message in JSON until it is taken: again, with back-off, after a torn connection, a time-out, 429 and 5xx,
// up to Tries times and not beyond ctx. Where it fails, it may have been taken all the same: only the receiver, by key,
// can tell. Redirects are not followed: a message goes nowhere but to the address.
func (h Hook) Post(ctx context.Context, key string, body []byte) error {
	if err := h.Check(); err != nil {
		return fmt.Errorf("webhook: %w", err)
	}
	client := &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
		Timeout:       orDefault(h.Timeout, defaultTimeout),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval = orDefault(h.BackOff, defaultBackOff)
	tries := 0
	var last error // of a try, where err is that of ctx
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		tries++
		last = h.once(ctx, client, key, body)
		return struct{}{}, last
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(uint(orDefault(h.Tries, defaultTries))), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
		return nil
	case errors.Is(last, err):
		return fmt.Errorf("webhook: after %d tries: %w", tries, err)
	}
	return fmt.Errorf("webhook: after %d tries: %w, the last: %w", tries, err, last)
}

func (h Hook) once(ctx context.Context, client *http.Client, key string, body []byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return backoff.Permanent(withoutURL(err))
	}
	request.Header.Set("Content-Type", "application/json; charset=utf-8")
	request.Header.Set(IdempotencyKey, key)
	request.Header.Set("User-Agent", "scf-etl")
	answer, err := client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return backoff.Permanent(context.Cause(ctx))
		}
		return withoutURL(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	text = bytes.ReplaceAll(text, []byte(request.URL.RequestURI()), []byte("[redacted]")) // some answer with what they were asked
	switch {
	case answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500:
		return later(answer.Header.Get("Retry-After"), refused(answer, text))
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return backoff.Permanent(fmt.Errorf("%s: redirects are not followed: set the address that it leads to", answer.Status))
	case answer.StatusCode < 200 || answer.StatusCode > 299:
		return backoff.Permanent(refused(answer, text))
	case err != nil:
		return fmt.Errorf("read the answer: %w", withoutURL(err))
	case h.Accept == nil:
		return nil
	}
	if err := h.Accept(text); err != nil && !errors.Is(err, ErrPassing) {
		return backoff.Permanent(err)
	} else if err != nil {
		return err
	}
	return nil
}

func refused(answer *http.Response, text []byte) error {
	return fmt.Errorf("the receiver answers %s: %s", answer.Status, excerpt(text))
}

// later waits as long as the receiver says, where that is not too long.
func later(after string, err error) error {
	seconds, parsed := strconv.Atoi(after)
	if pause := time.Duration(seconds) * time.Second; parsed == nil && pause > 0 && pause <= maxPause {
		return fmt.Errorf("%w (%w)", err, backoff.RetryAfter(seconds))
	}
	return err
}

// withoutURL takes the address out of an error of net/http.
func withoutURL(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		return withURL.Err
	}
	return err
}

// excerpt is the begin of an answer, in one line.
func excerpt(text []byte) string {
	line := strings.ToValidUTF8(string(text[:min(len(text), 200)]), "")
	return strings.Join(strings.Fields(line), " ")
}

func orDefault[T int | time.Duration](value, otherwise T) T {
	if value <= 0 {
		return otherwise
	}
	return value
}
