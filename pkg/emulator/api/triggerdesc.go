package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// triggerText is how a request names and describes a trigger.
type triggerText struct {
	Type, TriggerName, TriggerDesc string
	CustomArgument                 string
	Enabled                        bool
	Qualifier                      string
}

// parse reads a trigger and checks it. instances are the CKafka instances that
// are known, for the names of triggers are INSTANCE-TOPIC.
func (t triggerText) parse(instances []string) (scf.Trigger, error) {
	if t.CustomArgument != "" && t.Type != "timer" {
		return scf.Trigger{}, refuse("InvalidParameterValue.CustomArgument", "CustomArgument is for timers alone.")
	}
	switch t.Type {
	case "timer":
		return t.timer()
	case "ckafka":
		return t.kafka(instances)
	case "cos":
		return t.cos()
	case "http":
		return t.url()
	}
	return scf.Trigger{}, refuse("InvalidParameterValue.Type", "Type is %q, want ckafka, timer, cos or http.", t.Type)
}

func badDesc(format string, args ...any) error {
	return refuse("InvalidParameterValue.TriggerDesc", "TriggerDesc: %s.", fmt.Sprintf(format, args...))
}

// timer takes the cron as it is and in the form that it is given back.
func (t triggerText) timer() (scf.Trigger, error) {
	cron := t.TriggerDesc
	if strings.HasPrefix(strings.TrimSpace(cron), "{") {
		var desc struct {
			Cron string `json:"cron"`
		}
		if err := strict(t.TriggerDesc, &desc); err != nil {
			return scf.Trigger{}, err
		}
		cron = desc.Cron
	}
	if !scf.ValidTimerName(t.TriggerName) {
		return scf.Trigger{}, refuse("InvalidParameterValue.TriggerName",
			"TriggerName is %q, want %s.", t.TriggerName, scf.TimerNames)
	}
	if n := len(t.CustomArgument); n > scf.MaxTimerArgument {
		return scf.Trigger{}, refuse("InvalidParameterValue.CustomArgument",
			"CustomArgument has %d bytes, allowed are %d.", n, scf.MaxTimerArgument)
	}
	if _, err := scf.ParseCron(cron); err != nil {
		return scf.Trigger{}, badDesc("%v", err)
	}
	return scf.Trigger{Timer: &scf.TimerTrigger{
		Name: t.TriggerName, Cron: cron, Argument: t.CustomArgument, Enabled: t.Enabled, Qualifier: t.Qualifier,
	}}, nil
}

type kafkaDesc struct {
	MaxMsgNum     *number `json:"maxMsgNum"`
	Offset        *word   `json:"offset"`
	Retry         *number `json:"retry"`
	TimeOut       *number `json:"timeOut"`
	ConsumerGroup *string `json:"consumerGroupName"`
}

// kafka is 583/17530.
func (t triggerText) kafka(instances []string) (scf.Trigger, error) {
	var desc kafkaDesc
	if err := strict(t.TriggerDesc, &desc); err != nil {
		return scf.Trigger{}, err
	}
	instance, topic := splitName(t.TriggerName, instances)
	if topic == "" {
		return scf.Trigger{}, refuse("InvalidParameterValue.TriggerName",
			"TriggerName is %q, want INSTANCE-TOPIC, as ckafka-8tfxzia3-orders.", t.TriggerName)
	}
	k := scf.KafkaTrigger{
		InstanceID: instance, Topic: topic, ConsumerGroup: orText(desc.ConsumerGroup, ""),
		MaxMsgNum: desc.MaxMsgNum.or(scf.DefaultMaxMsgNum), TimeOut: desc.TimeOut.or(scf.DefaultBatchTime),
		Retry:  desc.Retry.or(scf.DefaultRetry),
		Offset: scf.DefaultOffset, Enabled: t.Enabled, Qualifier: t.Qualifier,
	}
	if desc.Offset != nil {
		offset, err := scf.ParseOffset(string(*desc.Offset))
		if err != nil {
			return scf.Trigger{}, badDesc("%v", err)
		}
		k.Offset = offset
	}
	for _, v := range []struct {
		name               string
		value, least, most int
	}{
		{"maxMsgNum", k.MaxMsgNum, scf.MinMaxMsgNum, scf.MaxMaxMsgNum},
		{"timeOut", k.TimeOut, scf.MinBatchTime, scf.MaxBatchTime},
		{"retry", k.Retry, 0, scf.DefaultRetry},
	} {
		if v.value < v.least || v.value > v.most {
			return scf.Trigger{}, badDesc("%s is %d, want %d to %d", v.name, v.value, v.least, v.most)
		}
	}
	return scf.Trigger{Kafka: &k}, nil
}

