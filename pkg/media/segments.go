package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"
)

// Segment is one part of an output in segments.
type Segment struct {
	Name     string
	Duration time.Duration
}

// segmentName is that of a segment in the folder of its job.
const segmentName = "segment-%05d"

// watchEvery is how often the folder is held against its budget while ffmpeg writes into it.
const watchEvery = 100 * time.Millisecond

// segments makes an output of HLS: segments that are put as they come, and a playlist that is
// put when all of them together have passed the check.
func (r *run) segments(ctx context.Context) (Output, error) {
	check := r.in.newCheck(ctx, r.task.Preset.Container.form())
	defer check.stop()
	var list []Segment
	ended, err := r.cut(ctx, segmentSpan, "mpegts", func(ctx context.Context, n int, file *os.File, s span) error {
		name := fmt.Sprintf("%s%05d.ts", r.task.Segments, n)
		size, err := r.put(ctx, File{Name: name, Type: ContainerTS.MediaType()}, file, check.write)
		list = append(list, Segment{Name: name, Duration: s.length()})
		r.out.Bytes += size
		return err
	})
	if err != nil {
		return r.out, err
	}
	if err := r.verdict(ended, check); err != nil {
		return r.out, err
	}
	playlist := Playlist(list)
	r.out.Files, r.out.Bytes = len(list)+1, r.out.Bytes+int64(len(playlist))
	file := File{Type: r.task.Preset.Container.MediaType(), Size: int64(len(playlist))}
	return r.out, r.task.Put(ctx, file, bytes.NewReader(playlist))
}

// put puts a file of the folder.
func (r *run) put(ctx context.Context, f File, file *os.File, look func([]byte)) (int64, error) {
	info, err := file.Stat()
	if err != nil {
		return 0, err
	}
	f.Size = info.Size()
	if r.out.Bytes+f.Size > r.in.limits.OutputBytes {
		return 0, inputf(ErrLimit, "the output has more than %d bytes", r.in.limits.OutputBytes)
	}
	return f.Size, r.task.Put(ctx, f, io.TeeReader(file, writerFunc(look)))
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// cut has ffmpeg write segments, and hands over each as soon as it is complete; then it is
// removed. ended is how ffmpeg ended, err any other fault.
func (r *run) cut(
	ctx context.Context, length time.Duration, muxer string, take func(context.Context, int, *os.File, span) error,
) (ended, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stdout, wait, err := r.start(ctx, segmentArguments(length, muxer)...)
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	go r.watch(ctx, cancel)
	lines := lineReader{from: stdout}
	for n := 0; ; n++ {
		line, more := lines.next()
		if !more {
			break
		}
		if err = r.take(ctx, n, line, take); err != nil {
			break
		}
	}
	if err != nil {
		cancel(errStopped)
		_ = wait()
		return nil, err
	}
	ended = wait()
	if over := context.Cause(ctx); errors.Is(over, ErrNoRoom) {
		return nil, over
	}
	return ended, nil
}

// segmentArguments have ffmpeg write segments into the folder, and a line about each to pipe:1.
func segmentArguments(length time.Duration, muxer string) []string {
	return []string{"-f", "segment", "-segment_format", muxer, "-segment_time", decimal(length),
		"-segment_list", "pipe:1", "-segment_list_type", "csv", segmentName}
}

// take hands over one segment.
func (r *run) take(ctx context.Context, n int, line string, take func(context.Context, int, *os.File, span) error) error {
	s, err := parseSpan(line)
	if err != nil {
		return err
	}
	name := fmt.Sprintf(segmentName, n)
	if s.name != name {
		return fmt.Errorf("list of segments: %.100q is not %s", line, name)
	}
	file, err := os.Open(r.in.folder.path(name))
	if err != nil {
		return err
	}
	err = take(ctx, n, file, s)
	return errors.Join(err, file.Close(), os.Remove(file.Name()))
}

// watch ends the run where its files have no room.
func (r *run) watch(ctx context.Context, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := r.in.folder.room(0); err != nil {
				cancel(err)
				return
			}
		}
	}
}

// span is a line of the list of segments.
type span struct {
	name       string
	begin, end float64 // seconds
}

func (s span) length() time.Duration {
	return time.Duration((s.end - s.begin) * float64(time.Second))
}

// parseSpan reads NAME,BEGIN,END.
func parseSpan(line string) (span, error) {
	fields := strings.Split(line, ",")
	if len(fields) != 3 {
		return span{}, fmt.Errorf("list of segments: %.100q is not NAME,BEGIN,END", line)
	}
	s := span{name: fields[0]}
	var err1, err2 error
	s.begin, err1 = strconv.ParseFloat(fields[1], 64)
	s.end, err2 = strconv.ParseFloat(fields[2], 64)
	const most = 1e9
	if err1 != nil || err2 != nil || !(s.end >= s.begin) || math.Abs(s.begin) > most || math.Abs(s.end) > most {
		return span{}, fmt.Errorf("list of segments: %.100q has no begin and end", line)
	}
	return s, nil
}

// lineReader reads lines of a bounded length.
type lineReader struct {
	from io.Reader
	rest []byte
	done bool
}

func (l *lineReader) next() (string, bool) {
	buffer := make([]byte, mostLine)
	for {
		if line, rest, ok := bytes.Cut(l.rest, []byte("\n")); ok {
			l.rest = rest
			return strings.TrimSpace(string(line)), true
		}
		if l.done || len(l.rest) > mostLine {
			return "", false
		}
		n, err := l.from.Read(buffer)
		l.rest, l.done = append(l.rest, buffer[:n]...), err != nil
	}
}

// Playlist is that of a whole video on demand (RFC 8216, 4.3).
func Playlist(segments []Segment) []byte {
	longest := 0.0
	for _, s := range segments {
		longest = max(longest, s.Duration.Seconds())
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%.0f\n#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n",
		math.Max(math.Ceil(longest), 1))
	for _, s := range segments {
		fmt.Fprintf(&b, "#EXTINF:%.6f,\n%s\n", s.Duration.Seconds(), s.Name)
	}
	b.WriteString("#EXT-X-ENDLIST\n")
	return b.Bytes()
}
