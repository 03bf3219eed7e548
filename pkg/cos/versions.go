package cos

import (
	"context"
	"fmt"

	sdk "github.com/tencentyun/cos-go-sdk-v5"
)

// Versions says that the bucket keeps versions of objects, or did so once: then it takes no
// PutOptions.IfAbsent (COS, "PUT Object", x-cos-forbid-overwrite). The error is ErrNoBucket
// or ErrAccess: a key needs GetBucketVersioning for it, which few have.
func (b *Bucket) Versions(ctx context.Context) (bool, error) {
	status := ""
	_, err := b.call(ctx, "versioning", "", func(ctx context.Context) (*sdk.Response, error) {
		result, answer, err := b.client.Bucket.GetVersioning(ctx)
		if err == nil {
			status = result.Status
		}
		return answer, err
	})
	if err != nil {
		return false, err
	}
	switch status {
	case "":
		return false, nil
	case "Enabled", "Suspended":
		return true, nil
	}
	return false, b.failure("versioning", "", nil, fmt.Errorf("%w: versioning is %.40q", ErrAnswer, status))
}
