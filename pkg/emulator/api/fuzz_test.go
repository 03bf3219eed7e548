package api_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
	"github.com/scf-etl/scf-etl/pkg/emulator/api/tc3"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// answered checks that an answer is one of the API.
func answered(t *testing.T, w *httptest.ResponseRecorder) {
	t.Helper()
	var a struct {
		Response struct {
			RequestId string
			Error     *struct{ Code, Message string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || w.Code != http.StatusOK || a.Response.RequestId == "" {
		t.Errorf("status %d, answer %q: %v", w.Code, w.Body, err)
	}
	if e := a.Response.Error; e != nil && (e.Code == "" || e.Code == "InternalError") {
		t.Errorf("got %+v", e)
	}
}

// A signed request with any body gets an answer. The function that there is
// may be changed by it.
func FuzzBody(f *testing.F) {
	r := newRig(f)
	// why no real program: none is started, and it is copied at each change.
	folder := f.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "main"), nil, 0o755); err != nil {
		f.Fatal(err)
	}
	small := apitest.ZipFile(apitest.Zip(f, folder))
	r.call("CreateFunction",
		object{"FunctionName": "probe", "Handler": "main", "Runtime": "Go1", "Code": object{"ZipFile": small}})
	for action, body := range map[string]string{
		"CreateFunction":              `{"FunctionName":"other","Handler":"main","Runtime":"Go1","Code":{"ZipFile":"UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}}`,
		"UpdateFunctionCode":          `{"FunctionName":"probe","ZipFile":""}`,
		"UpdateFunctionConfiguration": `{"FunctionName":"probe","Environment":{"Variables":[{"Key":"AB","Value":"x"}]},"Layers":[]}`,
		"CreateTrigger":               `{"FunctionName":"probe","TriggerName":"t","Type":"timer","TriggerDesc":"{\"cron\":\"0 0 * * * * *\"}"}`,
		"UpdateTrigger":               `{"FunctionName":"probe","TriggerName":"ckafka-a-b","Type":"ckafka","TriggerDesc":"{\"maxMsgNum\":\"1\",\"offset\":1}"}`,
		"CreateAlias": `{"FunctionName":"probe","Name":"a","FunctionVersion":"1","RoutingConfig":{"AdditionalVersionWeights":[{"Version":"1","Weight":1e300}],` +
			`"AddtionVersionMatchs":[{"Version":"1","Key":"invoke.headers.U","Method":"range","Expression":"[1,2]"}]}}`,
		"ListAliases":     `{"FunctionName":"probe","Offset":"1","Limit":"99999999999999999999"}`,
		"ListFunctions":   `{"Offset":9223372036854775807,"Limit":10000,"Filters":[{"Name":"tag-","Values":null}]}`,
		"GetFunctionLogs": `{"FunctionName":"probe","Offset":9223372036854775807,"Limit":1,"StartTime":"0000-00-00 00:00:00","EndTime":""}`,
		"Invoke":          `{"FunctionName":"nobody","ClientContext":"{}","RoutingKey":"{\"a\":\"b\"}"}`,
		"DeleteFunction":  `{"FunctionName":"probe","Qualifier":"1"}`,
		"GetFunction":     `null`,
		"GetAlias":        `{"FunctionName":"probe","FunctionName":1}`,
	} {
		f.Add(action, []byte(body))
	}
	f.Fuzz(func(t *testing.T, action string, body []byte) {
		q := httptest.NewRequest(http.MethodPost, "http://localhost:9583/", bytes.NewReader(body))
		for name, value := range map[string]string{
			"Content-Type": "application/json", "X-TC-Action": action, "X-TC-Version": "2018-04-16",
			"X-TC-Region": "ap-guangzhou",
		} {
			q.Header[http.CanonicalHeaderKey(name)] = []string{value}
		}
		tc3.Sign(q, body, "scf", apitest.SecretID, secret.New(apitest.SecretKey), time.Now())
		w := httptest.NewRecorder()
		r.server.ServeHTTP(w, q)
		answered(t, w)
	})
}

// A request with any headers gets an answer, and nothing is done for one that
// is not signed.
func FuzzHeaders(f *testing.F) {
	r := newRig(f)
	f.Add("TC3-HMAC-SHA256 Credential=local/2019-02-25/scf/tc3_request, SignedHeaders=content-type;host, Signature=00", "1551113065", "application/json", "/")
	f.Add("SKIP", "", "", "/code/x.zip?until=1")
	f.Fuzz(func(t *testing.T, authorization, timestamp, contentType, path string) {
		q := httptest.NewRequest(http.MethodPost, "http://localhost:9583/", bytes.NewReader([]byte(`{}`)))
		q.URL.Path = path
		for name, value := range map[string]string{
			"Authorization": authorization, "X-Tc-Timestamp": timestamp, "Content-Type": contentType,
			"X-Tc-Action": "ListFunctions", "X-Tc-Version": "2018-04-16", "X-Tc-Region": "ap-guangzhou",
		} {
			q.Header[name] = []string{value}
		}
		w := httptest.NewRecorder()
		r.server.ServeHTTP(w, q)
		answered(t, w)
		if bytes.Contains(w.Body.Bytes(), []byte("TotalCount")) {
			t.Errorf("answered %q", authorization)
		}
	})
}
