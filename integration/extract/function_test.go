package extract

import "sync"

// function is the built binary of functions/extract.
var function struct {
	sync.Once
	folder string
	fault  error
}
