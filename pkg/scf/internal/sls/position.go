package sls

import "strconv"

// Position is a place in a configuration file. Line and Column count from 1; 0 means that the place is not known.
type Position struct {
	File         string
	Line, Column int
}

// String gives file:line:column, and leaves out what is not known.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return p.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
}
