package backup

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"filippo.io/age"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// Place says where backups are, as functions and commands read it from their
// environment.
type Place struct {
	Bucket    string        `env:"BUCKET" doc:"bucket of the backups, with its APPID: backup-1250000000. It must never have had versions"`
	Region    string        `env:"REGION" envDefault:"ap-guangzhou" doc:"region of the bucket"`
	Endpoint  string        `env:"ENDPOINT" doc:"address in place of the service, as of a local one: http://localhost:9436"`
	Prefix    string        `env:"PREFIX" envDefault:"backup" doc:"folder in the bucket"`
	SecretID  string        `env:"SECRET_ID" doc:"SecretId of a key; without it the function's role is used"`
	SecretKey secret.String `env:"SECRET_KEY" doc:"SecretKey of that key"`
}

// Validate names every wrong field, without its prefix.
func (p Place) Validate() error {
	var faults []error
	if p.Bucket == "" {
		faults = append(faults, errors.New("BUCKET is missing: the bucket of the backups, as backup-1250000000"))
	}
	if (p.SecretID == "") != p.SecretKey.Empty() {
		faults = append(faults, errors.New("SECRET_ID and SECRET_KEY belong together: set both or none"))
	}
	return errors.Join(faults...)
}

// Open opens the bucket. role gives the credentials where no key is set. It sends nothing.
func (p Place) Open(role cos.CredentialsFunc) (Store, error) {
	credentials := role
	if p.SecretID != "" {
		credentials = cos.Static(p.SecretID, p.SecretKey)
	}
	b, err := cos.Open(
		cos.Config{
			Bucket:      p.Bucket,
			Region:      p.Region,
			Endpoint:    p.Endpoint,
			Credentials: credentials,
			PartSize:    partSize,
		},
	)
	if err != nil {
		return nil, err
	}
	return Bucket(b), nil
}

// partSize is what an upload has in memory: a segment of the default size with a last batch
// of a default topic's max.message.bytes fits.
const partSize = defaultSegmentBytes + 5<<18

// Find opens the backup of a cluster, or where no cluster is named, the only one that
// there is.
func Find(ctx context.Context, store Store, prefix, cluster string) (*Chain, error) {
	if cluster != "" {
		return OpenChain(store, prefix, cluster)
	}
	all, err := Clusters(ctx, store, prefix)
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, fmt.Errorf("%w in folder %q", ErrNoBackup, folder(prefix))
	case len(all) > 1:
		return nil, fmt.Errorf("there are backups of several clusters: say which one: %s", strings.Join(all, ", "))
	}
	return OpenChain(store, prefix, all[0])
}

// SelectGroups reads which groups' positions a restore sets: "none", "all", or a regular
// expression for the whole name; nil, which is the default of [RestoreConfig], for "".
func SelectGroups(text string) (func(group string) bool, error) {
	switch text {
	case "":
		return nil, nil
	case "none":
		return func(string) bool { return false }, nil
	case "all":
		return func(string) bool { return true }, nil
	}
	pattern, err := regexp.Compile(`^(?:` + text + `)$`)
	if err != nil {
		return nil, fmt.Errorf("want none, all, or a regular expression: %w", err)
	}
	return pattern.MatchString, nil
}

// Keys are the age keys that topics are encrypted for: "age1..." for all topics, or
// "PATTERN=age1..." for those whose whole name matches a regular expression. A topic is
// encrypted for every key that is for it.
type Keys struct{ keys []topicKey }

type topicKey struct {
	topics    *regexp.Regexp
	recipient age.Recipient
}

// UnmarshalText reads keys, comma separated.
func (k *Keys) UnmarshalText(text []byte) error {
	var keys []topicKey
	var faults []error
	for one := range strings.SplitSeq(string(text), ",") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		pattern, key, ok := strings.Cut(one, "=")
		if !ok {
			pattern, key = ".*", one
		}
		topics, err := regexp.Compile(`^(?:` + pattern + `)$`)
		if err != nil {
			faults = append(faults, fmt.Errorf("pattern %q: %w", pattern, err))
			continue
		}
		recipient, err := age.ParseX25519Recipient(key)
		if err != nil {
			// why not the error: a secret key that was set by mistake would be in it
			faults = append(
				faults,
				fmt.Errorf(
					"the key for topics %q is no public key of age: want age1..., as age-keygen prints it",
					pattern,
				),
			)
			continue
		}
		keys = append(keys, topicKey{topics, recipient})
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	k.keys = keys
	return nil
}

// Recipients gives the keys for a topic.
func (k Keys) Recipients(topic string) (all []age.Recipient) {
	for _, key := range k.keys {
		if key.topics.MatchString(topic) {
			all = append(all, key.recipient)
		}
	}
	return all
}

// Identities reads secret keys of age as age-keygen writes them, one a line, or comma
// separated. No key is in an error.
func Identities(text secret.String) ([]age.Identity, error) {
	if text.Empty() {
		return nil, nil
	}
	identities, err := age.ParseIdentities(strings.NewReader(strings.ReplaceAll(text.Reveal(), ",", "\n")))
	if err != nil {
		return nil, errors.New("no secret keys of age: want lines of AGE-SECRET-KEY-1..., as age-keygen writes them")
	}
	return identities, nil
}
