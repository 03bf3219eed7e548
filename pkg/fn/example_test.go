package fn_test

import (
	"context"
	"time"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// GreetConfig is the whole configuration of a function.
type GreetConfig struct {
	Greeting string        `env:"GREETING" envDefault:"hello" doc:"what to say"`
	Token    secret.String `env:"TOKEN,required" doc:"opens the door"`
	Patience time.Duration `env:"PATIENCE" envDefault:"5s" doc:"how long to wait at the door"`
}

// Visit is the event, Welcome the answer.
type (
	Visit   struct{ Name string }
	Welcome struct{ Text string }
)

// Greeter is the handler; what it needs for its work is built once and kept warm.
type Greeter struct{ config GreetConfig }

// NewGreeter returns the interface and not *Greeter, so that Start can infer event and answer.
func NewGreeter(_ context.Context, config GreetConfig) (fn.Handler[Visit, Welcome], error) {
	return &Greeter{config: config}, nil
}

// Handle greets one visitor.
func (g *Greeter) Handle(ctx context.Context, event Visit) (Welcome, error) {
	fn.LoggerFrom(ctx).DebugContext(ctx, "at the door", "name", event.Name)
	return Welcome{Text: g.config.Greeting + ", " + event.Name}, nil
}

// The one call in a function's main.go.
func ExampleStart() {
	fn.Start("greet", NewGreeter)
}
