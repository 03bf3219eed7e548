package fn

import (
	"maps"
	"reflect"
	"slices"

	"github.com/caarlos0/env/v11"
)

// settings reads a function's configuration C, and the settings of every function, out of an environment.
type settings[C any] struct {
	fields  []field // of C
	runtime []field // of Runtime
	environ map[string]string
	read    map[string]string // values that the configuration in use was read from; nil: none was
}

func newSettings[C any](environ map[string]string) (settings[C], error) {
	fields, err := fieldsOf(reflect.TypeFor[C]())
	if err != nil {
		return settings[C]{}, err
	}
	runtime, err := fieldsOf(reflect.TypeFor[Runtime]())
	s := settings[C]{fields: fields, runtime: runtime, environ: make(map[string]string, len(environ))}
	maps.Copy(s.environ, environ)
	return s, err
}

// configuration is what was read, with the values to keep out of logs and every fault found.
type configuration[C any] struct {
	function C
	runtime  Runtime
	secrets  []string
	faults   []Fault
}

func (s *settings[C]) parse() configuration[C] {
	function, secrets, faults := read[C](s.fields, s.environ)
	runtime, _, wrong := read[Runtime](s.runtime, s.environ)
	return configuration[C]{function: function, runtime: runtime, secrets: secrets, faults: slices.Concat(faults, wrong)}
}

// read fills and validates a struct, and gives the values of its secret settings. No fault shows one.
func read[T any](fields []field, environ map[string]string) (T, []string, []Fault) {
	var value T
	target := reflect.ValueOf(&value).Elem()
	faults := assign(target, fields, environ)
	for _, found := range validate(target, "") {
		faults = append(faults, found.fault())
	}
	secrets := secretsIn(target, fields)
	hide := newReplacer(secrets)
	for i := range faults {
		faults[i].Value, faults[i].Reason = hide.Replace(faults[i].Value), hide.Replace(faults[i].Reason)
	}
	return value, secrets, faults
}

// assign fills the fields of a struct one by one.
//
// why one by one: env reports a fault by the name of the Go field, which two structs of one type (SOURCE_, TARGET_)
// share, and not by the key.
func assign(target reflect.Value, fields []field, environ map[string]string) []Fault {
	var faults []Fault
	for _, f := range fields {
		one := reflect.New(reflect.StructOf([]reflect.StructField{{Name: f.goField.Name, Type: f.goField.Type, Tag: f.goField.Tag}}))
		err := env.ParseWithOptions(one.Interface(), env.Options{Environment: environ, Prefix: f.prefix})
		if err == nil && f.Required && environ[f.Key] == "" {
			err = env.EmptyVarError{Key: f.Key} // why: env takes "" for a value
		}
		if err != nil {
			faults = append(faults, f.fault(environ[f.Key], err))
			continue
		}
		place(target, f.index).Set(one.Elem().Field(0))
	}
	return faults
}

// place is the field at index of a struct, with the pointers on the way made.
func place(target reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		if target.Kind() == reflect.Pointer {
			if target.IsNil() {
				target.Set(reflect.New(target.Type().Elem()))
			}
			target = target.Elem()
		}
		target = target.Field(i)
	}
	return target
}

// begun says whether any setting of the function is in the environment, or one of every function is wrong there.
func (s *settings[C]) begun() bool {
	set := func(f field) bool { _, ok := s.environ[f.Key]; return ok }
	_, _, wrong := read[Runtime](s.runtime, s.environ)
	return slices.ContainsFunc(s.fields, set) || len(wrong) > 0
}

// update takes the environment of an invocation over, and says whether a setting is not what it was read as.
//
// why keys stay that do not come again: scf-go-lib puts them into the process, where they stay too.
func (s *settings[C]) update(own map[string]string) bool {
	maps.Copy(s.environ, own)
	now := make(map[string]string, len(s.fields)+len(s.runtime))
	for _, f := range slices.Concat(s.fields, s.runtime) {
		if value, ok := s.environ[f.Key]; ok {
			now[f.Key] = value
		}
	}
	if s.read != nil && maps.Equal(now, s.read) {
		return false
	}
	s.read = now
	return true
}
