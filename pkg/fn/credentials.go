package fn

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

// The environment keys in which SCF hands an invocation the temporary credentials of the function's execution role.
const (
	secretIDKey     = "TENCENTCLOUD_SECRETID"
	secretKeyKey    = "TENCENTCLOUD_SECRETKEY"
	sessionTokenKey = "TENCENTCLOUD_SESSIONTOKEN"
)

// Credentials are the temporary keys of the function's execution role. They change from invocation to invocation:
// take them with [CredentialsFrom] for each request, and never keep them in a client. Printing shows no value.
type Credentials struct {
	SecretID     secret.String
	SecretKey    secret.String
	SessionToken secret.String // empty for long-lived keys, as on a laptop
}

// String shows no value.
func (c Credentials) String() string { return "credentials " + redacted }

// CredentialsFrom gives the credentials that arrived with the invocation whose context ctx is, or else those that the
// process was started with. Those of another invocation are never given. Without any it is ErrNoCredentials.
func CredentialsFrom(ctx context.Context) (Credentials, error) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return Credentials{}, ErrNoCredentials
	}
	credentials := c.credentials()
	if credentials.SecretID.Empty() || credentials.SecretKey.Empty() {
		return Credentials{}, ErrNoCredentials
	}
	return credentials, nil
}

func (c *call) credentials() Credentials {
	from := c.started
	if c.own[secretIDKey] != "" {
		from = c.own // why the whole set: an old token beside a new key would be refused
	}
	return Credentials{
		SecretID:     secret.New(from[secretIDKey]),
		SecretKey:    secret.New(from[secretKeyKey]),
		SessionToken: secret.New(from[sessionTokenKey]),
	}
}

func (c Credentials) values() []string {
	return []string{c.SecretID.Reveal(), c.SecretKey.Reveal(), c.SessionToken.Reveal()}
}
