package media

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Progress is how far a run is.
type Progress struct {
	Time   time.Duration // of the media that is done
	Frames int64
	Speed  float64 // media time in real time; 0: not known
	Done   bool    // it is the last one
}

// progress reads what ffmpeg -progress writes: lines KEY=VALUE, of which progress ends a
// block.
type progress struct {
	rest []byte
	now  Progress
	tell func(Progress) // may be nil
}

// take reads the next piece. What makes no sense is left out: nothing depends on it.
func (p *progress) take(text []byte) {
	p.rest = append(p.rest, text...)
	for {
		line, rest, whole := bytes.Cut(p.rest, []byte("\n"))
		if !whole {
			if len(p.rest) > mostLine {
				p.rest = nil
			}
			p.rest = append(p.rest[:0:0], p.rest...)
			return
		}
		p.rest = rest
		p.line(string(line))
	}
}

func (p *progress) line(line string) {
	key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
	value = strings.TrimSpace(value)
	switch key {
	case "out_time_us":
		if us, err := strconv.ParseInt(value, 10, 64); err == nil && us >= 0 && us < int64(1)<<62/1000 {
			p.now.Time = time.Duration(us) * time.Microsecond
		}
	case "frame":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 0 {
			p.now.Frames = n
		}
	case "speed":
		if x, err := strconv.ParseFloat(strings.TrimSuffix(value, "x"), 64); err == nil && x >= 0 && x < 1e9 {
			p.now.Speed = x
		}
	case "progress":
		p.now.Done = value == "end"
		if p.tell != nil {
			p.tell(p.now)
		}
	}
}
