package media

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

func FuzzProbe(f *testing.F) {
	f.Add([]byte(`{"streams":[{"index":0,"codec_type":"video","codec_name":"h264","width":320,"height":240,"avg_frame_rate":"25/1","start_time":"0.0","duration":"3.0","disposition":{"attached_pic":0}}],"format":{"duration":"3.023220"}}`))
	f.Add([]byte(`{"streams":[{"width":-1,"avg_frame_rate":"1/0","duration":"NaN"}],"format":{"duration":"1e300"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		info, err := parseProbe(text)
		if err != nil {
			return
		}
		if info.Duration < 0 {
			t.Errorf("duration %v", info.Duration)
		}
		for _, s := range info.Streams {
			if s.Duration < 0 || s.Width < 0 || s.Height < 0 || s.Index < 0 || s.FrameRate != s.FrameRate {
				t.Errorf("%+v", s)
			}
		}
		_ = DefaultLimits().check(info)
	})
}

func FuzzProgress(f *testing.F) {
	f.Add([]byte("frame=10\nout_time_us=1000000\nspeed=1.5x\nprogress=end\n"), 3)
	f.Add([]byte("out_time_us=N/A\nspeed=N/A\nprogress=continue\n"), 1)
	f.Fuzz(func(t *testing.T, text []byte, step int) {
		p := progress{tell: func(now Progress) {
			if now.Time < 0 || now.Frames < 0 || !(now.Speed >= 0) {
				t.Errorf("%+v", now)
			}
		}}
		step = max(step&0xff, 1)
		for piece := range bytes.Lines(text) {
			for len(piece) > 0 {
				n := min(step, len(piece))
				p.take(piece[:n])
				piece = piece[n:]
			}
		}
		if len(p.rest) > mostLine+step {
			t.Errorf("%d bytes are kept", len(p.rest))
		}
	})
}

func FuzzPackets(f *testing.F) {
	f.Add([]byte("packet|stream_index=0|pts_time=0.08|dts_time=0.0|duration_time=0.04\nstream|index=0|codec_name=h264|codec_type=video|width=320|height=240\n"))
	f.Add([]byte("packet|stream_index=-1\n"))
	f.Add([]byte("packet|stream_index=0|pts_time=1e308|duration_time=NaN\nstream|index=0|codec_type=audio\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m := &measure{}
		if m.take(text) != nil {
			return
		}
		if m.duration(Video, Audio) < 0 {
			t.Error("a duration below 0")
		}
		if len(m.rest) > mostLine {
			t.Errorf("%d bytes are kept", len(m.rest))
		}
	})
}

func FuzzSpan(f *testing.F) {
	f.Add("segment-00000,0.000000,2.080000")
	f.Fuzz(func(t *testing.T, line string) {
		if s, err := parseSpan(line); err == nil && s.length() < 0 {
			t.Errorf("%+v", s)
		}
	})
}

func FuzzBoxes(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x00\x00\x00\x08moov"))
	f.Add([]byte("\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x10\x00\x00\x00\x00moov"))
	f.Add([]byte("\x00\x00\x00\x01mdat\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, file []byte) {
		_, _ = layoutOf(t.Context(), bytesSource(file))
	})
}

type bytesSource []byte

func (b bytesSource) Size() int64 { return int64(len(b)) }

func (b bytesSource) Open(_ context.Context, offset, length int64) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(b[offset : offset+length])), nil
}

func TestTail(t *testing.T) {
	t.Parallel()
	t.Run("the end of what is written is kept, in whole lines, without what a terminal would obey", func(t *testing.T) {
		t.Parallel()
		tail := &tail{most: 30}
		_, _ = io.Copy(tail, strings.NewReader("first line\nsecond line\x1b[31m\rthird line\n"))
		if got := tail.String(); got != "second line[31m\nthird line" {
			t.Errorf("got %q", got)
		}
	})
}

func TestSeconds(t *testing.T) {
	t.Parallel()
	t.Run("what is no duration is none", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{"", "N/A", "-1", "NaN", "Inf", "1e300", "0"} {
			if got := seconds(text); got != 0 {
				t.Errorf("%q is %v", text, got)
			}
		}
		if got := seconds("3.5"); got != 3500*time.Millisecond {
			t.Errorf("got %v", got)
		}
	})
}
