package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
)

// answer is what the probe tells of an invocation.
type answer struct {
	Function, Version, Namespace string
	Environ                      []string
}

// invoke runs the probe and returns its answer.
func (r *rig) invoke(request object) answer {
	r.Helper()
	result := r.call("Invoke", request)["Result"].(object)
	if result["InvokeResult"] != 0.0 {
		r.Fatalf("got %v", result)
	}
	var a answer
	if err := json.Unmarshal([]byte(result["RetMsg"].(string)), &a); err != nil {
		r.Fatalf("got %v: %v", result, err)
	}
	return a
}

func (a answer) env(key string) string {
	for _, e := range a.Environ {
		if v, ok := strings.CutPrefix(e, key+"="); ok {
			return v
		}
	}
	return ""
}

// variables is Environment for pairs of keys and values.
func variables(pairs ...string) object {
	list := []object{}
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, object{"Key": pairs[i], "Value": pairs[i+1]})
	}
	return object{"Variables": list}
}

func TestCreateFunction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	given := object{
		"Description": "a probe", "Role": "QCS_SCFExcuteRole", "ClsLogsetId": "logset", "ClsTopicId": "topic",
		"Type": "Event", "CodeSource": "ZipFile",
		"VpcConfig":        object{"VpcId": "vpc-1", "SubnetId": "subnet-1"},
		"Layers":           []object{{"LayerName": "ffmpeg", "LayerVersion": 2}},
		"Environment":      variables("COLOUR", "blue", "SHAPE", "round"),
		"DeadLetterConfig": object{"Type": "CMQ-QUEUE", "Name": "letters"},
		"Tags":             []object{{"Key": "stage", "Value": "dev"}},
		"PublicNetConfig":  object{"PublicNetStatus": "DISABLE", "EipConfig": object{"EipStatus": "DISABLE"}},
		"AsyncRunEnable":   "FALSE", "TraceEnable": "FALSE", "InitTimeout": 90, "InstallDependency": "FALSE",
	}
	r.call("CreateFunction", function(t, "probe", given))
	f := r.call("GetFunction", object{"FunctionName": "probe", "ShowCode": "FALSE"})

	t.Run("what is given comes back", func(t *testing.T) {
		for key, want := range given {
			got := f[key]
			switch key {
			case "CodeSource", "PublicNetConfig", "DeadLetterConfig", "Layers":
				continue // looked at below
			}
			if diff := cmp.Diff(plain(t, want), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", key, diff)
			}
		}
		for path, want := range map[string]any{
			"PublicNetConfig.PublicNetStatus": "DISABLE", "DeadLetterConfig.Type": "CMQ-QUEUE",
			"DeadLetterConfig.Name": "letters",
			"Layers.0.LayerName":    "ffmpeg", "Layers.0.LayerVersion": 2.0,
			"MemorySize": 256.0, "Timeout": 20.0, "Handler": "main", "Runtime": "Go1", "Namespace": "default",
			"FunctionVersion": "$LATEST",
			"Status":          "Active", "AvailableStatus": "Available", "CodeResult": "success",
		} {
			if got := at(f, path); got != want {
				t.Errorf("%s: got %v, want %v", path, got, want)
			}
		}
		if f["CodeSize"].(float64) == 0 || !strings.HasPrefix(f["FunctionId"].(string), "lam-") {
			t.Errorf("code of %v bytes, id %v", f["CodeSize"], f["FunctionId"])
		}
	})
	t.Run("what is not given has the service's defaults", func(t *testing.T) {
		r.call("CreateFunction",
			function(t, "bare", object{"MemorySize": nil, "Timeout": nil, "Environment": nil, "Namespace": "blue"}))
		f := r.call("GetFunction", object{"FunctionName": "bare", "Namespace": "blue"})
		for path, want := range map[string]any{"MemorySize": 128.0, "Timeout": 3.0, "InitTimeout": 65.0,
			"Namespace": "blue", "Description": ""} {
			if got := at(f, path); got != want {
				t.Errorf("%s: got %v, want %v", path, got, want)
			}
		}
		r.refused("ResourceNotFound.Function", "GetFunction", object{"FunctionName": "bare"})
	})
	t.Run("it runs with its environment", func(t *testing.T) {
		if a := r.invoke(object{"FunctionName": "probe"}); a.env("COLOUR") != "blue" || a.Function != "probe" {
			t.Errorf("got %+v", a)
		}
	})
	t.Run("a name that is taken is refused, and the function stays", func(t *testing.T) {
		r.refused("ResourceInUse.FunctionName", "CreateFunction",
			function(t, "probe", object{"Environment": variables("COLOUR", "green")}))
		if a := r.invoke(object{"FunctionName": "probe"}); a.env("COLOUR") != "blue" {
			t.Errorf("got %+v", a)
		}
	})
}

