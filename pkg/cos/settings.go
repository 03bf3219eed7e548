package cos

import (
	"cmp"
	"errors"
)

// Settings name a bucket in the environment of a function, with a prefix.
type Settings struct {
	Bucket   string `env:"BUCKET" doc:"bucket of COS, with its APPID: NAME-1250000000"`
	Region   string `env:"REGION" doc:"region of the bucket, such as ap-guangzhou; empty: that of the function"`
	Endpoint string `env:"ENDPOINT" doc:"address to reach COS at instead of the service, such as http://localhost:9436"`
}

// Config is what Open wants. region is that of the function, for settings that name none.
func (s Settings) Config(region string, credentials CredentialsFunc) Config {
	return Config{Bucket: s.Bucket, Region: cmp.Or(s.Region, region), Endpoint: s.Endpoint, Credentials: credentials}
}

// Validate refuses a region or an endpoint without a bucket. The rest is checked by Open.
func (s Settings) Validate() error {
	if s.Bucket == "" && (s.Region != "" || s.Endpoint != "") {
		return errors.New("REGION and ENDPOINT are those of a bucket: BUCKET is missing")
	}
	return nil
}
