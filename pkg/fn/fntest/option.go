package fntest

import (
	"maps"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn"
)

// Option changes what the platform sends with an invocation.
type Option func(*invocation)

type invocation struct {
	fn.Invocation
	environment map[string]string
}

// WithTimeLimit is how long the invocation may take, instead of a minute. The handler's context ends
// ETL_DEADLINE_MARGIN earlier.
func WithTimeLimit(limit time.Duration) Option {
	return func(i *invocation) { i.TimeLimit = limit }
}

// WithRequestID is the id of the invocation, instead of a counted one.
func WithRequestID(id string) Option {
	return func(i *invocation) { i.RequestID = id }
}

// WithEnvironment adds to what arrives with this invocation, or replaces it key by key.
func WithEnvironment(environment map[string]string) Option {
	return func(i *invocation) {
		if i.environment == nil {
			i.environment = map[string]string{}
		}
		maps.Copy(i.environment, environment)
	}
}

// WithCredentials are the temporary keys of the function's execution role, for fn.CredentialsFrom. Without the option
// there are none.
func WithCredentials(secretID, secretKey, sessionToken string) Option {
	return WithEnvironment(map[string]string{
		"TENCENTCLOUD_SECRETID":     secretID,
		"TENCENTCLOUD_SECRETKEY":    secretKey,
		"TENCENTCLOUD_SESSIONTOKEN": sessionToken,
	})
}