// plain is a value as JSON gives it.
func plain(t testing.TB, v any) (out any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// at follows a path of keys and indexes.
func at(v any, path string) any {
	for _, key := range strings.Split(path, ".") {
		switch is := v.(type) {
		case object:
			v = is[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(is) {
				return nil
			}
			v = is[i]
		default:
			return nil
		}
	}
	return v
}

func TestCreateFunctionRefuses(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(_ *emulator.Config, c *api.Config) { c.Roles = []string{"QCS_SCFExcuteRole"} })
	for why, c := range map[string]struct {
		code   string
		change object
	}{
		"no name":         {"MissingParameter", object{"FunctionName": nil}},
		"no code":         {"MissingParameter.Code", object{"Code": nil}},
		"code of nothing": {"MissingParameter.Code", object{"Code": object{}}},
		"no runtime":      {"MissingParameter.Runtime", object{"Runtime": nil}},
		"no handler":      {"MissingParameter", object{"Handler": nil}},
		"a name of 61 characters": {"InvalidParameterValue.FunctionName",
			object{"FunctionName": strings.Repeat("a", 61)}},
		"a name with a path":      {"InvalidParameterValue.FunctionName", object{"FunctionName": "../probe"}},
		"a namespace with a path": {"InvalidParameterValue.NamespaceInvalid", object{"Namespace": "../.."}},
		"another runtime":         {"InvalidParameterValue.Runtime", object{"Runtime": "Nodejs18.15"}},
		"a web function":          {"InvalidParameterValue.FunctionType", object{"Type": "HTTP"}},
		"another source":          {"InvalidParameterValue.CodeSource", object{"CodeSource": "Git"}},
		"a handler with a path":   {"InvalidParameterValue.Handler", object{"Handler": "../main"}},
		"memory off the steps":    {"InvalidParameterValue.Memory", object{"MemorySize": 200}},
		"too much memory":         {"LimitExceeded.Memory", object{"MemorySize": 4096}},
		"no time":                 {"InvalidParameterValue", object{"Timeout": 0}},
		"too much time":           {"LimitExceeded.Timeout", object{"Timeout": 901}},
		"a long description": {"InvalidParameterValue.Description",
			object{"Description": strings.Repeat("a", 1001)}},
		"an environment above 4 KB": {"InvalidParameterValue.EnvironmentExceededLimit",
			object{"Environment": variables("LONG", strings.Repeat("x", 4093))}},
		"a reserved variable": {"InvalidParameterValue.EnvironmentSystemProtect",
			object{"Environment": variables("SCF_KEY", "x")}},
		"a variable with a dash": {"InvalidParameterValue.Environment",
			object{"Environment": variables("A-B", "x")}},
		"a variable twice": {"InvalidParameterValue.Environment",
			object{"Environment": variables("AB", "x", "AB", "y")}},
		"a network without its subnet": {"InvalidParameterValue.Vpc", object{"VpcConfig": object{"VpcId": "vpc-1"}}},
		"a log without its topic":      {"InvalidParameterValue.Cls", object{"ClsLogsetId": "x"}},
		"a queue without a name": {"InvalidParameterValue.DeadLetterConfig",
			object{"DeadLetterConfig": object{"Type": "CMQ-QUEUE"}}},
		"a layer without a version": {"InvalidParameterValue.Layers",
			object{"Layers": []object{{"LayerName": "x"}}}},
		"a role that is not there": {"ResourceNotFound.Role", object{"Role": "nobody"}},
		"a tag without a key":      {"InvalidParameter", object{"Tags": []object{{"Value": "x"}}}},
		"a flag that is none":      {"InvalidParameterValue.AsyncRunEnable", object{"AsyncRunEnable": "yes"}},
		"a public network that is odd": {"InvalidParameterValue.PublicNetConfig",
			object{"PublicNetConfig": object{"PublicNetStatus": "ON"}}},
		"text for a number":           {"InvalidParameter", object{"MemorySize": "256"}},
		"a parameter that is unknown": {"UnknownParameter", object{"MemorySizes": 256}},
		"another capital":             {"UnknownParameter", object{"functionName": "probe"}},
		"an unknown one below":        {"UnknownParameter", object{"Environment": object{"Variable": []object{}}}},
		"no base64": {"InvalidParameterValue.ZipFileBase64BinasciiError",
			object{"Code": object{"ZipFile": "***"}}},
		"no zip": {"InvalidParameterValue.ZipFile",
			object{"Code": object{"ZipFile": "bm8gemlw"}}},
		"two sources": {"InvalidParameterValue.Code",
			object{"Code": object{"ZipFile": "bm8=", "CosBucketName": "b", "CosObjectName": "/o"}}},
		"no COS here": {"ResourceNotFound.Cos",
			object{"Code": object{"CosBucketName": "b", "CosObjectName": "/o"}}},
		"an object without a slash": {"InvalidParameterValue.CosObjectName",
			object{"Code": object{"CosBucketName": "b", "CosObjectName": "o"}}},
		"no bucket": {"InvalidParameterValue.CosBucketName",
			object{"Code": object{"CosObjectName": "/o"}}},
	} {
		t.Run(why, func(t *testing.T) {
			if e := r.refused(c.code, "CreateFunction",
				function(t, "refused", c.change)); e.RequestID == "" || e.Message == "" {
				t.Errorf("got %+v", e)
			}
		})
	}
	if got := r.call("ListFunctions", object{})["TotalCount"]; got != 0.0 {
		t.Errorf("%v functions were made", got)
	}
	if all := r.platform.Functions(); len(all) != 0 {
		t.Errorf("the platform has %v", all)
	}
}

func TestUpdateFunction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call("CreateFunction", function(t, "probe", object{
		"Environment": variables("COLOUR", "blue", "SHAPE", "round"),
		"Layers":      []object{{"LayerName": "a", "LayerVersion": 1}},
		"VpcConfig":   object{"VpcId": "vpc-1", "SubnetId": "subnet-1"}, "InitTimeout": 90,
	}))
	name := object{"FunctionName": "probe"}
	with := func(more object) object {
		all := object{"FunctionName": "probe"}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	get := func() object { return r.call("GetFunction", name) }

	t.Run("settings that are given change, and the others stay", func(t *testing.T) {
		r.call("UpdateFunctionConfiguration",
			with(object{"MemorySize": 128, "Environment": variables("COLOUR", "green"), "TraceEnable": "FALSE"}))
		f := get()
		for path, want := range map[string]any{"MemorySize": 128.0, "Timeout": 20.0, "VpcConfig.VpcId": "vpc-1",
			"Layers.0.LayerName": "a", "InitTimeout": 90.0} {
			if got := at(f, path); got != want {
				t.Errorf("%s: got %v, want %v", path, got, want)
			}
		}
		if a := r.invoke(name); a.env("COLOUR") != "green" || a.env("SHAPE") != "" {
			t.Errorf("got %v", a.Environ)
		}
	})
	t.Run("what is given empty is cleared", func(t *testing.T) {
		r.call("UpdateFunctionConfiguration", with(object{
			"Environment": variables("", ""), "VpcConfig": object{"VpcId": "", "SubnetId": ""},
			"Layers": []object{{"LayerName": "", "LayerVersion": 0}},
		}))
		f := get()
		if at(f, "Environment.Variables.0") != nil || at(f, "VpcConfig.VpcId") != "" || at(f, "Layers.0") != nil {
			t.Errorf("got %v, %v, %v", f["Environment"], f["VpcConfig"], f["Layers"])
		}
	})
	t.Run("what is refused changes nothing", func(t *testing.T) {
		before := get()
		r.refused("InvalidParameterValue.Memory", "UpdateFunctionConfiguration",
			with(object{"MemorySize": 3, "Timeout": 7}))
		r.refused("InvalidParameterValue.ZipFile", "UpdateFunctionCode",
			with(object{"ZipFile": "bm8gemlw", "Handler": "other"}))
		r.refused("MissingParameter.Code", "UpdateFunctionCode", name)
		delete(before, "RequestId")
		after := get()
		delete(after, "RequestId")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
	})
	t.Run("code is changed, from either place of a request", func(t *testing.T) {
		r.call("UpdateFunctionCode", with(object{"ZipFile": zipFile(t), "Handler": "main"}))
		r.call("UpdateFunctionCode", with(object{"Code": object{"ZipFile": zipFile(t)}, "CodeSource": "ZipFile"}))
		r.invoke(name)
	})
	t.Run("code without the handler fails the update, with the reason, and the old code goes on", func(t *testing.T) {
		r.call("UpdateFunctionCode", with(object{"ZipFile": zipFile(t), "Handler": "other"}))
		f := get()
		if f["Status"] != "UpdateFailed" || !strings.Contains(fmt.Sprint(f["StatusReasons"]), "holds no file other") {
			t.Errorf("got %v, %v", f["Status"], f["StatusReasons"])
		}
		i, err := r.platform.Invoke(t.Context(), "probe", []byte(`{}`), emulator.InvokeOptions{})
		if err != nil || i.Error != nil {
			t.Errorf("invoke: %v, %v", err, i.Error)
		}
		r.refused("FailedOperation.FunctionStatusError", "Invoke", name)
		r.call("UpdateFunctionCode", with(object{"ZipFile": zipFile(t), "Handler": "main"}))
		r.invoke(name)
	})
	t.Run("Publish makes a version of what was updated", func(t *testing.T) {
		r.call("UpdateFunctionConfiguration",
			with(object{"Environment": variables("COLOUR", "red"), "Publish": "TRUE"}))
		r.call("UpdateFunctionConfiguration", with(object{"Environment": variables("COLOUR", "white")}))
		if a := r.invoke(with(object{"Qualifier": "1"})); a.env("COLOUR") != "red" || a.Version != "1" {
			t.Errorf("got %+v", a)
		}
		r.refused("InvalidParameterValue", "UpdateFunctionConfiguration", with(object{"Publish": "yes"}))
	})
	t.Run("a function that is not there", func(t *testing.T) {
		other := object{"FunctionName": "other", "ZipFile": zipFile(t)}
		r.refused("ResourceNotFound.Function", "UpdateFunctionCode", other)
		r.refused("ResourceNotFound.Function", "UpdateFunctionConfiguration", object{"FunctionName": "other"})
		r.refused("ResourceNotFound.Function", "DeleteFunction", object{"FunctionName": "other"})
		r.refused("MissingParameter", "GetFunction", object{})
	})
}

func TestListFunctions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, name := range []string{"dump", "clean", "dump-2"} {
		r.call("CreateFunction",
			function(t, name, object{"Description": "the " + name, "Tags": []object{{"Key": "job", "Value": name}}}))
	}
	r.call("CreateFunction", function(t, "blue", object{"Namespace": "other"}))
	for why, c := range map[string]struct {
		request object
		want    string
	}{
		"all":               {object{"Orderby": "FunctionName", "Order": "ASC"}, "clean dump dump-2, of 3"},
		"downwards":         {object{"Orderby": "FunctionName"}, "dump-2 dump clean, of 3"},
		"in the order made": {object{"Orderby": "AddTime", "Order": "ASC"}, "dump clean dump-2, of 3"},
		"a page": {object{"Orderby": "FunctionName", "Order": "ASC", "Offset": 1, "Limit": 1},
			"dump, of 3"},
		"behind the end": {object{"Offset": 7}, ", of 3"},
		"by a part of a name": {object{"SearchKey": "dump", "Orderby": "FunctionName", "Order": "ASC"},
			"dump dump-2, of 2"},
		"by a description": {object{"Description": "the clean"}, "clean, of 1"},
		"of a namespace":   {object{"Namespace": "other"}, "blue, of 1"},
		"by a tag": {object{"Filters": []object{{"Name": "tag-job", "Values": []string{"clean", "x"}}}},
			"clean, of 1"},
		"by a status": {object{"Filters": []object{{"Name": "Status", "Values": []string{"Creating"}}}},
			", of 0"},
	} {
		t.Run(why, func(t *testing.T) {
			l := r.call("ListFunctions", c.request)
			var names []string
			for _, f := range l["Functions"].([]any) {
				names = append(names, f.(object)["FunctionName"].(string))
			}
			if got := fmt.Sprintf("%s, of %v", strings.Join(names, " "), l["TotalCount"]); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	r.refused("InvalidParameterValue.OrderBy", "ListFunctions", object{"Orderby": "Size"})
	r.refused("InvalidParameterValue.Order", "ListFunctions", object{"Order": "UP"})
	r.refused("InvalidParameterValue.Offset", "ListFunctions", object{"Offset": -1})
	r.refused("InvalidParameterValue.Limit", "ListFunctions", object{"Limit": -1})
	r.refused("InvalidParameterValue.Filters", "ListFunctions",
		object{"Filters": []object{{"Name": "Colour", "Values": []string{"x"}}}})
}

func TestDeleteFunction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call("CreateFunction", function(t, "probe"))
	r.call("CreateTrigger", timer("hourly"))
	r.call("DeleteFunction", object{"FunctionName": "probe"})
	r.refused("ResourceNotFound.Function", "GetFunction", object{"FunctionName": "probe"})
	if len(r.platform.Functions()) != 0 || len(r.platform.Triggers()) != 0 {
		t.Errorf("the platform has %v, %v", r.platform.Functions(), r.platform.Triggers())
	}
	r.call("CreateFunction", function(t, "probe"))
	if got := r.call("ListTriggers", object{"FunctionName": "probe"})["TotalCount"]; got != 0.0 {
		t.Errorf("made again it has %v triggers", got)
	}
}

// timer is a request for a timer of the probe, with changes.
func timer(name string, change ...object) object {
	tr := object{
		"FunctionName": "probe", "TriggerName": name, "Type": "timer", "TriggerDesc": "0 0 * * * * *",
		"Enable": "OPEN", "Qualifier": "$DEFAULT",
	}
	for _, c := range change {
		for k, v := range c {
			if v == nil {
				delete(tr, k)
			} else {
				tr[k] = v
			}
		}
	}
	return tr
}
