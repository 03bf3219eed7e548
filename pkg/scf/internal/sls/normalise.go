package sls

import "fmt"

const defaultStage = "dev"

// normalise puts in what the framework puts in after resolution: provider.stage, lists of functions made one map, a name
// and a list of events for each function.
func normalise(root *Value, stage string, b *budget) error {
	if v := root.Get("useDotenv"); v != nil && v.Kind == Bool && v.Bool {
		return &Error{Pos: v.Pos, Path: "useDotenv", Value: "true", Reason: ".env files are not read here",
			Fix: "export the variables before the command, and leave useDotenv out"}
	}
	provider := root.Get("provider")
	if provider != nil && provider.Kind == String {
		name := *provider
		*provider = Value{Kind: Map, Pos: name.Pos}
		provider.set(Field{"name", name.Pos, &name})
	}
	if provider != nil && provider.Kind == Map && provider.Get("stage").IsNull() {
		provider.set(Field{"stage", provider.Pos, &Value{Kind: String, Text: defaultStage, Pos: provider.Pos}})
	}
	if stage == "" {
		stage, _ = provider.Get("stage").Scalar()
	}
	for _, section := range []string{"resources", "functions"} {
		if err := mergeList(root.Get(section), section, b); err != nil {
			return err
		}
	}
	return nameFunctions(root, stage)
}

// mergeList makes a list of maps one map, later ones over earlier ones.
func mergeList(v *Value, section string, b *budget) error {
	if v == nil || v.Kind != List {
		return nil
	}
	merged := &Value{Kind: Map}
	for _, e := range v.List {
		switch {
		case e.IsNull():
		case e.Kind != Map:
			return &Error{Pos: e.Pos, Path: section, Reason: "the list holds " + e.Kind.String(), Fix: "each member must be a map of " + section}
		default:
			if err := overlay(merged, e, b); err != nil {
				return &Error{Pos: e.Pos, Path: section, Reason: err.Error()}
			}
		}
	}
	v.become(merged)
	return nil
}

// overlay puts the keys of one map over those of another, maps within maps and lists by index.
func overlay(onto, from *Value, b *budget) error {
	for _, f := range from.fields {
		below := onto.Get(f.Name)
		switch {
		case below == nil, below.Kind != f.Value.Kind, f.Value.Kind != Map && f.Value.Kind != List:
			copied, err := f.Value.clone(b)
			if err != nil {
				return err
			}
			onto.set(Field{f.Name, f.Pos, copied})
		case f.Value.Kind == Map:
			if err := overlay(below, f.Value, b); err != nil {
				return err
			}
		default:
			if err := overlayList(below, f.Value, b); err != nil {
				return err
			}
		}
	}
	return nil
}

func overlayList(onto, from *Value, b *budget) error {
	for i, e := range from.List {
		if i < len(onto.List) && e.Kind == Map && onto.List[i].Kind == Map {
			if err := overlay(onto.List[i], e, b); err != nil {
				return err
			}
			continue
		}
		copied, err := e.clone(b)
		if err != nil {
			return err
		}
		if i < len(onto.List) {
			onto.List[i] = copied
		} else {
			onto.List = append(onto.List, copied)
		}
	}
	return nil
}

// nameFunctions drops functions without settings and gives the others SERVICE-STAGE-KEY as their name.
func nameFunctions(root *Value, stage string) error {
	functions := root.Get("functions")
	if functions.IsNull() {
		return nil
	}
	if functions.Kind != Map {
		return &Error{Pos: functions.Pos, Path: "functions", Reason: "is " + functions.Kind.String(), Fix: "write a map of functions by name"}
	}
	service, _ := root.Get("service").Scalar()
	kept := &Value{Kind: Map, Pos: functions.Pos}
	for _, f := range functions.fields {
		if f.Value.IsNull() {
			continue
		}
		if f.Value.Kind != Map {
			return &Error{Pos: f.Value.Pos, Path: "functions." + f.Name, Reason: "is " + f.Value.Kind.String(), Fix: "write a map of settings"}
		}
		if falsy(f.Value.Get("events")) {
			f.Value.set(Field{"events", f.Pos, &Value{Kind: List, Pos: f.Pos}})
		}
		if falsy(f.Value.Get("name")) {
			name := fmt.Sprintf("%s-%s-%s", service, stage, f.Name)
			f.Value.set(Field{"name", f.Pos, &Value{Kind: String, Text: name, Pos: f.Pos}})
		}
		kept.set(f)
	}
	*functions = *kept
	return nil
}

// falsy is what JavaScript takes for no value.
func falsy(v *Value) bool {
	if v.IsNull() {
		return true
	}
	return v.Kind == String && v.Text == "" || v.Kind == Number && v.Number == 0 || v.Kind == Bool && !v.Bool
}
