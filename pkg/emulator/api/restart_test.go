package api_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/emulator"
	"github.com/scf-etl/scf-etl/pkg/emulator/api"
	"github.com/scf-etl/scf-etl/pkg/emulator/api/apitest"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

// in keeps the state of a rig in a folder.
func in(folder string) func(*emulator.Config, *api.Config) {
	return func(_ *emulator.Config, c *api.Config) { c.State = folder }
}

// all is what the API tells of the probe, without the ids of the requests.
func (r *rig) all() object {
	r.Helper()
	name := object{"FunctionName": "probe"}
	told := object{
		"function": r.call("GetFunction", name),
		"version":  r.call("GetFunction", object{"FunctionName": "probe", "Qualifier": "1"}),
		"versions": r.call("ListVersionByFunction", name), "aliases": r.call("ListAliases", name),
		"triggers": r.call("ListTriggers", name),
		"code":     r.call("GetFunctionAddress", name)["CodeSha256"],
	}
	for _, v := range told {
		if answer, ok := v.(object); ok {
			delete(answer, "RequestId")
		}
	}
	return told
}

func TestRestart(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	brokers, cluster := onKafka(t, 1)
	_ = brokers
	r := newRig(t, in(folder), cluster)
	r.call("CreateFunction", function(t, "probe", object{
		"Environment": variables("COLOUR", "blue"), "Tags": []object{{"Key": "stage", "Value": "dev"}},
		"InitTimeout": 90,
	}))
	r.call("PublishVersion", object{"FunctionName": "probe", "Description": "the first"})
	r.call("PublishVersion", object{"FunctionName": "probe"})
	r.call("DeleteFunction", object{"FunctionName": "probe", "Qualifier": "2"})
	r.call("CreateAlias", object{"FunctionName": "probe", "Name": "live", "FunctionVersion": "$LATEST",
		"RoutingConfig": object{"AdditionalVersionWeights": []object{{"Version": "1", "Weight": 0.25}}}})
	r.call("UpdateFunctionConfiguration", object{"FunctionName": "probe", "Environment": variables("COLOUR", "green")})
	r.call("CreateTrigger", timer("tick", object{"Qualifier": "live", "Description": "each hour"}))
	r.call("CreateTrigger", timer("tock", object{"Enable": "CLOSE"}))
	kafkaTrigger := object{"FunctionName": "probe", "Type": "ckafka", "TriggerName": "ckafka-a-orders",
		"TriggerDesc": `{"offset":"earliest"}`, "Qualifier": "1"}
	r.call("CreateTrigger", kafkaTrigger)
	r.call("CreateTrigger",
		object{"FunctionName": "probe", "Type": "cos", "TriggerName": "media",
			"TriggerDesc": `{"event":"cos:ObjectCreated:*"}`})
	r.call("CreateFunction", function(t, "gone"))
	r.call("DeleteFunction", object{"FunctionName": "gone"})
	before := r.all()
	r.stop()

	t.Run("everything is as it was, also while a cluster is away", func(t *testing.T) {
		r := newRig(t, in(folder)) // no cluster
		if diff := cmp.Diff(before, r.all()); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
		for qualifier, want := range map[string]string{"1": "blue", "$LATEST": "green"} {
			if a := r.invoke(object{"FunctionName": "probe",
				"Qualifier": qualifier}); a.env("COLOUR") != want || a.Version != qualifier {
				t.Errorf("%s: got %+v", qualifier, a)
			}
		}
		r.refused("ResourceNotFound.Function", "GetFunction", object{"FunctionName": "gone"})
		await(t, "all triggers but that of the cluster are made",
			func() bool { return len(r.platform.Triggers()) == 3 })
		r.stop()
	})
	t.Run("a trigger is there once its cluster is", func(t *testing.T) {
		r := newRig(t, in(folder), cluster)
		await(t, "all triggers are made", func() bool { return len(r.platform.Triggers()) == 4 })
		if diff := cmp.Diff(before["triggers"], r.all()["triggers"]); diff != "" {
			t.Errorf("(-before +after):\n%s", diff)
		}
		if got := r.call("PublishVersion", object{"FunctionName": "probe"})["FunctionVersion"]; got != "3" {
			t.Errorf("the next version is %v", got)
		}
		r.stop()
	})
	t.Run("code that nothing has any more is removed", func(t *testing.T) {
		r := newRig(t, in(folder))
		r.call("DeleteFunction", object{"FunctionName": "probe"})
		r.stop()
		left, err := filepath.Glob(filepath.Join(folder, "code", "*"))
		if err != nil || len(left) != 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	})
}

