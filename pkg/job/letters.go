package job

import (
	"context"
	"errors"
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/deadletter/objects"
	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

// Letters are the settings of a job that can refuse records.
type Letters struct {
	DeadLetterTopic string       `env:"DEADLETTER_TOPIC" envDefault:"deadletter" doc:"topic in the target cluster for records that cannot be handled; empty: such a record stops its partition"`
	KeepOrder       bool         `env:"DEADLETTER_KEEP_ORDER" envDefault:"false" doc:"later records with the key of one in the dead letter go there too, behind it, until etl deadletter redrive has sent all of them on their way"`
	InObjects       InObjects    `env:"DEADLETTER_OBJECTS" envDefault:"too-large" doc:"with DEADLETTER_BUCKET: whose records are objects there, and in the topic by reference: too-large: those that the topic does not take, which come in parts without a bucket; all"`
	Objects         cos.Settings `envPrefix:"DEADLETTER_"`
}

// Validate checks what concerns more than one setting.
func (l Letters) Validate() error {
	if l.Objects.Bucket != "" && l.DeadLetterTopic == "" {
		return errors.New("DEADLETTER_BUCKET is set and DEADLETTER_TOPIC is empty: the bucket has records, the topic says which and why")
	}
	return nil
}

// InObjects says the records of which dead letters are objects in a bucket.
type InObjects string

// The choices.
const (
	ObjectsTooLarge InObjects = "too-large"
	ObjectsAll      InObjects = "all"
)

// UnmarshalText refuses what is no choice.
func (o *InObjects) UnmarshalText(text []byte) error {
	switch InObjects(text) {
	case ObjectsTooLarge, ObjectsAll:
		*o = InObjects(text)
		return nil
	}
	return errors.New("want too-large or all")
}

// Engine gives what the engine needs to know, in the invocation of ctx. A bucket is
// reached with the credentials that each invocation brings.
func (l Letters) Engine(ctx context.Context) (mirror.DeadLetters, error) {
	i, _ := fn.InvocationFrom(ctx)
	d := mirror.DeadLetters{
		Topic: l.DeadLetterTopic, KeepOrder: l.KeepOrder, AllInObjects: l.InObjects == ObjectsAll,
		Function: i.FunctionName, Version: i.FunctionVersion,
	}
	if l.Objects.Bucket == "" {
		return d, nil
	}
	store, err := objects.New(l.Objects.Config(i.Region, credentials))
	if err != nil {
		return d, fmt.Errorf("DEADLETTER_BUCKET: %w", err)
	}
	d.Objects = store
	return d, nil
}

// credentials are those of the function's role.
func credentials(ctx context.Context) (cos.Credentials, error) {
	c, err := fn.CredentialsFrom(ctx)
	return cos.Credentials{SecretID: c.SecretID.Reveal(), SecretKey: c.SecretKey, SessionToken: c.SessionToken}, err
}
