package cos

import (
	"errors"

	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Place names a bucket in the environment of a function, with a prefix, and by which key it is reached.
type Place struct {
	Bucket    string        `env:"BUCKET" doc:"bucket of COS, with its APPID: NAME-1250000000"`
	Region    string        `env:"REGION" envDefault:"ap-guangzhou" doc:"region of the bucket"`
	Endpoint  string        `env:"ENDPOINT" doc:"address in place of the service, as of a local one: http://localhost:9436"`
	SecretID  string        `env:"SECRET_ID" doc:"SecretId of a key; without it the function's role is used"`
	SecretKey secret.String `env:"SECRET_KEY" doc:"SecretKey of that key"`
}

// Validate names every wrong field, without its prefix.
func (p Place) Validate() error {
	var faults []error
	if p.Bucket == "" {
		faults = append(faults, errors.New("BUCKET is missing: a bucket with its APPID, as NAME-1250000000"))
	}
	if (p.SecretID == "") != p.SecretKey.Empty() {
		faults = append(faults, errors.New("SECRET_ID and SECRET_KEY belong together: set both or none"))
	}
	return errors.Join(faults...)
}

// Open opens the bucket. role gives the credentials where no key is set. It sends nothing.
func (p Place) Open(role CredentialsFunc) (*Bucket, error) {
	credentials := role
	if p.SecretID != "" {
		credentials = Static(p.SecretID, p.SecretKey)
	}
	return Open(Config{Bucket: p.Bucket, Region: p.Region, Endpoint: p.Endpoint, Credentials: credentials})
}
