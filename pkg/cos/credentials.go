package cos

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Credentials sign requests. Those of a role are temporary: they have a
// SessionToken and a moment at which they expire.
type Credentials struct {
	// SecretID names the key. It is no secret.
	SecretID string
	// SecretKey signs.
	SecretKey secret.String
	// SessionToken belongs to temporary credentials and is empty otherwise.
	SessionToken secret.String
	// Expires is when the service stops taking them; zero where that is unknown
	// or never.
	Expires time.Time
}

// CredentialsFunc gives the credentials of the next request. Those with Expires
// are kept until a few minutes before it, and given up earlier where the
// service says that they have expired; others are asked for at every request,
// so that a source that renews them unseen is followed. It may be called by
// several goroutines, one at a time.
type CredentialsFunc func(context.Context) (Credentials, error)

// Static gives the same credentials always: a permanent key.
func Static(secretID string, secretKey secret.String) CredentialsFunc {
	return func(context.Context) (Credentials, error) {
		return Credentials{SecretID: secretID, SecretKey: secretKey}, nil
	}
}

// A request that begins with them has to end with them: an upload of a part
// takes seconds, seldom a minute.
const renewBefore = 5 * time.Minute

// credentials keeps what CredentialsFunc gave.
type credentials struct {
	get CredentialsFunc
	now func() time.Time

	mu   sync.Mutex
	kept Credentials
}

func (c *credentials) current(ctx context.Context) (Credentials, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if !c.kept.Expires.IsZero() && now.Before(c.kept.Expires.Add(-renewBefore)) {
		return c.kept, nil
	}
	fresh, err := c.get(ctx)
	switch {
	case err != nil && now.Before(c.kept.Expires):
		return c.kept, nil // why: the last minutes are there to survive a source that fails
	case err != nil:
		return Credentials{}, &credentialsError{fmt.Errorf("get credentials: %w", err)}
	case fresh.SecretID == "" || fresh.SecretKey.Empty():
		return Credentials{}, &credentialsError{errors.New("the credentials lack a SecretId or a SecretKey")}
	case !printable(fresh.SecretID) || !printable(fresh.SecretKey.Reveal()) || !printable(fresh.SessionToken.Reveal()):
		return Credentials{}, &credentialsError{errors.New("the credentials have a space or a line break in them")}
	case !fresh.Expires.IsZero() && !now.Before(fresh.Expires):
		return Credentials{}, &credentialsError{fmt.Errorf("the credentials have expired at %s: %w",
			fresh.Expires.UTC().Format(time.RFC3339), ErrExpired)}
	}
	c.kept = fresh
	return fresh, nil
}

// drop forgets what is kept, because the service does not take it any more.
func (c *credentials) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kept = Credentials{}
}

func printable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' })
}

// credentialsError is a request that was not sent for want of credentials.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }
