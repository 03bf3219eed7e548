package event_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/scf-etl/scf-etl/pkg/event"
)

// sampleCOS is the event in testdata/cos.json.
func sampleCOS() event.COS {
	return event.COS{Records: []event.COSRecord{{
		Event: "cos:ObjectCreated:Put", Time: time.Date(2018, 12, 19, 7, 49, 30, 0, time.UTC),
		AppID: "1250000000", Bucket: "uploads", Region: "gz", Key: "video/in/clip.mp4", Size: 1029,
		URL: "http://uploads-1250000000.cos.ap-guangzhou.myqcloud.com/video/in/clip.mp4",
		Meta: map[string]string{
			"x-cos-request-id": "NWMxOWY4MGFfMjViMjU4NjRfMTUyMV8yNzhhZjM=", "Content-Type": "video/mp4",
		},
		SourceIP: "192.0.2.101",
	}}}
}

func TestCOSDecodesTheSample(t *testing.T) {
	t.Parallel()
	var got event.COS
	if err := got.UnmarshalJSON(must(event.Sample(event.KindCOS))); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleCOS(), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCOSRoundTrip(t *testing.T) {
	t.Parallel()
	want := sampleCOS()
	want.Records[0].Key = "/a//b c&d/深圳.mp4" // a key may begin with a slash
	want.Records[0].VersionID = "MTg0NDY3NDI1"
	want.Records = append(want.Records, event.COSRecord{
		Event: "cos:ObjectRemove:Delete", Time: time.Unix(1, 0).UTC(), AppID: "1", Bucket: "b", Key: "k",
	})
	var got event.COS
	if err := json.Unmarshal(must(json.Marshal(want)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCOSTakesNumbersInQuotes(t *testing.T) {
	t.Parallel()
	payload := strings.NewReplacer(`1029`, `"1029"`, `1545205770`, `"1545205770"`).
		Replace(string(must(event.Sample(event.KindCOS))))
	var got event.COS
	if err := got.UnmarshalJSON([]byte(payload)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleCOS(), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestCOSRefusesWhatIsNoCOSEvent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, from, to, want string }{
		{"the event of another trigger", `"Records"`, `"Record"`, "decode cos event: there are no Records: this is not the event of a COS trigger (byte 0)"},
		{"a record of another trigger", `"eventName"`, `"event"`, "decode cos event: record 0: eventName: it is missing: this is not the event of a COS trigger (byte 21)"},
		{"no time", `"eventTime"`, `"time"`, "decode cos event: record 0: eventTime: it is missing (byte 21)"},
		{"no bucket", `"name": "uploads"`, `"name": ""`, "decode cos event: record 0: cosBucket: appid or name is missing (byte 21)"},
		{"the key of another bucket", `/1250000000/uploads/`, `/1250000000/downloads/`, "decode cos event: record 0: key: it is not /APPID/BUCKET/path of the record's bucket (byte 21)"},
		{"no key", `/1250000000/uploads/video/in/clip.mp4"`, `/1250000000/uploads/"`, "decode cos event: record 0: key: it is not /APPID/BUCKET/path of the record's bucket (byte 21)"},
		{"a size that is no number", `1029`, `"large"`, "decode cos event: record 0: size: want a whole number (byte 436)"},
		{"an event time of the wrong type", `1545205770`, `[]`, "decode cos event: record 0: eventTime: want a whole number, not an array (byte 735)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			payload := strings.Replace(string(must(event.Sample(event.KindCOS))), tt.from, tt.to, 1)
			var got event.COS
			if err := got.UnmarshalJSON([]byte(payload)); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestParseCOSKey(t *testing.T) {
	t.Parallel()
	appID, bucket, path, err := event.ParseCOSKey("/1250000000/uploads/video//in/clip.mp4")
	if err != nil || appID != "1250000000" || bucket != "uploads" || path != "video//in/clip.mp4" {
		t.Errorf("got %q %q %q %v", appID, bucket, path, err)
	}
	for _, key := range []string{"", "/", "clip.mp4", "/clip.mp4", "/1250000000/uploads", "/1250000000/uploads/", "//uploads/a", "/1//a", "1/b/c"} {
		if _, _, _, err := event.ParseCOSKey(key); err == nil {
			t.Errorf("key %q was accepted", key)
		}
	}
}

func TestCOSRecordTellsWhatHappened(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]bool{
		"cos:ObjectCreated:Put":                     {true, false},
		"cos:ObjectCreated:CompleteMultipartUpload": {true, false},
		"cos:ObjectRemove:DeleteMarkerCreated":      {false, true},
		"cos:ObjectRestore:Completed":               {false, false},
	} {
		r := event.COSRecord{Event: name}
		if got := [2]bool{r.Created(), r.Removed()}; got != want {
			t.Errorf("%s: created, removed: got %v, want %v", name, got, want)
		}
	}
}

func TestCOSLogAttrs(t *testing.T) {
	t.Parallel()
	c := sampleCOS()
	if got, want := logLine(t, c.LogAttrs()), "event=cos:ObjectCreated:Put bucket=uploads-1250000000 key=video/in/clip.mp4 size=1029"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	c.Records = append(c.Records, c.Records...)
	if got, want := logLine(t, c.LogAttrs()), "records=2"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
