package media

import (
	"bytes"
	"encoding/binary"
)

// Format is a container that is taken as input.
type Format string

// The formats. Each holds its media itself: none can name another file or an address that
// FFmpeg would open.
const (
	MP4      Format = "mp4" // and MOV, M4A, 3GP
	Matroska Format = "matroska"
	MPEGTS   Format = "mpegts"
	MPEGPS   Format = "mpeg"
	AVI      Format = "avi"
	FLV      Format = "flv"
	WAV      Format = "wav"
	MP3      Format = "mp3"
	AAC      Format = "aac" // in ADTS
	FLAC     Format = "flac"
	Ogg      Format = "ogg"
)

// demuxer is the name of FFmpeg's, and whitelist what -format_whitelist compares with all
// of its names.
func (f Format) demuxer() (name, whitelist string) {
	switch f {
	case MP4:
		return "mov", "mov,mp4,m4a,3gp,3g2,mj2"
	case Matroska:
		return "matroska", "matroska,webm"
	}
	return string(f), string(f)
}

// SniffBytes is how much of the begin of a file Sniff looks at.
const SniffBytes = 4096

const packetTS = 188 // bytes of a packet of an MPEG transport stream (ISO 13818-1, 2.4.3.2)

// Sniff tells the format of a file by its first bytes, [SniffBytes] of them or all where
// it is shorter. ok is false for everything else: playlists, pictures, text, nothing.
func Sniff(begin []byte) (format Format, ok bool) {
	at := func(offset int, magic string) bool {
		return len(begin) >= offset+len(magic) && string(begin[offset:offset+len(magic)]) == magic
	}
	switch {
	case isBox(begin):
		return MP4, true
	case at(0, "\x1a\x45\xdf\xa3"): // EBML (RFC 8794)
		return Matroska, true
	case at(0, "RIFF") && at(8, "AVI "):
		return AVI, true
	case at(0, "RIFF") && at(8, "WAVE"):
		return WAV, true
	case at(0, "FLV\x01"):
		return FLV, true
	case at(0, "OggS"):
		return Ogg, true
	case at(0, "fLaC"):
		return FLAC, true
	case at(0, "\x00\x00\x01\xba"): // a pack header (ISO 13818-1, 2.5.3.3)
		return MPEGPS, true
	case at(0, "G") && at(packetTS, "G") && (at(2*packetTS, "G") || len(begin) == 2*packetTS):
		return MPEGTS, true
	case at(0, "ID3"):
		return MP3, true
	}
	if len(begin) >= 4 && begin[0] == 0xff && begin[1]&0xe0 == 0xe0 {
		switch layer := begin[1] >> 1 & 3; {
		case layer == 0 && begin[1]&0xf0 == 0xf0:
			return AAC, true
		case layer == 1 && begin[1]>>3&3 != 1 && begin[2]>>4 != 15: // layer III, a known version and bit rate
			return MP3, true
		}
	}
	return "", false
}

// isBox says whether a file begins with a box of ISO 14496-12 that such files begin with.
func isBox(begin []byte) bool {
	if len(begin) < 8 {
		return false
	}
	size := binary.BigEndian.Uint32(begin)
	if size != 0 && size != 1 && size < 8 {
		return false
	}
	for _, kind := range []string{"ftyp", "styp", "moov", "mdat", "free", "skip", "wide", "pnot"} {
		if bytes.Equal(begin[4:8], []byte(kind)) {
			return true
		}
	}
	return false
}
