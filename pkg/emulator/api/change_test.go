package api_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
)

// held lets no change end until release is called, once for each.
func held() (change func(*emulator.Config, *api.Config), release func()) {
	gate := make(chan time.Time)
	return func(_ *emulator.Config, c *api.Config) {
		c.ChangeTime, c.After = time.Hour, func(time.Duration) <-chan time.Time { return gate }
	}, func() { gate <- time.Time{} }
}

func TestStates(t *testing.T) {
	t.Parallel()
	change, release := held()
	r := newRig(t, change)
	name := object{"FunctionName": "probe"}
	status := func() any { return r.call("GetFunction", name)["Status"] }
	with := func(more object) object {
		all := object{"FunctionName": "probe"}
		for k, v := range more {
			all[k] = v
		}
		return all
	}
	code := with(object{"ZipFile": zipFile(t)})

	r.call("CreateFunction", function(t, "probe"))
	if got := status(); got != "Creating" {
		t.Fatalf("after CreateFunction: %v", got)
	}
	for action, c := range map[string]struct {
		code    string
		request object
	}{
		"CreateFunction":              {"ResourceInUse.FunctionName", function(t, "probe")},
		"UpdateFunctionCode":          {"FailedOperation.UpdateFunctionCode", code},
		"UpdateFunctionConfiguration": {"FailedOperation.UpdateFunctionConfiguration", with(object{"Timeout": 3})},
		"DeleteFunction":              {"FailedOperation.DeleteFunction", name},
		"CreateTrigger":               {"FailedOperation.CreateTrigger", timer("tick")},
		"UpdateTrigger":               {"FailedOperation.UpdateTrigger", timer("tick")},
		"UpdateTriggerStatus": {"FailedOperation.UpdateTriggerStatus",
			with(object{"TriggerName": "tick", "Type": "timer", "Enable": "OPEN"})},
		"DeleteTrigger": {"FailedOperation.DeleteTrigger",
			with(object{"TriggerName": "tick", "Type": "timer"})},
		"PublishVersion": {"FailedOperation.PublishVersion", name},
		"CreateAlias": {"FailedOperation.FunctionStatusError",
			with(object{"Name": "live", "FunctionVersion": "$LATEST"})},
		"DeleteAlias": {"FailedOperation.DeleteAlias", with(object{"Name": "live"})},
		"Invoke":      {"FailedOperation.FunctionStatusError", name},
	} {
		if e := r.refused(c.code, action, c.request); action != "CreateFunction" && !strings.Contains(e.Message,
			"Creating") {
			t.Errorf("%s: %v", action, e)
		}
	}
	release()
	r.active("probe")
	r.invokeOK()

	r.call("UpdateFunctionCode", code)
	if got := status(); got != "Updating" {
		t.Errorf("after UpdateFunctionCode: %v", got)
	}
	r.refused("FailedOperation.UpdateFunctionConfiguration", "UpdateFunctionConfiguration", with(object{"Timeout": 3}))
	if i, err := r.platform.Invoke(t.Context(), "probe", []byte(`{}`),
		emulator.InvokeOptions{}); err != nil || i.Error != nil {
		t.Errorf("what a trigger would send meanwhile: %v, %v", err, i.Error)
	}
	release()
	r.active("probe")

	r.call("PublishVersion", name)
	if got := r.call("GetFunction", with(object{"Qualifier": "1"}))["Status"]; got != "Publishing" {
		t.Errorf("after PublishVersion: %v", got)
	}
	r.refused("FailedOperation.FunctionVersionStatusNotActive", "CreateAlias",
		with(object{"Name": "live", "FunctionVersion": "1"}))
	release()
	await(t, "the version is Active",
		func() bool { return r.call("GetFunction", with(object{"Qualifier": "1"}))["Status"] == "Active" })
	r.call("CreateAlias", with(object{"Name": "live", "FunctionVersion": "1"}))

	r.call("DeleteFunction", name)
	if got := status(); got != "Deleting" {
		t.Errorf("after DeleteFunction: %v", got)
	}
	r.refused("FailedOperation.DeleteFunction", "DeleteFunction", name)
	release()
	await(t, "it is gone", func() bool {
		var e *apitest.Error
		return errors.As(r.client.Call(t.Context(), "GetFunction", name, nil),
			&e) && e.Code == "ResourceNotFound.Function"
	})
}

func (r *rig) invokeOK() {
	r.Helper()
	if result := r.call("Invoke", object{"FunctionName": "probe"})["Result"].(object); result["InvokeResult"] != 0.0 {
		r.Errorf("invoke: %v", result)
	}
}