func TestRestartInTheMiddle(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	change, release := held()
	name := object{"FunctionName": "probe"}
	steps := []struct {
		what    string
		do      func(*rig)
		finally func(*rig)
	}{
		{"creating", func(r *rig) { r.call("CreateFunction", function(t, "probe")) }, func(r *rig) { r.invokeOK() }},
		{"updating", func(r *rig) {
			r.call("UpdateFunctionConfiguration",
				object{"FunctionName": "probe", "Environment": variables("COLOUR", "green"), "Publish": "TRUE"})
		}, func(r *rig) {
			for _, qualifier := range []string{"1", "$LATEST"} {
				if a := r.invoke(object{"FunctionName": "probe", "Qualifier": qualifier}); a.env("COLOUR") != "green" {
					t.Errorf("%s: got %+v", qualifier, a)
				}
			}
		}},
		{"publishing", func(r *rig) { r.call("PublishVersion", name) }, func(r *rig) {
			if a := r.invoke(object{"FunctionName": "probe", "Qualifier": "2"}); a.Version != "2" {
				t.Errorf("got %+v", a)
			}
		}},
		{"failing", func(r *rig) {
			r.call("UpdateFunctionCode", object{"FunctionName": "probe", "ZipFile": zipFile(t), "Handler": "other"})
		}, func(r *rig) {
			if f := r.call("GetFunction", name); f["Status"] != "UpdateFailed" {
				t.Errorf("got %v", f)
			}
			if i, err := r.platform.Invoke(t.Context(), "probe", []byte(`{}`),
				emulator.InvokeOptions{}); err != nil || i.Error != nil {
				t.Errorf("the old code: %v, %v", err, i.Error)
			}
		}},
		{"deleting", func(r *rig) { r.call("DeleteFunction", name) },
			func(r *rig) { r.refused("ResourceNotFound.Function", "GetFunction", name) }},
	}
	for _, s := range steps {
		r := newRig(t, in(folder), change)
		s.do(r)
		r.stop()
		r = newRig(t, in(folder))
		s.finally(r)
		r.stop()
	}
	_ = release
}

func TestOneAPIAFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	r := newRig(t, in(folder))
	if other, err := api.New(t.Context(),
		api.Config{Platform: r.platform,
			State: folder}); err == nil || !strings.Contains(err.Error(), "another API uses the folder") {
		t.Errorf("a second one: got %v, %v", other, err)
	}
	r.stop()
	if err := os.WriteFile(filepath.Join(folder, "functions", "x.json"), []byte(`{}`), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := emulator.New(emulator.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if _, err := api.New(t.Context(),
		api.Config{Platform: p, State: folder}); err == nil || !strings.Contains(err.Error(), "x.json") {
		t.Errorf("a file that is no state: got %v", err)
	}
}

// childState names the folder for which this test's binary is an API, until
// it is killed.
const childState = "SCF_API_TEST_STATE"

func runChild(folder string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	p, err := emulator.New(emulator.Config{Dir: filepath.Join(folder, "platform")})
	if err != nil {
		return err
	}
	defer p.Close()
	server, err := api.New(ctx, api.Config{
		Platform: p, State: folder, ChangeTime: time.Millisecond,
		Keys: map[string]secret.String{apitest.SecretID: secret.New(apitest.SecretKey)},
	})
	if err != nil {
		return err
	}
	defer server.Close()
	listener := httptest.NewServer(server)
	defer listener.Close()
	fmt.Println(listener.URL)
	return p.Run(ctx)
}

// child starts an API in a process of its own.
func child(t *testing.T, folder string) (client apitest.Client, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childState+"="+folder)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(kill)
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the API did not start: %v", err)
	}
	return apitest.Client{URL: strings.TrimSpace(url)}, kill
}

// The API is killed at any moment, eight times. What was answered is there
// afterwards, and what was not is there whole or not at all.
func TestKilled(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	name := object{"FunctionName": "probe"}
	answered := 0
	for round := range 8 {
		client, kill := child(t, folder)
		r := &rig{TB: t, client: client}
		if round == 0 {
			r.call("CreateFunction", function(t, "probe", object{"Description": "0"}))
		}
		f := r.active("probe")
		got, err := strconv.Atoi(f["Description"].(string))
		if err != nil || got < answered || got > answered+1 {
			t.Fatalf("round %d: the description is %v, the last that was answered is %d", round, f["Description"],
				answered)
		}
		answered = got
		r.invokeOK()
		time.AfterFunc(time.Duration(round*7)*time.Millisecond, kill)
		answered = r.change(answered)
	}
	client, kill := child(t, folder)
	r := &rig{TB: t, client: client}
	r.active("probe")
	r.call("DeleteFunction", name)
	kill()
	left, err := filepath.Glob(filepath.Join(folder, "functions", "*", "*"+".new"))
	if err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

// change changes the description of the probe until the API is gone, and
// returns the last one that was answered.
func (r *rig) change(from int) (answered int) {
	r.Helper()
	for answered = from; ; {
		next := object{"FunctionName": "probe", "Description": strconv.Itoa(answered + 1)}
		err := r.client.Call(r.Context(), "UpdateFunctionConfiguration", next, nil)
		var refused *apitest.Error
		switch {
		case err == nil:
			answered++
		case !errors.As(err, &refused):
			return answered
		case refused.Code != "FailedOperation.UpdateFunctionConfiguration":
			r.Fatalf("update: %v", err)
		}
	}
}
