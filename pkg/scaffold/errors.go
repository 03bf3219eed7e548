package scaffold

import "errors"

var (
	// ErrName says that a function cannot have this name.
	ErrName = errors.New("not the name of a function")
	// ErrTrigger says that there is no such kind of trigger.
	ErrTrigger = errors.New("no such kind of trigger")
	// ErrExists says that there is something already where the function would be.
	ErrExists = errors.New("is there already")
	// ErrFile says that a file of the project is not as it must be to add a function.
	ErrFile = errors.New("cannot be added to")
)
