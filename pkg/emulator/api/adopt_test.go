package api_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// What is deployed to the platform otherwise, as etl up does.
func TestAdopted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	f := scf.Function{
		Name: "probe", Handler: "main", Runtime: "Go1", Namespace: "default", MemorySize: 256, Timeout: 20,
		Environment: map[string]string{"COLOUR": "blue"},
		Events: []scf.Trigger{
			{Timer: &scf.TimerTrigger{Name: "hourly", Cron: "0 0 * * * * *", Enabled: true, Qualifier: "$DEFAULT"}},
			{COS: &scf.COSTrigger{Bucket: "media", Events: "cos:ObjectCreated:*", Enabled: true,
				Qualifier: "$DEFAULT"}},
		},
	}
	deploy := func() {
		t.Helper()
		if err := r.platform.Deploy(t.Context(), f, probeDir); err != nil {
			t.Fatal(err)
		}
	}
	deploy()
	name := object{"FunctionName": "probe"}

	t.Run("it looks as if it had been deployed by the API", func(t *testing.T) {
		other := newRig(t)
		other.call("CreateFunction", function(t, "probe", object{"Environment": variables("COLOUR", "blue")}))
		other.call("CreateTrigger", timer("hourly"))
		other.call("CreateTrigger", object{
			"FunctionName": "probe", "Type": "cos", "TriggerName": "media",
			"TriggerDesc": `{"event":"cos:ObjectCreated:*"}`, "Qualifier": "$DEFAULT",
		})
		for _, action := range []string{"GetFunction", "ListTriggers", "ListAliases", "ListVersionByFunction"} {
			request := object{"FunctionName": "probe"}
			if action == "ListTriggers" {
				request["Order"] = "ASC"
			}
			if diff := cmp.Diff(lasting(other.call(action, request)), lasting(r.call(action, request))); diff != "" {
				t.Errorf("%s (-deployed by the API +otherwise):\n%s", action, diff)
			}
		}
	})
	t.Run("it is invoked, published and changed, with its code", func(t *testing.T) {
		r.call("PublishVersion", name)
		r.call("UpdateFunctionConfiguration",
			object{"FunctionName": "probe", "Environment": variables("COLOUR", "green")})
		for qualifier, want := range map[string]string{"1": "blue", "$LATEST": "green"} {
			if a := r.invoke(object{"FunctionName": "probe", "Qualifier": qualifier}); a.env("COLOUR") != want {
				t.Errorf("%s: got %+v", qualifier, a)
			}
		}
		r.call("UpdateTrigger", timer("hourly", object{"TriggerDesc": "30 0 * * * * *"}))
		r.refused("FailedOperation.GetFunctionAddress", "GetFunctionAddress", name)
	})
	t.Run("deployed anew it is as it was deployed, with its versions", func(t *testing.T) {
		f.MemorySize = 512
		deploy()
		if got := r.call("GetFunction", name); got["MemorySize"] != 512.0 || at(got,
			"Environment.Variables.0.Value") != "blue" {
			t.Errorf("got %v", got)
		}
		if got := r.trigger("hourly")["TriggerDesc"]; got != `{"cron":"0 0 * * * * *"}` {
			t.Errorf("got %v", got)
		}
		if a := r.invoke(object{"FunctionName": "probe", "Qualifier": "1"}); a.Version != "1" {
			t.Errorf("got %+v", a)
		}
	})
	t.Run("removed it is gone", func(t *testing.T) {
		if err := r.platform.Remove(t.Context(), "probe"); err != nil {
			t.Fatal(err)
		}
		r.refused("ResourceNotFound.Function", "GetFunction", name)
	})
}

// lasting is an answer without what differs from call to call.
func lasting(v any) any {
	switch is := v.(type) {
	case object:
		out := object{}
		for k, v := range is {
			switch k {
			case "RequestId", "AddTime", "ModTime", "CodeSize":
			default:
				out[k] = lasting(v)
			}
		}
		return out
	case []any:
		var out []any
		for _, v := range is {
			out = append(out, lasting(v))
		}
		return out
	}
	return v
}
