package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/scf-etl/scf-etl/pkg/cos"
)

// unversioned is [ErrVersions] where a store has versions. Where the key may not ask, that is
// said in the log, and no error: few keys may, and a wrong one fails at what comes next.
func unversioned(ctx context.Context, store Store, log func(context.Context) *slog.Logger) error {
	asked, ok := store.(Versioned)
	if !ok {
		return nil
	}
	has, err := asked.Versions(ctx)
	switch {
	case errors.Is(err, cos.ErrAccess):
		log(ctx).Warn("whether the bucket has had versions is not known: its key may not ask (GetBucketVersioning)")
		return nil
	case err != nil:
		return fmt.Errorf("look whether the bucket has had versions: %w", err)
	case has:
		return ErrVersions
	}
	return nil
}
