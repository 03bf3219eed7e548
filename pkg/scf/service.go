package scf

import (
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// Service is one serverless.yml, resolved.
type Service struct {
	File   string // as given to Load
	Name   string
	Stage  string // the option, else provider.stage, else dev
	Region string
	// DeploymentBucket is where packages go that are too large for a call of the API: NAME-APPID; empty for none.
	DeploymentBucket string
	Functions        []Function // in the order of the file
	Local            Local      // custom.local: how this machine stands for the cloud

	config *sls.Value
	found  []Finding // what reading found and what Lint tells
	now    time.Time // the present for Lint
}

// Function is one function with everything that it takes over from provider.
type Function struct {
	Key     string // under functions in the file, and the name of its folder
	Name    string // the full name on the platform: SERVICE-STAGE-KEY, or what name says
	Handler string // name of the binary inside the package
	Binary  string // path of the built binary, from the service's folder
	// Patterns choose the extra files of the package: package.patterns of the service, then the function's own.
	Patterns    []string
	Description string
	Runtime     string
	Namespace   string
	Role        string
	MemorySize  int // MB
	Timeout     int // seconds
	// Environment is provider's with the function's own over it. It belongs to this function alone.
	Environment map[string]string
	VPC         *VPC // nil for none
	CLS         *CLS // nil for the platform's default
	Layers      []Layer
	DeadLetter  *DeadLetter // of asynchronous invocations; nil for none
	// Tags are provider's with the function's own over them; nil for none.
	Tags        map[string]string
	Async       *Async // nil for the platform's defaults
	Concurrency Concurrency
	Publish     bool      // each change becomes a version, to which $DEFAULT points
	Events      []Trigger // in the order of the file
}

// Async is what the platform does with asynchronous events.
type Async struct {
	Retry           int // how often one is sent again after an error
	MessageLifetime int // seconds, after which one that waits is given up
}

// Concurrency is what a function has for itself; zero is none.
type Concurrency struct {
	Reserved    int // MB that no other function can take, and all that this one gets
	Provisioned int // instances of the published version that are kept started
}

// VPC is the private network that the function sits in; a CKafka instance is reached only from its own.
type VPC struct{ VPCID, SubnetID string }

// CLS is where the function's log goes.
type CLS struct{ LogsetID, TopicID string }

// Layer is one version of a layer.
type Layer struct {
	Name    string
	Version int
}

// DeadLetter is a queue of the platform for events that failed for good.
type DeadLetter struct{ Type, Name string }

// JSON gives the whole configuration as `sls print --format json` does, compact and in the order of the file. It holds
// what the environment gave, secrets too.
func (s *Service) JSON() []byte { return s.config.AppendJSON(nil) }
