package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
)

func TestInvoke(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(c *emulator.Config, _ *api.Config) { c.Async.RetryInterval = time.Millisecond })
	r.call("CreateFunction", function(t, "probe", object{"Timeout": 2}))
	invoke := func(event string, more ...object) object {
		request := object{"FunctionName": "probe", "ClientContext": event}
		for _, m := range more {
			for k, v := range m {
				request[k] = v
			}
		}
		return r.call("Invoke", request)["Result"].(object)
	}

	t.Run("what worked has its answer, its times and its log", func(t *testing.T) {
		result := invoke(`{"Do":[{"Print":"hello"},{"Answer":"\"done\""}]}`,
			object{"LogType": "Tail", "InvocationType": "RequestResponse"})
		if result["RetMsg"] != `"done"` || result["ErrMsg"] != "" || result["InvokeResult"] != 0.0 {
			t.Errorf("got %v", result)
		}
		if result["BillDuration"].(float64) < 1 || result["Duration"].(float64) <= 0 {
			t.Errorf("times: %v", result)
		}
		id := result["FunctionRequestId"].(string)
		for _, want := range []string{"START RequestId: " + id, "Version: $LATEST", "hello\n",
			"END RequestId: " + id, "Memory: 256MB"} {
			if !strings.Contains(result["Log"].(string), want) {
				t.Errorf("log %q: want %q in it", result["Log"], want)
			}
		}
	})
	t.Run("the log is not given where nobody asks, and 4 KB at most", func(t *testing.T) {
		if got := invoke(`{}`)["Log"]; got != "" {
			t.Errorf("got %q", got)
		}
		event := fmt.Sprintf(`{"Do":[{"Print":%q}]}`, strings.Repeat("ü", 5000))
		if got := invoke(event, object{"LogType": "Tail"})["Log"].(string); len(got) > 4<<10 || len(got) < 4<<10-4 {
			t.Errorf("%d bytes", len(got))
		}
	})
	t.Run("what failed says how, with the status code", func(t *testing.T) {
		for event, want := range map[string]struct {
			code float64
			text string
		}{
			`{"Do":[{"Error":"no such order"}]}`: {430, "no such order"},
			`{"Do":[{"Panic":"oh"}]}`:            {430, "oh"},
			`{"Do":[{"SleepMS":10000}]}`:         {433, "timed out after 2 s"},
			`{"Do":[{"Exit":3}]}`:                {439, "ended"},
			`{"Do":[{"Respond":6291457}]}`:       {407, "6291457 bytes"},
		} {
			result := invoke(event)
			var told struct {
				ErrorMessage, RequestID string
				StatusCode              float64
			}
			if err := json.Unmarshal([]byte(result["ErrMsg"].(string)), &told); err != nil {
				t.Fatalf("%s: %v in %v", event, err, result)
			}
			if result["InvokeResult"] != want.code || told.StatusCode != want.code || !strings.Contains(told.ErrorMessage, want.text) || result["RetMsg"] != "" {
				t.Errorf("%s: got %v", event, result)
			}
		}
	})
	t.Run("an event is taken, and delivered later", func(t *testing.T) {
		result := invoke(`{"Do":[{"Answer":"\"later\""}]}`, object{"InvocationType": "Event"})
		id := result["FunctionRequestId"].(string)
		if result["RetMsg"] != "" || id == "" {
			t.Errorf("got %v", result)
		}
		await(t, "it ran", func() bool {
			l := r.call("GetFunctionLogs", object{"FunctionName": "probe", "FunctionRequestId": id})
			return l["TotalCount"] == 1.0 && at(l, "Data.0.RetMsg") == `"later"`
		})
	})
	t.Run("an event that fails is sent again under its request id, twice", func(t *testing.T) {
		id := invoke(`{"Do":[{"Error":"never"}]}`, object{"InvocationType": "Event"})["FunctionRequestId"]
		var l object
		await(t, "it ran three times", func() bool {
			l = r.call("GetFunctionLogs",
				object{"FunctionName": "probe", "FunctionRequestId": id, "Order": "asc",
					"Filter": object{"RetCode": "UserCodeException"}})
			return l["TotalCount"] == 3.0
		})
		for i := range 3 {
			if at(l, fmt.Sprintf("Data.%d.RetryNum", i)) != float64(i) {
				t.Errorf("got %v", l)
			}
		}
	})
	t.Run("what nothing ran for is refused", func(t *testing.T) {
		for why, c := range map[string]struct {
			code    string
			request object
		}{
			"another type of invocation": {"InvalidParameterValue.InvokeType", object{"InvocationType": "DryRun"}},
			"an event that is no JSON":   {"InvalidParameterValue.Param", object{"ClientContext": "{"}},
			"another type of log":        {"InvalidParameterValue", object{"LogType": "Head"}},
			"an event above 6 MB": {"InvalidParameter.RequestTooLarge",
				object{"ClientContext": `"` + strings.Repeat("x", 6<<20-1) + `"`}},
			"an event above 128 KB": {"InvalidParameter.RequestTooLarge",
				object{"InvocationType": "Event", "ClientContext": `"` + strings.Repeat("x", 128<<10-1) + `"`}},
			"a long routing key": {"InvalidParameterValue.LimitExceeded",
				object{"RoutingKey": strings.Repeat(" ", 1025)}},
			"another function":  {"ResourceNotFound.Function", object{"FunctionName": "other"}},
			"another namespace": {"ResourceNotFound.Function", object{"Namespace": "other"}},
		} {
			t.Run(why, func(t *testing.T) {
				request := object{"FunctionName": "probe"}
				for k, v := range c.request {
					request[k] = v
				}
				r.refused(c.code, "Invoke", request)
			})
		}
	})
	t.Run("an event of 6 MB is taken", func(t *testing.T) {
		result := r.call("Invoke",
			object{"FunctionName": "probe",
				"ClientContext": `"` + strings.Repeat("x", 6<<20-2) + `"`})["Result"].(object)
		if result["FunctionRequestId"] == "" {
			t.Errorf("got %.200v", result)
		}
	})
}

