package main

import (
	"context"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// The variables of the keys with which commands speak to the cloud, as for sls deploy.
const (
	secretIDVariable  = "TENCENTCLOUD_SECRET_ID"
	secretKeyVariable = "TENCENTCLOUD_SECRET_KEY"
	tokenVariable     = "TENCENTCLOUD_TOKEN" // of temporary keys alone
)

// cosCredentials are those of the environment; nil where it has none.
func (a *app) cosCredentials() cos.CredentialsFunc {
	keys := cos.Credentials{
		SecretID:     a.environ[secretIDVariable],
		SecretKey:    secret.New(a.environ[secretKeyVariable]),
		SessionToken: secret.New(a.environ[tokenVariable]),
	}
	if keys.SecretID == "" {
		return nil
	}
	return func(context.Context) (cos.Credentials, error) { return keys, nil }
}
