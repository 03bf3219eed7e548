// Package fn is the contract between a function and Tencent SCF: everything a function needs around its own work.
//
// A function is a configuration, a constructor and a handler; its main is one line:
//
//	func main() { fn.Start("dump", New) }
//
// Start reads the configuration from the environment, serves the platform's invocations, and puts around each of
// them what every function needs: one log line, panics, the deadline, the decoding of the event, a handler kept
// warm. [Handler] says what a handler is promised and what it promises. [Instance] is the same without a process
// around it; package fntest invokes a handler through it as the platform would.
//
// # Configuration
//
// A configuration is a struct whose fields carry the tags of github.com/caarlos0/env/v11, and a doc tag that says
// what a setting is for:
//
//	type Config struct {
//		Source  kafka.Config  `envPrefix:"SOURCE_"`
//		Token   secret.String `env:"TOKEN,required" doc:"opens the door"`
//		MaxWait time.Duration `env:"MAX_WAIT" envDefault:"5s" doc:"how long a fetch waits for data"`
//	}
//
// A required setting that is empty counts as missing. A setting is secret if its type has a method Reveal() string,
// as secret.String has, or by the tag secret:"true". Lists of structs are not read.
//
// A struct, the configuration itself or one in it, may check its fields against each other in a method
// Validate() error. It returns all it finds, joined with errors.Join, and names keys without the envPrefix that the
// struct is used with. It also runs when single settings are wrong or missing (those hold zero), so that all faults
// come at once: it says nothing of a zero value that a required tag covers.
//
// [Describe] and [Table] turn the struct into the table of a README.
//
// The package is the only user of scf-go-lib, through cloudfunction.StartHandler.
package fn
