package media

import (
	"bytes"
	"context"
	"encoding/binary"
)

// layout is where the parts of an MP4 are, as far as they matter for reading it from the
// front (ISO 14496-12, 4.2).
type layout struct {
	indexFirst bool // moov is before the media
	fragmented bool // the header does not know the duration
}

// mostBoxes bounds how many boxes are looked at before the media is found.
const mostBoxes = 64

// mvexBytes is how much of moov is searched for mvex, the mark of a fragmented file. It is behind
// the tracks, which are short in such a file.
const mvexBytes = 64 << 10

// layoutOf goes from box to box up to the media. A file without an index is refused: it was
// cut short, and nothing can be made of it.
func layoutOf(ctx context.Context, s Source) (layout, error) {
	var l layout
	media := false
	at := int64(0)
	for range mostBoxes {
		if at >= s.Size() {
			break
		}
		head, err := readAt(ctx, s, at, 16)
		if err != nil {
			return l, err
		}
		size, kind, ok := box(head, s.Size()-at)
		if !ok {
			break
		}
		switch kind {
		case "moov":
			if at+size > s.Size() {
				return l, inputf(ErrFormat, "the index of the MP4 is cut short: upload the file again")
			}
			l.indexFirst = !media
			begin, err := readAt(ctx, s, at, min(size, mvexBytes))
			if err != nil {
				return l, err
			}
			l.fragmented = bytes.Contains(begin, []byte("mvex"))
			return l, nil
		case "mdat":
			media = true
		}
		at += size
	}
	return l, inputf(ErrFormat, "the MP4 has no index (moov): it was cut short while it was written or uploaded, upload it again")
}

// box reads the head of a box; rest is how many bytes there are from its begin on.
func box(head []byte, rest int64) (size int64, kind string, ok bool) {
	if len(head) < 8 {
		return 0, "", false
	}
	size, kind = int64(binary.BigEndian.Uint32(head)), string(head[4:8])
	switch {
	case size == 0: // up to the end of the file
		return rest, kind, true
	case size == 1 && len(head) >= 16:
		large := binary.BigEndian.Uint64(head[8:])
		if large < 16 || large > 1<<62 {
			return 0, "", false
		}
		return int64(large), kind, true
	case size < 8:
		return 0, "", false
	}
	return size, kind, true
}
