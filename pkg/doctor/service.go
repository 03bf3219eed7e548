package doctor

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/fn"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

const (
	sourceBrokers = "SOURCE_BROKERS"
	targetBrokers = "TARGET_BROKERS"
)

// readSettings takes the settings of the function that copies: what
// serverless.yml gives it, which the environment has gone into, and else what
// the environment has.
func (d *doctor) readSettings() {
	environ := map[string]string{}
	known := fn.Describe[settings]()
	for _, s := range known {
		if value, ok := d.Environ[s.Key]; ok {
			environ[s.Key] = value
		}
	}
	if d.function = d.copying(); d.function != nil {
		for _, s := range known {
			if _, passed := d.function.Environment[s.Key]; !passed && d.Environ[s.Key] != "" {
				d.given = append(d.given, s.Key)
			}
		}
		maps.Copy(environ, d.function.Environment)
	}
	for key, brokers := range map[string][]string{sourceBrokers: d.Source, targetBrokers: d.Target} {
		if len(brokers) > 0 {
			environ[key] = strings.Join(brokers, ",")
		}
	}
	var faults []fn.Fault
	d.settings, faults = fn.Check[settings](environ)
	for _, f := range faults {
		d.faults = append(d.faults, f.String())
	}
}

// setting gives a setting as it is written.
func (d *doctor) setting(key string) string {
	if d.function != nil {
		if value, ok := d.function.Environment[key]; ok {
			return value
		}
	}
	return d.Environ[key]
}

// copying chooses the function to look at; nil where there is none.
func (d *doctor) copying() *scf.Function {
	if d.Service == nil {
		return nil
	}
	for i, f := range d.Service.Functions {
		_, copies := f.Environment[targetBrokers]
		if d.Function == "" && copies || d.Function != "" && (f.Key == d.Function || f.Name == d.Function) {
			return &d.Service.Functions[i]
		}
	}
	return nil
}

// service looks at serverless.yml and the settings in it.
func (d *doctor) service() Section {
	s := Section{Title: "serverless.yml"}
	d.file(&s)
	if d.Service != nil {
		for _, f := range d.Service.Functions {
			d.environment(&s, f)
		}
	}
	if d.function != nil {
		d.trigger(&s)
	}
	d.checkSettings(&s)
	return s
}

func (d *doctor) file(s *Section) {
	var unreadable *scf.LoadError
	switch {
	case errors.As(d.LoadError, &unreadable):
		for _, f := range unreadable.Findings {
			s.fail("file", "mend it; etl lint checks it", "%s", f)
		}
		return
	case d.LoadError != nil:
		s.skip("file", "%v: the environment alone says where the clusters are", d.LoadError)
		return
	case d.Service == nil:
		return
	}
	errors, warnings := 0, 0
	for _, f := range d.Service.Lint() {
		switch f.Severity {
		case scf.Error:
			errors++
		case scf.Warning:
			warnings++
		}
	}
	found := fmt.Sprintf("%s: %s, %s", d.Service.File, count(len(d.Service.Functions), "function"), count(errors, "error"))
	if warnings > 0 {
		found += ", " + count(warnings, "warning")
	}
	switch {
	case errors > 0:
		s.fail("file", "etl lint", "%s: the platform refuses it", found)
	case warnings > 0:
		s.warn("file", "etl lint", "%s", found)
	default:
		s.ok("file", "%s", found)
	}
}

// environment holds a function's variables against what the platform takes.
func (d *doctor) environment(s *Section, f scf.Function) {
	size := 0
	for key, value := range f.Environment {
		size += len(key) + len(value)
	}
	check := "environment of " + f.Key
	found := fmt.Sprintf("%d of %d bytes", size, scf.MaxEnvironment)
	switch {
	case size > scf.MaxEnvironment:
		s.fail(check, "keep long values in a file of the function's package, or in COS", "%s: the platform refuses it", found)
	case size > scf.MaxEnvironment*9/10:
		s.warn(check, "keep long values in a file of the function's package, or in COS", "%s", found)
	default:
		s.ok(check, "%s", found)
	}
}

// trigger compares the cluster that the trigger reads here with the source.
func (d *doctor) trigger(s *Section) {
	for _, e := range d.function.Events {
		if e.Kafka == nil {
			continue
		}
		check := "trigger " + e.Kafka.Topic
		here, ok := d.Service.Local.Clusters[e.Kafka.InstanceID]
		switch {
		case !e.Kafka.Enabled:
			s.warn(check, "set enable: true", "it is closed: no event is sent")
		case !ok:
			s.warn(check, "name its brokers under custom.local.ckafka, for etl up", "instance %s is no cluster here", e.Kafka.InstanceID)
		case len(d.settings.Source.Brokers) > 0 && !sameSet(here.Brokers, d.settings.Source.Brokers):
			s.warn(check, "have both name the same cluster: custom.local.ckafka and SOURCE_BROKERS, or --source-brokers",
				"here it reads %s and the function fetches from %s", strings.Join(here.Brokers, ","), strings.Join(d.settings.Source.Brokers, ","))
		default:
			s.ok(check, "invokes %s, group %s, from %s", d.function.Key, e.Kafka.ConsumerGroup, e.Kafka.Offset)
		}
	}
}

func sameSet(a, b []string) bool {
	trim := func(list []string) []string {
		list = slices.Clone(list)
		for i := range list {
			list[i] = strings.TrimSpace(list[i])
		}
		slices.Sort(list)
		return list
	}
	return slices.Equal(trim(a), trim(b))
}

func (d *doctor) checkSettings(s *Section) {
	check := "settings"
	if d.function != nil {
		check += " of " + d.function.Key
	}
	for _, fault := range d.faults {
		s.fail(check, "correct it in the environment or in serverless.yml; functions/dump/README.md lists what each setting takes", "%s", fault)
	}
	if d.function == nil {
		if d.Service != nil {
			s.skip(check, "no function has %s: nothing copies", targetBrokers)
		}
		return
	}
	if len(d.faults) == 0 {
		s.ok(check, "all can be read: job %s, mode %s, start %s", d.settings.Job, d.settings.Mode, d.settings.Start)
	}
	for _, key := range []string{sourceBrokers, targetBrokers} {
		replaced := key == sourceBrokers && len(d.Source) > 0 || key == targetBrokers && len(d.Target) > 0
		if value := d.function.Environment[key]; value != "" && d.Environ[key] == "" && !replaced {
			s.ok(key, "not set here: %s of serverless.yml counts", value)
		}
	}
	for _, key := range d.given {
		s.warn(key, fmt.Sprintf("add %s: ${env:%s, ''} under functions.%s.environment", key, key, d.function.Key),
			"set here, but serverless.yml does not give it to %s: the function runs without it", d.function.Key)
	}
}
