package fn

import (
	"context"
	"log/slog"
	"slices"
)

// configured reads the configuration at the first invocation, and again when the platform sends another one: then
// the handler built from the old one is closed.
func (in *Instance[C, E, R]) configured(next step) step {
	return func(ctx context.Context, c *call) ([]byte, error) {
		if in.settings.update(c.own) {
			read := in.settings.parse()
			in.secrets = read.secrets
			if len(read.faults) > 0 {
				in.settings.read = nil
				return nil, &ConfigError{Function: in.name, Faults: read.faults}
			}
			in.config, in.runtime = read.function, read.runtime
			in.level.Set(read.runtime.LogLevel)
			if err := in.warm.close(); err != nil {
				c.logger.LogAttrs(ctx, slog.LevelWarn, "handler of the former configuration", slog.String("error", in.redactor.text(err.Error())))
			}
		}
		in.redactor.know(slices.Concat(in.secrets, c.credentials().values()))
		return next(ctx, c)
	}
}