func TestCreateFailed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	name := object{"FunctionName": "probe"}
	r.call("CreateFunction", function(t, "probe", object{"Handler": "other"}))
	f := r.call("GetFunction", name)
	if f["Status"] != "CreateFailed" || at(f, "StatusReasons.0.ErrorCode") != "FailedOperation.CreateFunction" ||
		!strings.Contains(fmt.Sprint(at(f, "StatusReasons.0.ErrorMessage")),
			"holds no file other") || f["StatusDesc"] == "" {
		t.Errorf("got %v, %v", f["Status"], f["StatusReasons"])
	}
	r.refused("FailedOperation.UpdateFunctionCode", "UpdateFunctionCode",
		object{"FunctionName": "probe", "ZipFile": zipFile(t)})
	r.refused("FailedOperation.FunctionStatusError", "Invoke", name)
	r.call("DeleteFunction", name)
	r.call("CreateFunction", function(t, "probe"))
	r.invokeOK()
}

func TestCodeFromCOS(t *testing.T) {
	t.Parallel()
	packed := apitest.Zip(t, probeDir)
	r := newRig(t, func(_ *emulator.Config, c *api.Config) {
		c.Object = func(_ context.Context, bucket, key string) (io.ReadCloser, error) {
			switch bucket + "/" + key {
			case "code/probe.zip":
				return io.NopCloser(bytes.NewReader(packed)), nil
			case "code/broken.zip":
				return io.NopCloser(io.MultiReader(bytes.NewReader(packed[:100]), &failing{})), nil
			case "code/down.zip":
				return nil, errors.New("the network is down")
			}
			return nil, fmt.Errorf("open: %w", fs.ErrNotExist)
		}
	})
	from := func(object string) any { return map[string]any{"CosBucketName": "code", "CosObjectName": "/" + object} }
	r.refused("ResourceNotFound.CosObject", "CreateFunction", function(t, "probe", object{"Code": from("none.zip")}))
	r.refused("InternalError.Cos", "CreateFunction", function(t, "probe", object{"Code": from("down.zip")}))
	r.refused("InternalError", "CreateFunction", function(t, "probe", object{"Code": from("broken.zip")}))
	r.call("CreateFunction", function(t, "probe", object{"Code": from("probe.zip")}))
	r.invokeOK()
	r.call("UpdateFunctionCode",
		object{"FunctionName": "probe", "CosBucketName": "code", "CosObjectName": "/probe.zip",
			"CosBucketRegion": "ap-guangzhou"})
	r.invokeOK()
}

// failing is a body that ends too early.
type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestFaults(t *testing.T) {
	t.Parallel()
	fault := map[int]api.Fault{0: api.CutBefore, 2: api.ServerError, 4: api.Throttled, 6: api.CutAfter}
	r := newRig(t, func(_ *emulator.Config, c *api.Config) {
		c.Fault = func(action string, n int) api.Fault {
			if action != "CreateFunction" && fault[n] == api.CutAfter {
				return api.NoFault
			}
			return fault[n]
		}
	})
	count := func() any { return r.call("ListFunctions", object{})["TotalCount"] }
	create := func() error { return r.client.Call(t.Context(), "CreateFunction", function(t, "probe"), nil) }
	var known *apitest.Error
	for i, want := range []string{"cut before", "a server error", "throttled"} {
		err := create()
		if err == nil || errors.As(err, &known) != (want == "throttled") {
			t.Errorf("%s: got %v", want, err)
		}
		if want == "throttled" && known.Code != "RequestLimitExceeded" {
			t.Errorf("%s: got %v", want, known)
		}
		if n := count(); n != 0.0 {
			t.Errorf("%s, request %d: %v functions", want, i, n)
		}
	}
	if err := create(); err == nil || errors.As(err, new(*apitest.Error)) {
		t.Errorf("cut after: got %v", err)
	}
	if n := count(); n != 1.0 {
		t.Errorf("cut after the effect: %v functions", n)
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	now := time.Now()
	var calls []api.Call
	r := newRig(t, func(_ *emulator.Config, c *api.Config) {
		c.RateLimit, c.Now = 2, func() time.Time { return now }
		c.Called = func(call api.Call) { calls = append(calls, call) }
	})
	for range 2 {
		r.call("ListFunctions", object{})
	}
	r.refused("RequestLimitExceeded", "ListFunctions", object{})
	r.refused("ResourceNotFound.Function", "GetFunction", object{"FunctionName": "probe"}) // another action
	now = now.Add(time.Second)
	r.call("ListFunctions", object{})
	if len(calls) != 5 || calls[2].Code != "RequestLimitExceeded" || calls[3].Function != "probe" || calls[4].Code != "" {
		t.Errorf("calls: %+v", calls)
	}
}
