package api_test

import (
	"encoding/json"
	"testing"
)

func TestFunction(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call("CreateFunction", function(t, "probe"))
	f := r.active("probe")
	if f["MemorySize"] != 256.0 || f["Handler"] != "main" {
		t.Errorf("got %v", f)
	}
	result := r.call("Invoke", object{"FunctionName": "probe", "ClientContext": `{}`, "LogType": "Tail"})["Result"].(object)
	var answer struct{ Function, Version string }
	if err := json.Unmarshal([]byte(result["RetMsg"].(string)), &answer); err != nil || answer.Function != "probe" {
		t.Errorf("got %v, %v", result, err)
	}
	info := r.call("CreateTrigger", object{
		"FunctionName": "probe", "TriggerName": "hourly", "Type": "timer", "TriggerDesc": "0 0 * * * * *", "Enable": "OPEN", "Qualifier": "$DEFAULT",
	})["TriggerInfo"].(object)
	if info["TriggerDesc"] != `{"cron":"0 0 * * * * *"}` || info["Enable"] != 1.0 {
		t.Errorf("got %v", info)
	}
	if got := r.call("ListTriggers", object{"FunctionName": "probe"})["TotalCount"]; got != 1.0 {
		t.Errorf("got %v", got)
	}
	r.call("DeleteFunction", object{"FunctionName": "probe"})
	r.refused("ResourceNotFound.Function", "GetFunction", object{"FunctionName": "probe"})
}