func TestGetFunctionLogs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call("CreateFunction", function(t, "probe"))
	r.call("CreateFunction", function(t, "other"))
	r.call("PublishVersion", object{"FunctionName": "probe"})
	r.call("CreateAlias", object{"FunctionName": "probe", "Name": "live", "FunctionVersion": "1"})
	r.call("Invoke", object{"FunctionName": "other"})
	for _, c := range []object{{"ClientContext": `{"Do":[{"Error":"no"}]}`}, {"Qualifier": "1"},
		{"Qualifier": "live"}, {"ClientContext": `{"Do":[{"SleepMS":30}]}`}} {
		c["FunctionName"] = "probe"
		r.call("Invoke", c)
	}
	zone := time.FixedZone("UTC+8", 8*60*60)
	from, to := time.Now().Add(-time.Hour).In(zone).Format(time.DateTime), time.Now().Add(time.Hour).In(zone).Format(time.DateTime)
	for why, c := range map[string]struct {
		request object
		want    float64
	}{
		"all of a function":      {object{}, 4},
		"those that worked":      {object{"Filter": object{"RetCode": "is0"}}, 3},
		"those that failed":      {object{"Filter": object{"RetCode": "not0"}}, 1},
		"by the function's own":  {object{"Filter": object{"RetCode": "UserCodeException"}}, 1},
		"by time":                {object{"Filter": object{"RetCode": "TimeLimitExceeded"}}, 0},
		"those of a version":     {object{"Qualifier": "1"}, 2},
		"those by an alias":      {object{"Qualifier": "live"}, 1},
		"those of $LATEST":       {object{"Qualifier": "$LATEST"}, 2},
		"those of a time":        {object{"StartTime": from, "EndTime": to}, 4},
		"those of an older time": {object{"StartTime": "2017-05-16 20:00:00", "EndTime": "2017-05-16 20:59:59"}, 0},
		"those of a request":     {object{"FunctionRequestId": "nobody"}, 0},
	} {
		t.Run(why, func(t *testing.T) {
			c.request["FunctionName"] = "probe"
			l := r.call("GetFunctionLogs", c.request)
			if l["TotalCount"] != c.want || len(l["Data"].([]any)) != int(c.want) {
				t.Errorf("got %v", l)
			}
		})
	}
	t.Run("a log tells all of an invocation", func(t *testing.T) {
		l := r.call("GetFunctionLogs", object{"FunctionName": "probe", "OrderBy": "duration", "Limit": 1})
		one := at(l, "Data.0").(object)
		if one["Duration"].(float64) < 30 || one["RetCode"] != 0.0 || one["InvokeFinished"] != 1.0 || one["BillDuration"].(float64) < 30 {
			t.Errorf("the longest: %v", one)
		}
		l = r.call("GetFunctionLogs", object{"FunctionName": "probe", "Filter": object{"RetCode": "not0"}})
		if one := at(l, "Data.0").(object); one["RetCode"] != 430.0 || !strings.Contains(one["RetMsg"].(string),
			"no") || !strings.Contains(one["Log"].(string), "Version: $LATEST") {
			t.Errorf("the failed one: %v", one)
		}
	})
	for why, c := range map[string]struct {
		code    string
		request object
	}{
		"a code that is none": {"InvalidParameterValue.RetCode", object{"Filter": object{"RetCode": "404"}}},
		"half a span":         {"InvalidParameterValue.StartTimeOrEndTime", object{"StartTime": from}},
		"a span of two days": {"InvalidParameterValue.StartTimeOrEndTime",
			object{"StartTime": "2017-05-16 20:00:00", "EndTime": "2017-05-18 20:00:00"}},
		"a time that is none": {"InvalidParameterValue.DateTime",
			object{"StartTime": "today", "EndTime": "tomorrow"}},
		"an order that is none":     {"InvalidParameterValue.Order", object{"Order": "up"}},
		"a column that is none":     {"InvalidParameterValue.OrderBy", object{"OrderBy": "colour"}},
		"too many rows":             {"InvalidParameterValue.Limit", object{"Offset": 9000, "Limit": 1001}},
		"a qualifier that is none":  {"ResourceNotFound.Qualifier", object{"Qualifier": "9"}},
		"a function that is not":    {"ResourceNotFound.Function", object{"FunctionName": "nobody"}},
		"nothing of a function":     {"MissingParameter", object{"FunctionName": ""}},
		"rows from behind the list": {"InvalidParameterValue.Offset", object{"Offset": -1}},
	} {
		t.Run(why, func(t *testing.T) {
			if c.request["FunctionName"] == nil {
				c.request["FunctionName"] = "probe"
			}
			r.refused(c.code, "GetFunctionLogs", c.request)
		})
	}
}

func TestGetFunctionAddress(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.call("CreateFunction", function(t, "probe"))
	a := r.call("GetFunctionAddress", object{"FunctionName": "probe"})
	get := func(url string) (int, int) {
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, len(body)
	}
	size := int(r.call("GetFunction", object{"FunctionName": "probe"})["CodeSize"].(float64))
	url := a["Url"].(string)
	if status, n := get(url); status != http.StatusOK || n != size {
		t.Errorf("got %d with %d bytes, the code has %d", status, n, size)
	}
	sum := a["CodeSha256"].(string)
	for why, other := range map[string]string{
		"another permission": url + "0",
		"a later end":        strings.Replace(url, "until=", "until=9", 1),
		"no permission":      url[:strings.Index(url, "?")],
		"another zip":        strings.Replace(url, sum, strings.Repeat("0", 64), 1),
	} {
		if status, _ := get(other); status != http.StatusForbidden {
			t.Errorf("%s: got %d", why, status)
		}
	}
	r.refused("ResourceNotFound.Function", "GetFunctionAddress", object{"FunctionName": "other"})
}
