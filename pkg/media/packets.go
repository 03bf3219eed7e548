package media

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// measure counts the packets of a stream of media, from the lines that ffprobe writes about
// each of them.
type measure struct {
	rest    []byte
	streams map[int]*measured
}

// measured is what was counted of one stream.
type measured struct {
	kind          Kind
	codec         string
	width, height int
	packets       int64
	first, end    float64 // seconds
	timed         bool
}

// measureArgs are what ffprobe is to say, for measure.
func measureArgs() []string {
	return []string{"-hide_banner", "-v", "error", "-of", "compact", "-show_entries",
		"packet=stream_index,pts_time,dts_time,duration_time:stream=index,codec_type,codec_name,width,height"}
}

// mostStreams and mostLine bound what is believed of ffprobe.
const (
	mostStreams = 1024
	mostLine    = 4096
)

// take reads the next piece of the output of ffprobe.
func (m *measure) take(text []byte) error {
	m.rest = append(m.rest, text...)
	for {
		line, rest, whole := bytes.Cut(m.rest, []byte("\n"))
		if !whole {
			if len(m.rest) > mostLine {
				return fmt.Errorf("answer of ffprobe: a line of more than %d bytes", mostLine)
			}
			m.rest = append(m.rest[:0:0], m.rest...)
			return nil
		}
		m.rest = rest
		if err := m.line(string(bytes.TrimSpace(line))); err != nil {
			return err
		}
	}
}

// line reads packet|stream_index=0|pts_time=1.5|... or stream|index=0|...
func (m *measure) line(line string) error {
	kind, rest, _ := strings.Cut(line, "|")
	number := "stream_index"
	if kind == "stream" {
		number = "index"
	} else if kind != "packet" {
		return nil
	}
	values := map[string]string{}
	for field := range strings.SplitSeq(rest, "|") {
		key, value, _ := strings.Cut(field, "=")
		values[key] = value
	}
	index, err := strconv.Atoi(values[number])
	if err != nil || index < 0 || index >= mostStreams {
		return fmt.Errorf("answer of ffprobe: %.100q has no number of a stream", line)
	}
	s := m.streams[index]
	if s == nil {
		s = &measured{}
		if m.streams == nil {
			m.streams = map[int]*measured{}
		}
		m.streams[index] = s
	}
	if kind == "stream" {
		s.kind, s.codec = Kind(values["codec_type"]), values["codec_name"]
		s.width, _ = strconv.Atoi(values["width"])
		s.height, _ = strconv.Atoi(values["height"])
		return nil
	}
	s.packets++
	at, err := strconv.ParseFloat(values["pts_time"], 64)
	if err != nil {
		if at, err = strconv.ParseFloat(values["dts_time"], 64); err != nil {
			return nil // why: a packet without a time counts, and says nothing about the duration
		}
	}
	length, _ := strconv.ParseFloat(values["duration_time"], 64)
	if !s.timed || at < s.first {
		s.first = at
	}
	if !s.timed || at+length > s.end {
		s.end = at + length
	}
	s.timed = true
	return nil
}

// duration is from the first packet of all streams of the kinds to the end of the last.
func (m *measure) duration(kinds ...Kind) time.Duration {
	var first, end float64
	timed := false
	for _, s := range m.streams {
		for _, kind := range kinds {
			if s.kind != kind || !s.timed {
				continue
			}
			if !timed || s.first < first {
				first = s.first
			}
			if !timed || s.end > end {
				end = s.end
			}
			timed = true
		}
	}
	return seconds(strconv.FormatFloat(end-first, 'f', 6, 64))
}

// has tells the first stream of a kind that has packets.
func (m *measure) has(kind Kind) (*measured, bool) {
	for index := range mostStreams {
		if s := m.streams[index]; s != nil && s.kind == kind && s.packets > 0 {
			return s, true
		}
		if len(m.streams) <= index {
			break
		}
	}
	return nil, false
}
