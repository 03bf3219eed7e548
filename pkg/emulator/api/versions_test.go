package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	name := object{"FunctionName": "probe"}
	r.call("CreateFunction", function(t, "probe", object{"Environment": variables("COLOUR", "blue", "SHAPE", "round")}))
	published := r.call("PublishVersion", object{"FunctionName": "probe", "Description": "the first"})
	for path, want := range map[string]any{
		"FunctionVersion": "1", "Description": "the first", "Handler": "main", "MemorySize": 256.0, "Timeout": 20.0,
		"Runtime": "Go1", "Namespace": "default",
	} {
		if got := at(published, path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	r.call("UpdateFunctionConfiguration",
		object{"FunctionName": "probe", "Environment": variables("COLOUR", "green", "SHAPE", "round"),
			"MemorySize": 128})
	r.call("PublishVersion", name)

	t.Run("a version is as it was", func(t *testing.T) {
		if a := r.invoke(object{"FunctionName": "probe",
			"Qualifier": "1"}); a.env("COLOUR") != "blue" || a.Version != "1" {
			t.Errorf("got %+v", a)
		}
		f := r.call("GetFunction", object{"FunctionName": "probe", "Qualifier": "1"})
		if f["MemorySize"] != 256.0 || f["FunctionVersion"] != "1" || f["Qualifier"] != "1" || f["Description"] != "the first" {
			t.Errorf("got %v", f)
		}
	})
	t.Run("all are listed", func(t *testing.T) {
		l := r.call("ListVersionByFunction", object{"FunctionName": "probe", "OrderBy": "AddTime", "Order": "ASC"})
		if diff := cmp.Diff([]any{"$LATEST", "1", "2"}, l["FunctionVersion"]); diff != "" || l["TotalCount"] != 3.0 {
			t.Errorf("of %v (-want +got):\n%s", l["TotalCount"], diff)
		}
		if at(l, "Versions.1.Status") != "Active" || at(l, "Versions.1.Description") != "the first" {
			t.Errorf("got %v", l)
		}
		r.refused("InvalidParameterValue.OrderBy", "ListVersionByFunction",
			object{"FunctionName": "probe", "OrderBy": "Size"})
	})
	t.Run("one that is used is not deleted, and another is", func(t *testing.T) {
		r.call("CreateAlias", object{"FunctionName": "probe", "Name": "live", "FunctionVersion": "1"})
		r.call("CreateTrigger", timer("tick", object{"Qualifier": "2"}))
		r.refused("UnsupportedOperation.AliasBind", "DeleteFunction", object{"FunctionName": "probe", "Qualifier": "1"})
		r.refused("FailedOperation.DeleteFunction", "DeleteFunction", object{"FunctionName": "probe", "Qualifier": "2"})
		r.call("DeleteTrigger", timer("tick", object{"Qualifier": "2", "Enable": nil}))
		r.call("DeleteFunction", object{"FunctionName": "probe", "Qualifier": "2"})
		r.refused("ResourceNotFound.Qualifier", "GetFunction", object{"FunctionName": "probe", "Qualifier": "2"})
		r.refused("ResourceNotFound.Qualifier", "DeleteFunction", object{"FunctionName": "probe", "Qualifier": "2"})
		r.refused("InvalidParameterValue.Qualifier", "DeleteFunction",
			object{"FunctionName": "probe", "Qualifier": "$LATEST"})
		if got := r.call("PublishVersion", name)["FunctionVersion"]; got != "3" {
			t.Errorf("the next number is %v", got)
		}
	})
	r.refused("ResourceNotFound.Qualifier", "Invoke", object{"FunctionName": "probe", "Qualifier": "9"})
	r.refused("ResourceNotFound.Function", "PublishVersion", object{"FunctionName": "other"})
}

func TestAliases(t *testing.T) {
	t.Parallel()
	turn := 0
	r := newRig(t, func(c *emulator.Config, _ *api.Config) {
		c.Random = func() float64 { // one invocation at a time
			turn++
			return []float64{0.05, 0.5}[turn%2]
		}
	})
	r.call("CreateFunction", function(t, "probe"))
	r.call("PublishVersion", object{"FunctionName": "probe"})
	r.call("PublishVersion", object{"FunctionName": "probe"})
	alias := func(name, version string, more ...object) object {
		a := object{"FunctionName": "probe", "Name": name, "FunctionVersion": version}
		for _, m := range more {
			for k, v := range m {
				a[k] = v
			}
		}
		return a
	}
	weights := func(version string, weight float64) object {
		return object{"RoutingConfig": object{"AdditionalVersionWeights": []object{{"Version": version,
			"Weight": weight}}}}
	}
	versions := func(n int, more object) string {
		var got []string
		for range n {
			request := object{"FunctionName": "probe", "Qualifier": "live"}
			for k, v := range more {
				request[k] = v
			}
			got = append(got, r.invoke(request).Version)
		}
		return strings.Join(got, " ")
	}

	t.Run("$DEFAULT is there, and follows $LATEST until it is set", func(t *testing.T) {
		a := r.call("GetAlias", object{"FunctionName": "probe", "Name": "$DEFAULT"})
		if a["FunctionVersion"] != "$LATEST" || fmt.Sprint(at(a, "RoutingConfig.AdditionalVersionWeights")) != "[]" {
			t.Errorf("got %v", a)
		}
		r.call("UpdateAlias", alias("$DEFAULT", "1"))
		if a := r.invoke(object{"FunctionName": "probe", "Qualifier": "$DEFAULT"}); a.Version != "1" {
			t.Errorf("got %v", a)
		}
		result := r.call("InvokeFunction", object{"FunctionName": "probe", "Event": `{}`})["Result"].(object)
		if !strings.Contains(result["RetMsg"].(string), `"Version":"1"`) {
			t.Errorf("InvokeFunction without a qualifier: got %v", result)
		}
	})
	t.Run("an alias sends a share to another version", func(t *testing.T) {
		r.call("CreateAlias", alias("live", "1", weights("2", 0.1), object{"Description": "what users get"}))
		if got := versions(4, nil); got != "1 2 1 2" {
			t.Errorf("got %s", got)
		}
		a := r.call("GetAlias", object{"FunctionName": "probe", "Name": "live"})
		if at(a, "RoutingConfig.AdditionalVersionWeights.0.Version") != "2" || at(a,
			"RoutingConfig.AdditionalVersionWeights.0.Weight") != 0.1 ||
			a["Description"] != "what users get" {
			t.Errorf("got %v", a)
		}
	})
	t.Run("an update replaces the routing", func(t *testing.T) {
		r.call("UpdateAlias", alias("live", "2"))
		if got := versions(2, nil); got != "2 2" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("a match goes by the routing key", func(t *testing.T) {
		r.call("UpdateAlias", alias("live", "1", object{"RoutingConfig": object{"AddtionVersionMatchs": []object{
			{"Version": "2", "Key": "invoke.headers.User", "Method": "exact", "Expression": "anna"},
		}}}))
		if got := versions(1, object{"RoutingKey": `{"User":"anna"}`}) + versions(1,
			object{"RoutingKey": `{"User":"otto"}`}); got != "21" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("all are listed, or those of a version", func(t *testing.T) {
		for request, want := range map[string]string{"": "$DEFAULT live", "2": "live", "$LATEST": ""} {
			var names []string
			for _, a := range r.call("ListAliases",
				object{"FunctionName": "probe", "FunctionVersion": request})["Aliases"].([]any) {
				names = append(names, a.(object)["Name"].(string))
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("of version %q: got %q, want %q", request, got, want)
			}
		}
		if l := r.call("ListAliases", object{"FunctionName": "probe", "Offset": "1", "Limit": "1"}); at(l,
			"Aliases.0.Name") != "live" || l["TotalCount"] != 2.0 {
			t.Errorf("got %v", l)
		}
	})
	t.Run("what is refused changes nothing", func(t *testing.T) {
		for why, c := range map[string]struct {
			code, action string
			request      object
		}{
			"a name that is taken":        {"ResourceInUse.Alias", "CreateAlias", alias("live", "1")},
			"a name with a digit first":   {"InvalidParameterValue.Name", "CreateAlias", alias("1live", "1")},
			"no name":                     {"MissingParameter", "CreateAlias", alias("", "1")},
			"no version":                  {"MissingParameter", "CreateAlias", alias("next", "")},
			"a version that is not there": {"ResourceNotFound.FunctionVersion", "CreateAlias", alias("next", "9")},
			"an additional one neither": {"ResourceNotFound.FunctionVersion", "CreateAlias",
				alias("next", "1", weights("9", 0.1))},
			"a weight above 1": {"InvalidParameterValue.RoutingConfig", "CreateAlias",
				alias("next", "1", weights("2", 1.1))},
			"its own version as another": {"InvalidParameterValue.RoutingConfig", "UpdateAlias",
				alias("live", "1", weights("1", 0.1))},
			"an alias that is not there": {"ResourceNotFound.Alias", "UpdateAlias", alias("next", "1")},
			"nor to be told of": {"ResourceNotFound.Alias", "GetAlias",
				object{"FunctionName": "probe", "Name": "next"}},
			"nor to be deleted": {"ResourceNotFound.Alias", "DeleteAlias",
				object{"FunctionName": "probe", "Name": "next"}},
			"the default to be deleted": {"InvalidParameterValue.Alias", "DeleteAlias",
				object{"FunctionName": "probe", "Name": "$DEFAULT"}},
			"a page that is no number": {"InvalidParameterValue.Limit", "ListAliases",
				object{"FunctionName": "probe", "Limit": "x"}},
			"an alias of another function": {"ResourceNotFound.Function", "CreateAlias",
				object{"FunctionName": "other", "Name": "live", "FunctionVersion": "1"}},
			"a routing key that is none": {"InvalidParameterValue.Param", "Invoke",
				object{"FunctionName": "probe", "RoutingKey": "[]"}},
		} {
			t.Run(why, func(t *testing.T) { r.refused(c.code, c.action, c.request) })
		}
		if got := r.call("ListAliases", object{"FunctionName": "probe"})["TotalCount"]; got != 2.0 {
			t.Errorf("%v aliases", got)
		}
	})
	t.Run("it is deleted once no trigger invokes it", func(t *testing.T) {
		live := object{"FunctionName": "probe", "Name": "live"}
		r.call("CreateTrigger", timer("tick", object{"Qualifier": "live"}))
		r.refused("FailedOperation.DeleteAlias", "DeleteAlias", live)
		r.call("DeleteTrigger", timer("tick", object{"Qualifier": "live", "Enable": nil}))
		r.call("DeleteAlias", live)
		r.refused("ResourceNotFound.Qualifier", "Invoke", object{"FunctionName": "probe", "Qualifier": "live"})
	})
}
