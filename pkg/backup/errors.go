package backup

import (
	"errors"
	"fmt"
)

var (
	// ErrNoBackup: there is no manifest under this prefix, or none for this moment.
	ErrNoBackup = errors.New("no backup")
	// ErrTaken: another run has written the next manifest. What this run has uploaded
	// and the other has not is removed by prune; run again to go on.
	ErrTaken = errors.New("another run was faster")
	// ErrVersions: the bucket keeps versions of objects, or has kept them, so that of two
	// runs at the same time both would win.
	ErrVersions = errors.New("the bucket has had versions: take one that never had")
	// ErrDamaged: an object is not what the manifests say. See [DamageError].
	ErrDamaged = errors.New("damaged")
	// ErrKey: an object is encrypted, and none of the given identities opens it.
	ErrKey = errors.New("no identity opens it")
	// ErrNotEmpty: a target topic holds records that no restore of this name has
	// written.
	ErrNotEmpty = errors.New("the target topic holds records already")
)

// DamageError is one object that is missing or is not what it should be.
type DamageError struct {
	Key    string // of the object
	Topic  string // "" where it is no segment
	Number int32  // partition
	Offset int64  // the first offset that is not readable; -1 where it is no segment
	Reason string
}

// Error names the object, the offset and the reason.
func (e *DamageError) Error() string {
	if e.Topic == "" {
		return fmt.Sprintf("%s: %v: %s", e.Key, ErrDamaged, e.Reason)
	}
	return fmt.Sprintf("%s/%d from offset %d on (%s): %v: %s", e.Topic, e.Number, e.Offset, e.Key, ErrDamaged, e.Reason)
}

// Unwrap is [ErrDamaged].
func (e *DamageError) Unwrap() error { return ErrDamaged }