// cloudInstance is the name of a trigger on an instance of the cloud.
var cloudInstance = regexp.MustCompile(`^(ckafka-[^-]+)-(.+)$`)

// splitName takes INSTANCE-TOPIC apart. Of the instances that are known the one
// with the longest name counts; both parts may hold dashes.
func splitName(name string, instances []string) (instance, topic string) {
	byLength := slices.SortedFunc(slices.Values(instances),
		func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for _, id := range byLength {
		if topic, ok := strings.CutPrefix(name, id+"-"); ok && topic != "" {
			return id, topic
		}
	}
	if m := cloudInstance.FindStringSubmatch(name); m != nil {
		return m[1], m[2]
	}
	return "", ""
}

type cosDesc struct {
	Event  string                          `json:"event"`
	Filter struct{ Prefix, Suffix string } `json:"filter"`
}

func (t triggerText) cos() (scf.Trigger, error) {
	var desc cosDesc
	if err := strict(t.TriggerDesc, &desc); err != nil {
		return scf.Trigger{}, err
	}
	switch {
	case t.TriggerName == "":
		return scf.Trigger{}, missing("TriggerName")
	case !scf.ValidCOSEvent(desc.Event):
		return scf.Trigger{}, badDesc("event is %q, want %s", desc.Event, scf.COSEvents)
	}
	return scf.Trigger{COS: &scf.COSTrigger{
		Bucket: t.TriggerName, Events: desc.Event, Prefix: desc.Filter.Prefix, Suffix: desc.Filter.Suffix,
		Enabled: t.Enabled, Qualifier: t.Qualifier,
	}}, nil
}

type urlDesc struct {
	AuthType  string
	NetConfig struct{ EnableIntranet, EnableExtranet bool }
}

func (t triggerText) url() (scf.Trigger, error) {
	var desc urlDesc
	if err := strict(t.TriggerDesc, &desc); err != nil {
		return scf.Trigger{}, err
	}
	switch {
	case t.TriggerName == "":
		return scf.Trigger{}, missing("TriggerName")
	case desc.AuthType != "CAM" && desc.AuthType != "NONE":
		return scf.Trigger{}, badDesc("AuthType is %q, want CAM or NONE", desc.AuthType)
	}
	return scf.Trigger{URL: &scf.URLTrigger{
		Name: t.TriggerName, AuthType: desc.AuthType, Intranet: desc.NetConfig.EnableIntranet,
		Extranet: desc.NetConfig.EnableExtranet,
		Enabled:  t.Enabled, Qualifier: t.Qualifier,
	}}, nil
}

// descOf is the TriggerDesc that the service gives back.
func descOf(t scf.Trigger) string {
	var desc any
	switch {
	case t.Kafka != nil:
		desc = map[string]any{
			"maxMsgNum": t.Kafka.MaxMsgNum, "offset": t.Kafka.Offset.String(), "retry": t.Kafka.Retry,
			"timeOut":           t.Kafka.TimeOut,
			"consumerGroupName": t.Kafka.ConsumerGroup,
		}
	case t.Timer != nil:
		desc = map[string]string{"cron": t.Timer.Cron}
	case t.COS != nil:
		desc = map[string]any{"event": t.COS.Events,
			"filter": map[string]string{"Prefix": t.COS.Prefix, "Suffix": t.COS.Suffix}}
	case t.URL != nil:
		desc = map[string]any{
			"AuthType":  t.URL.AuthType,
			"NetConfig": map[string]bool{"EnableIntranet": t.URL.Intranet, "EnableExtranet": t.URL.Extranet},
		}
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(desc) // why: plain texts and numbers
	return strings.TrimSpace(text.String())
}

// strict reads the JSON of a TriggerDesc.
func strict(text string, into any) error {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return badDesc("%v", err)
	}
	if decoder.More() {
		return badDesc("something stands behind its object")
	}
	return nil
}

// number is a whole number, or a text that is one: the manual has both.
type number int

// UnmarshalJSON reads either.
func (n *number) UnmarshalJSON(text []byte) error {
	v, err := strconv.Atoi(strings.Trim(string(text), `"`))
	*n = number(v)
	return err
}

func (n *number) or(otherwise int) int {
	if n == nil {
		return otherwise
	}
	return int(*n)
}

// word is a text, or a number that is taken for one.
type word string

// UnmarshalJSON reads either.
func (w *word) UnmarshalJSON(text []byte) error {
	*w = word(strings.Trim(string(text), `"`))
	return nil
}
