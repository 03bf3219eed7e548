package scf

import (
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// Service is one serverless.yml, resolved.
type Service struct {
	File      string // as given to Load
	Name      string
	Stage     string // the option, else provider.stage, else dev
	Region    string
	Functions []Function // in the order of the file
	Local     Local      // custom.local: how this machine stands for the cloud

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
	Events      []Trigger   // in the order of the file
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
