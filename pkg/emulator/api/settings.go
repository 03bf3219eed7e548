package api

import (
	"slices"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// settings are those that CreateFunction and UpdateFunctionConfiguration have
// in common and that the platform works with. What is nil is not given.
type settings struct {
	Description      *string
	MemorySize       *int
	Timeout          *int
	Environment      *environment
	Runtime          *string
	VpcConfig        *vpcConfig
	Role             *string
	ClsLogsetId      *string
	ClsTopicId       *string
	Layers           *[]layer
	DeadLetterConfig *deadLetterConfig
}

type environment struct{ Variables []variable }

type variable struct{ Key, Value string }

type vpcConfig struct{ VpcId, SubnetId string }

type layer struct {
	LayerName    string
	LayerVersion int
}

type deadLetterConfig struct{ Type, Name, FilterType string }

// over checks the settings and puts them over those of a function.
func (s settings) over(f *scf.Function, roles []string) error {
	for _, check := range []func(*scf.Function) error{s.limits, s.variables, s.network} {
		if err := check(f); err != nil {
			return err
		}
	}
	if s.Role != nil {
		if roles != nil && *s.Role != "" && !slices.Contains(roles, *s.Role) {
			return refuse("ResourceNotFound.Role", "The role %s does not exist.", *s.Role)
		}
		f.Role = *s.Role
	}
	if s.Layers != nil {
		f.Layers = nil
		for _, l := range *s.Layers {
			switch {
			case l.LayerName == "" && l.LayerVersion == 0: // how layers are taken away
			case l.LayerName == "" || l.LayerVersion < 1:
				return refuse("InvalidParameterValue.Layers", "A layer needs LayerName and LayerVersion.")
			default:
				f.Layers = append(f.Layers, scf.Layer{Name: l.LayerName, Version: l.LayerVersion})
			}
		}
	}
	return nil
}

func (s settings) limits(f *scf.Function) error {
	if s.Runtime != nil && *s.Runtime != scf.DefaultRuntime {
		return refuse("InvalidParameterValue.Runtime",
			"Runtime is %q; what runs here is %s.", *s.Runtime, scf.DefaultRuntime)
	}
	if s.Description != nil {
		if n := utf8.RuneCountInString(*s.Description); n > scf.MaxDescription {
			return refuse("InvalidParameterValue.Description",
				"Description has %d characters, allowed are %d.", n, scf.MaxDescription)
		}
		f.Description = *s.Description
	}
	if m := s.MemorySize; m != nil {
		switch {
		case *m > scf.MaxMemory:
			return refuse("LimitExceeded.Memory", "MemorySize is %d MB, allowed are %d at most.", *m, scf.MaxMemory)
		case !scf.ValidMemory(*m):
			return refuse("InvalidParameterValue.Memory",
				"MemorySize is %d MB, allowed are %d and %d to %d in steps of %d.",
				*m, scf.MinMemory, scf.MemoryStep, scf.MaxMemory, scf.MemoryStep)
		}
		f.MemorySize = *m
	}
	if t := s.Timeout; t != nil {
		switch {
		case *t > scf.MaxTimeout:
			return refuse("LimitExceeded.Timeout", "Timeout is %d seconds, allowed are %d at most.", *t, scf.MaxTimeout)
		case *t < scf.MinTimeout:
			return refuse("InvalidParameterValue",
				"Timeout is %d seconds, allowed are %d at least.", *t, scf.MinTimeout)
		}
		f.Timeout = *t
	}
	return nil
}

// variables are all of a function: those given replace those there are. One
// with neither key nor value takes them all away.
func (s settings) variables(f *scf.Function) error {
	if s.Environment == nil {
		return nil
	}
	f.Environment = map[string]string{}
	for _, v := range s.Environment.Variables {
		if v.Key == "" && v.Value == "" {
			continue
		}
		if _, twice := f.Environment[v.Key]; twice || !scf.ValidVariable(v.Key) {
			return refuse("InvalidParameterValue.Environment",
				"The variable %q stands twice, or is not %s.", v.Key, scf.VariableNames)
		}
		if prefix := scf.ReservedPrefix(v.Key); prefix != "" {
			return refuse("InvalidParameterValue.EnvironmentSystemProtect",
				"The variable %q begins with %s, which is the platform's own.", v.Key, prefix)
		}
		f.Environment[v.Key] = v.Value
	}
	if size := scf.EnvironmentSize(f.Environment); size > scf.MaxEnvironment {
		return refuse("InvalidParameterValue.EnvironmentExceededLimit",
			"Keys and values of the environment have %d bytes, allowed are %d.", size, scf.MaxEnvironment)
	}
	return nil
}

func (s settings) network(f *scf.Function) error {
	if v := s.VpcConfig; v != nil {
		switch {
		case (v.VpcId == "") != (v.SubnetId == ""):
			return refuse("InvalidParameterValue.Vpc", "VpcId and SubnetId go together: one of them is empty.")
		case v.VpcId == "":
			f.VPC = nil
		default:
			f.VPC = &scf.VPC{VPCID: v.VpcId, SubnetID: v.SubnetId}
		}
	}
	if s.ClsLogsetId != nil || s.ClsTopicId != nil {
		cls := scf.CLS{}
		if f.CLS != nil {
			cls = *f.CLS
		}
		cls.LogsetID, cls.TopicID = orText(s.ClsLogsetId, cls.LogsetID), orText(s.ClsTopicId, cls.TopicID)
		if (cls.LogsetID == "") != (cls.TopicID == "") {
			return refuse("InvalidParameterValue.Cls", "ClsLogsetId and ClsTopicId go together: one of them is empty.")
		}
		if f.CLS = &cls; cls.TopicID == "" {
			f.CLS = nil
		}
	}
	if d := s.DeadLetterConfig; d != nil {
		switch {
		case d.FilterType != "":
			return refuse("InvalidParameterValue.DeadLetterConfig", "FilterType is not supported here.")
		case (d.Type == "") != (d.Name == ""):
			return refuse("InvalidParameterValue.DeadLetterConfig",
				"Type and Name of DeadLetterConfig go together: one of them is empty.")
		case d.Type == "":
			f.DeadLetter = nil
		default:
			f.DeadLetter = &scf.DeadLetter{Type: d.Type, Name: d.Name}
		}
	}
	return nil
}
