package dataset

import (
	"errors"
	"math"
)

var (
	// ErrEmpty: there is no object below the prefix.
	ErrEmpty = errors.New("there is no dataset")
	// ErrQuery: a query that makes no sense for the dataset.
	ErrQuery = errors.New("the query is wrong")
	// ErrLimit: the answer needs more memory than it may have.
	ErrLimit = errors.New("the query needs more memory than it may have")
	// ErrDamaged: an object is no Parquet that can be read.
	ErrDamaged = errors.New("the object cannot be read as Parquet")

	errPanic = errors.New("the Parquet library gave up")
)

func bits(f float64) uint64 { return math.Float64bits(f) }
