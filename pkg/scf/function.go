package scf

import (
	"maps"
	"path"
	"slices"
	"strconv"

	"github.com/scf-etl/scf-etl/pkg/scf/internal/sls"
)

// provider reads what all functions take over.
func (s section) provider(service *Service) Function {
	service.Stage = s.text("stage", DefaultStage)
	service.Region = s.text("region", DefaultRegion)
	service.DeploymentBucket = s.text("deploymentBucket", "")
	f := Function{
		Runtime:    s.text("runtime", DefaultRuntime),
		Namespace:  s.text("namespace", DefaultNamespace),
		MemorySize: DefaultMemory,
		Timeout:    DefaultTimeout,
	}
	if c := s.section("cls"); !c.v.IsNull() {
		f.CLS = &CLS{LogsetID: c.text("logsetId", ""), TopicID: c.text("topicId", "")}
		c.end()
	}
	return s.shared(f)
}

// shared reads the settings that a function has from provider, or of its own.
func (s section) shared(f Function) Function {
	f.Runtime = s.text("runtime", f.Runtime)
	f.Role = s.text("role", f.Role)
	f.MemorySize = s.integer("memorySize", f.MemorySize)
	f.Timeout = s.integer("timeout", f.Timeout)
	f.Environment = s.overlay("environment", f.Environment)
	if tags := s.overlay("tags", f.Tags); len(tags) > 0 {
		f.Tags = tags
	}
	f.Publish = s.flag("publish", f.Publish)
	if a := s.section("async"); !a.v.IsNull() {
		f.Async = &Async{Retry: a.integer("retry", AsyncRetries), MessageLifetime: a.integer("messageLifetime", MaxMessageLifetime)}
		a.end()
	}
	if c := s.section("concurrency"); !c.v.IsNull() {
		f.Concurrency = Concurrency{Reserved: c.integer("reserved", 0), Provisioned: c.integer("provisioned", 0)}
		c.end()
	}
	if v := s.section("vpcConfig"); !v.v.IsNull() {
		f.VPC = &VPC{VPCID: v.text("vpcId", ""), SubnetID: v.text("subnetId", "")}
		v.end()
		if *f.VPC == (VPC{}) {
			f.VPC = nil // both empty: the environment says that there is none
		}
	}
	return f
}

// overlay puts a section's texts, such as the variables of environment, over those that are there already. A key without
// a value is a finding of Lint.
func (s section) overlay(key string, over map[string]string) map[string]string {
	texts := maps.Clone(over)
	if texts == nil {
		texts = map[string]string{}
	}
	e := s.section(key)
	for _, f := range e.v.Fields() {
		if !f.Value.IsNull() {
			texts[f.Name] = e.text(f.Name, "")
		}
	}
	return texts
}

func (s section) function(key string, inherited Function) Function {
	f := s.shared(inherited)
	f.Key = key
	f.Name = s.text("name", "") // put in where the file has none
	f.Handler = s.text("handler", "")
	f.Binary = s.text("binary", path.Join("bin", f.Handler))
	f.Description = s.text("description", "")
	f.Layers = s.layers()
	if d := s.section("deadLetter"); !d.v.IsNull() {
		f.DeadLetter = &DeadLetter{Type: d.text("type", ""), Name: d.text("name", "")}
		d.end()
	}
	for i, e := range s.list("events") {
		if t, ok := s.r.trigger(e, s.at("events."+strconv.Itoa(i))); ok {
			f.Events = append(f.Events, t)
		}
	}
	f.Patterns = slices.Concat(f.Patterns, s.section("package").texts("patterns")) // the rest of it is the framework's
	s.end()
	return f
}

func (s section) layers() (layers []Layer) {
	for i, v := range s.list("layers") {
		l := s.r.section(v, s.at("layers."+strconv.Itoa(i)))
		layers = append(layers, Layer{Name: l.text("name", ""), Version: l.integer("version", 0)})
		l.end()
	}
	return layers
}

// trigger reads one member of events: a map with the kind as its one key.
func (r *reader) trigger(v *sls.Value, path string) (Trigger, bool) {
	fields := v.Fields()
	if v.Kind != sls.Map || len(fields) != 1 {
		r.fault(path, v, "is no trigger", "a map with one key, the kind: - ckafka: {...}",
			"mend the indentation, or give each trigger a dash of its own")
		return Trigger{}, false
	}
	kind := fields[0].Name
	s := r.section(fields[0].Value, path+"."+kind)
	var t Trigger
	switch kind {
	case "ckafka":
		t.Kafka = s.kafka()
	case "timer":
		t.Timer = &TimerTrigger{Name: s.text("name", ""), Cron: s.text("cron", ""), Argument: s.text("argument", ""),
			Enabled: s.flag("enable", true), Qualifier: s.text("qualifier", DefaultQualifier)}
	case "cos":
		t.COS = &COSTrigger{Bucket: s.text("bucket", ""), Events: s.text("events", ""), Prefix: s.text("prefix", ""),
			Suffix: s.text("suffix", ""), Enabled: s.flag("enable", true), Qualifier: s.text("qualifier", DefaultQualifier)}
	case "http":
		t.URL = &URLTrigger{Name: s.text("name", "url"), AuthType: s.oneOf("authType", "CAM", "CAM", "NONE"),
			Intranet: s.flag("intranet", false), Extranet: s.flag("extranet", false),
			Enabled: s.flag("enable", true), Qualifier: s.text("qualifier", DefaultQualifier)}
	default:
		r.unknownKind(path, fields[0])
		return Trigger{}, false
	}
	s.end()
	return t, true
}

func (r *reader) unknownKind(path string, f sls.Field) {
	kinds := []string{"ckafka", "cos", "http", "timer"}
	fix := "use one of these"
	if near := suggest(f.Name, kinds); near != "" {
		fix = "did you mean " + near + "?"
	}
	if f.Name == "apigw" {
		fix = "triggers of the API gateway can no longer be made: use http"
	}
	found := finding(Error, path+"."+f.Name, nil, "is no kind of trigger", "ckafka, timer, cos or http", fix)
	found.File, found.Line, found.Column = f.Pos.File, f.Pos.Line, f.Pos.Column
	r.faults = append(r.faults, found)
}

func (s section) kafka() *KafkaTrigger {
	k := &KafkaTrigger{
		InstanceID:    s.text("instanceId", ""),
		Topic:         s.text("topic", ""),
		ConsumerGroup: s.text("consumerGroupName", ""),
		MaxMsgNum:     s.integer("maxMsgNum", DefaultMaxMsgNum),
		TimeOut:       s.integer("timeOut", DefaultBatchTime),
		Retry:         s.integer("retry", DefaultRetry),
		Offset:        DefaultOffset,
		Enabled:       s.flag("enable", true),
		Qualifier:     s.text("qualifier", DefaultQualifier),
	}
	if text := s.text("offset", ""); text != "" {
		offset, err := ParseOffset(text)
		if err != nil {
			fix := ""
			if near := suggest(text, []string{"latest", "earliest"}); near != "" {
				fix = "did you mean " + near + "?"
			}
			if text == "oldest" {
				fix = "did you mean earliest?"
			}
			s.r.fault(s.at("offset"), s.v.Get("offset"), "is no offset", OffsetForms, fix)
		}
		k.Offset = offset
	}
	return k
}
