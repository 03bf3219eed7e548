package fn

import "reflect"

// Check reads configuration struct C from an environment as a function does at
// its start, with every fault: of a value, and of its Validate methods. No
// fault shows a secret. What could be read is in C also where there are faults.
//
// It panics if C is no struct of settings, as [Describe] does.
func Check[C any](environ map[string]string) (C, []Fault) {
	fields, err := fieldsOf(reflect.TypeFor[C]())
	if err != nil {
		panic("check configuration: " + err.Error())
	}
	config, _, faults := read[C](fields, environ)
	return config, faults
}
