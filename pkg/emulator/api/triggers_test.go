package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
	"github.com/scf-etl/scf-etl/pkg/kafka"
	"github.com/scf-etl/scf-etl/pkg/localkafka"
)

// onKafka gives a rig a cluster of embedded brokers as the instance ckafka-a,
// with the topic orders.
func onKafka(t testing.TB, partitions int32) (*localkafka.Cluster, func(*emulator.Config, *api.Config)) {
	t.Helper()
	brokers, err := localkafka.Start(localkafka.Config{Topics: map[string]int32{"orders": partitions, "a-b": 1}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := brokers.Close(); err != nil {
			t.Errorf("close the brokers: %v", err)
		}
	})
	return brokers, func(c *emulator.Config, _ *api.Config) {
		c.Clusters = map[string]kafka.Config{"ckafka-a": {Brokers: brokers.Brokers()}}
	}
}

func TestTriggers(t *testing.T) {
	t.Parallel()
	_, cluster := onKafka(t, 1)
	r := newRig(t, cluster)
	r.call("CreateFunction", function(t, "probe"))
	create := func(kind, name, desc string, more object) object {
		all := object{"FunctionName": "probe", "Type": kind, "TriggerName": name, "TriggerDesc": desc,
			"Qualifier": "$DEFAULT"}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	for _, c := range []struct {
		why     string
		request object
		desc    string
		status  string
	}{
		{"a timer",
			create("timer", "hourly", "0 0 * * * * *",
				object{"CustomArgument": "x", "Enable": "OPEN", "Description": "each hour"}),
			`{"cron":"0 0 * * * * *"}`, "Available"},
		{"a timer in the form that is given back",
			create("timer", "daily", `{"cron":"0 0 0 * * * *"}`, object{"Enable": "CLOSE"}),
			`{"cron":"0 0 0 * * * *"}`, "Available"},
		{"a topic",
			create("ckafka", "ckafka-a-orders",
				`{"maxMsgNum":100,"offset":"earliest","retry":10,"timeOut":1,"consumerGroupName":"g"}`, nil),
			`{"consumerGroupName":"g","maxMsgNum":100,"offset":"earliest","retry":10,"timeOut":1}`, "Available"},
		{"a topic with a dash, and numbers as texts",
			create("ckafka", "ckafka-a-a-b", `{"maxMsgNum":"7","offset":1700000000000}`, nil),
			`{"consumerGroupName":"","maxMsgNum":7,"offset":"1700000000000","retry":10000,"timeOut":60}`, "Available"},
		{"a bucket, which is not driven",
			create("cos", "media-125.cos.ap-guangzhou.myqcloud.com",
				`{"event":"cos:ObjectCreated:*","filter":{"Prefix":"in/","Suffix":""}}`, nil),
			`{"event":"cos:ObjectCreated:*","filter":{"Prefix":"in/","Suffix":""}}`, "NotDriven"},
		{"a URL, which is not driven",
			create("http", "url", `{"AuthType":"NONE","NetConfig":{"EnableIntranet":true,"EnableExtranet":false}}`,
				nil),
			`{"AuthType":"NONE","NetConfig":{"EnableExtranet":false,"EnableIntranet":true}}`, "NotDriven"},
	} {
		t.Run(c.why, func(t *testing.T) {
			info := r.call("CreateTrigger", c.request)["TriggerInfo"].(object)
			enable := 1.0
			if c.request["Enable"] == "CLOSE" {
				enable = 0
			}
			if info["TriggerDesc"] != c.desc || info["Enable"] != enable || info["AvailableStatus"] != c.status || info["Qualifier"] != "$DEFAULT" {
				t.Errorf("got %v", info)
			}
			again := info["TriggerDesc"].(string)
			same := create(info["Type"].(string), info["TriggerName"].(string), again, nil)
			r.refused("ResourceInUse.TriggerName", "CreateTrigger", same)
			if info["Type"] == "timer" || info["Type"] == "ckafka" {
				r.call("UpdateTrigger", same) // what is given back is taken
			}
		})
	}
	t.Run("all are listed, by the API and by the platform", func(t *testing.T) {
		l := r.call("ListTriggers", object{"FunctionName": "probe", "OrderBy": "add_time", "Order": "ASC"})
		var names []string
		for _, tr := range l["Triggers"].([]any) {
			names = append(names, tr.(object)["TriggerName"].(string))
		}
		want := []string{"hourly", "daily", "ckafka-a-orders", "ckafka-a-a-b",
			"media-125.cos.ap-guangzhou.myqcloud.com", "url"}
		if diff := cmp.Diff(want, names); diff != "" || l["TotalCount"] != 6.0 {
			t.Errorf("of %v (-want +got):\n%s", l["TotalCount"], diff)
		}
		undriven := 0
		for _, s := range r.platform.Triggers() {
			if strings.Contains(s.Error, "not driven") {
				undriven++
			}
		}
		if n := len(r.platform.Triggers()); n != 6 || undriven != 2 {
			t.Errorf("the platform has %d, %d of them not driven", n, undriven)
		}
		if got := len(r.call("GetFunction", object{"FunctionName": "probe"})["Triggers"].([]any)); got != 6 {
			t.Errorf("GetFunction has %d", got)
		}
	})
	t.Run("they stay when code and settings change", func(t *testing.T) {
		r.call("UpdateFunctionCode", object{"FunctionName": "probe", "ZipFile": zipFile(t)})
		r.call("UpdateFunctionConfiguration", object{"FunctionName": "probe", "MemorySize": 512})
		if n := len(r.platform.Triggers()); n != 6 {
			t.Errorf("the platform has %d", n)
		}
	})
	t.Run("a timer is changed", func(t *testing.T) {
		r.call("UpdateTrigger",
			timer("hourly", object{"TriggerDesc": "30 0 * * * * *", "Enable": "CLOSE", "CustomArgument": "y"}))
		tr := r.trigger("hourly")
		if tr["TriggerDesc"] != `{"cron":"30 0 * * * * *"}` || tr["Enable"] != 0.0 || tr["CustomArgument"] != "y" || tr["Description"] != "each hour" {
			t.Errorf("got %v", tr)
		}
	})
	t.Run("of a topic what can be changed is, and the rest is refused", func(t *testing.T) {
		r.call("UpdateTrigger",
			create("ckafka", "ckafka-a-orders",
				`{"maxMsgNum":5,"offset":"earliest","retry":1,"timeOut":2,"consumerGroupName":"g"}`, object{"Enable": "CLOSE"}))
		if tr := r.trigger("ckafka-a-orders"); !strings.Contains(tr["TriggerDesc"].(string),
			`"maxMsgNum":5`) || tr["Enable"] != 0.0 {
			t.Errorf("got %v", tr)
		}
		for _, desc := range []string{`{"offset":"latest","consumerGroupName":"g"}`,
			`{"offset":"earliest","consumerGroupName":"h"}`} {
			e := r.refused("InvalidParameterValue.TriggerDesc", "UpdateTrigger",
				create("ckafka", "ckafka-a-orders", desc, nil))
			if !strings.Contains(e.Message, "Delete the trigger and create it again") {
				t.Errorf("got %v", e)
			}
		}
		r.refused("InvalidParameterValue.Type", "UpdateTrigger",
			create("cos", "media-125.cos.ap-guangzhou.myqcloud.com", `{}`, nil))
	})
	t.Run("they are opened and closed", func(t *testing.T) {
		for _, c := range []object{{"TriggerName": "daily", "Type": "timer"},
			{"TriggerName": "media-125.cos.ap-guangzhou.myqcloud.com", "Type": "cos"}, {"TriggerName": "url",
				"Type": "http"}} {
			was := r.trigger(c["TriggerName"].(string))["Enable"]
			c["FunctionName"], c["Qualifier"] = "probe", "$DEFAULT"
			c["Enable"] = map[any]string{1.0: "CLOSE", 0.0: "OPEN"}[was]
			r.call("UpdateTriggerStatus", c)
			if is := r.trigger(c["TriggerName"].(string))["Enable"]; is == was {
				t.Errorf("%v is %v", c["TriggerName"], is)
			}
			r.refused("FailedOperation.UpdateTriggerStatus", "UpdateTriggerStatus", c)
		}
	})
	t.Run("they are deleted, by name, type and qualifier", func(t *testing.T) {
		one := object{"FunctionName": "probe", "TriggerName": "daily", "Type": "timer"}
		if e := r.refused("ResourceNotFound.Trigger", "DeleteTrigger", one); !strings.Contains(e.Message, "$DEFAULT") {
			t.Errorf("got %v", e)
		}
		r.refused("MissingParameter", "DeleteTrigger",
			create("cos", "media-125.cos.ap-guangzhou.myqcloud.com", "", nil))
		for _, tr := range r.call("ListTriggers", object{"FunctionName": "probe"})["Triggers"].([]any) {
			of := tr.(object)
			r.call("DeleteTrigger",
				create(of["Type"].(string), of["TriggerName"].(string), of["TriggerDesc"].(string), nil))
		}
		if n := len(r.platform.Triggers()); n != 0 {
			t.Errorf("the platform has %d", n)
		}
		one["Qualifier"] = "$DEFAULT"
		r.refused("ResourceNotFound.Trigger", "DeleteTrigger", one)
		r.refused("ResourceNotFound.Trigger", "UpdateTrigger", timer("daily"))
	})
}

// trigger is one of the probe, as it is listed.
func (r *rig) trigger(name string) object {
	r.Helper()
	l := r.call("ListTriggers",
		object{"FunctionName": "probe", "Filters": []object{{"Name": "TriggerName", "Values": []string{name}}}})
	all := l["Triggers"].([]any)
	if len(all) != 1 {
		r.Fatalf("triggers named %s: %v", name, all)
	}
	return all[0].(object)
}

func TestCreateTriggerRefuses(t *testing.T) {
	t.Parallel()
	_, cluster := onKafka(t, 1)
	r := newRig(t, cluster)
	r.call("CreateFunction", function(t, "probe"))
	kafkaDesc := func(desc string) object {
		return object{"Type": "ckafka", "TriggerName": "ckafka-a-orders", "TriggerDesc": desc}
	}
	for why, c := range map[string]struct {
		code   string
		change object
	}{
		"no name":                     {"MissingParameter", object{"TriggerName": nil}},
		"no type":                     {"MissingParameter", object{"Type": nil}},
		"no function":                 {"MissingParameter", object{"FunctionName": nil}},
		"another function":            {"ResourceNotFound.Function", object{"FunctionName": "other"}},
		"another type":                {"InvalidParameterValue.Type", object{"Type": "apigw"}},
		"a version that is not there": {"ResourceNotFound.Qualifier", object{"Qualifier": "7"}},
		"neither open nor closed":     {"InvalidParameterValue.Enable", object{"Enable": "ON"}},
		"a name with a space":         {"InvalidParameterValue.TriggerName", object{"TriggerName": "a b"}},
		"a long argument": {"InvalidParameterValue.CustomArgument",
			object{"CustomArgument": strings.Repeat("x", 4097)}},
		"no cron":       {"InvalidParameterValue.TriggerDesc", object{"TriggerDesc": "hourly"}},
		"an empty cron": {"InvalidParameterValue.TriggerDesc", object{"TriggerDesc": `{"cron":""}`}},
		"an instance that is unknown": {"FailedOperation.CreateTrigger",
			object{"Type": "ckafka", "TriggerName": "ckafka-z-orders", "TriggerDesc": "{}"}},
		"a name that is no instance": {"InvalidParameterValue.TriggerName",
			object{"Type": "ckafka", "TriggerName": "orders", "TriggerDesc": "{}"}},
		"a topic that does not exist": {"FailedOperation.TopicNotExist",
			object{"Type": "ckafka", "TriggerName": "ckafka-a-other", "TriggerDesc": "{}"}},
		"too many records":       {"InvalidParameterValue.TriggerDesc", kafkaDesc(`{"maxMsgNum":10001}`)},
		"no time to fill":        {"InvalidParameterValue.TriggerDesc", kafkaDesc(`{"timeOut":0}`)},
		"retries below 0":        {"InvalidParameterValue.TriggerDesc", kafkaDesc(`{"retry":-1}`)},
		"an offset that is none": {"InvalidParameterValue.TriggerDesc", kafkaDesc(`{"offset":"oldest"}`)},
		"an unknown setting":     {"InvalidParameterValue.TriggerDesc", kafkaDesc(`{"maxMsgNumber":1}`)},
		"half a description":     {"InvalidParameterValue.TriggerDesc", kafkaDesc(`{"maxMsgNum":1`)},
		"something behind it":    {"InvalidParameterValue.TriggerDesc", kafkaDesc(`{}{}`)},
		"an argument of a topic": {"InvalidParameterValue.CustomArgument",
			object{"Type": "ckafka", "CustomArgument": "x"}},
		"an event that is none": {"InvalidParameterValue.TriggerDesc",
			object{"Type": "cos", "TriggerDesc": `{"event":"cos:ObjectSeen:*"}`}},
		"a URL for nobody": {"InvalidParameterValue.TriggerDesc",
			object{"Type": "http", "TriggerDesc": `{"AuthType":"KEY"}`}},
	} {
		t.Run(why, func(t *testing.T) {
			r.refused(c.code, "CreateTrigger", timer("tick", c.change))
		})
	}
	t.Run("more than ten of a type", func(t *testing.T) {
		for i := range 10 {
			r.call("CreateTrigger", timer(fmt.Sprintf("tick-%d", i)))
		}
		r.refused("LimitExceeded.Trigger", "CreateTrigger", timer("tick-10"))
	})
	t.Run("events of a bucket that another function gets", func(t *testing.T) {
		r.call("CreateFunction", function(t, "other"))
		cos := object{"FunctionName": "other", "Type": "cos", "TriggerName": "media",
			"TriggerDesc": `{"event":"cos:ObjectCreated:*","filter":{"Prefix":"in/","Suffix":""}}`}
		r.call("CreateTrigger", cos)
		r.refused("InvalidParameterValue.CosNotifyRuleConflict", "CreateTrigger",
			timer("media", object{"Type": "cos", "TriggerDesc": `{"event":"cos:ObjectCreated:Put"}`}))
		cos["FunctionName"], cos["TriggerDesc"] = "probe", `{"event":"cos:ObjectRemove:*"}`
		r.call("CreateTrigger", cos)
		r.call("DeleteTrigger", cos)
		r.call("DeleteFunction", object{"FunctionName": "other"})
	})
	if n := len(r.platform.Triggers()); n != 10 {
		t.Errorf("the platform has %d triggers", n)
	}
	r.refused("InvalidParameterValue.OrderBy", "ListTriggers", object{"FunctionName": "probe", "OrderBy": "name"})
	r.refused("InvalidParameterValue.Filters", "ListTriggers",
		object{"FunctionName": "probe", "Filters": []object{{"Name": "x"}}})
	r.refused("MissingParameter", "UpdateTriggerStatus",
		object{"FunctionName": "probe", "TriggerName": "tick-0", "Type": "timer"})
}
