package rawjson

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// Escaped tells whether a string, with its quotes, has to be decoded to be read.
func Escaped(quoted []byte) bool { return bytes.IndexByte(quoted, '\\') >= 0 }

// Decode adds to dst what a string, with its quotes, stands for. Half of a pair
// of surrogates becomes U+FFFD, as in encoding/json.
func Decode(dst, quoted []byte) []byte {
	text := quoted[1 : len(quoted)-1]
	for len(text) > 0 {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(dst, text[:i]...)
		dst, text = decodeEscape(dst, text[i:])
	}
	return dst
}

func decodeEscape(dst, text []byte) (decoded, rest []byte) {
	switch b := text[1]; b {
	case 'u':
		r := unit(text)
		text = text[6:]
		if utf16.IsSurrogate(r) {
			if len(text) >= 6 && text[0] == '\\' && text[1] == 'u' {
				if pair := utf16.DecodeRune(r, unit(text)); pair != utf8.RuneError {
					return utf8.AppendRune(dst, pair), text[6:]
				}
			}
			r = utf8.RuneError
		}
		return utf8.AppendRune(dst, r), text
	case 'b':
		dst = append(dst, '\b')
	case 'f':
		dst = append(dst, '\f')
	case 'n':
		dst = append(dst, '\n')
	case 'r':
		dst = append(dst, '\r')
	case 't':
		dst = append(dst, '\t')
	default:
		dst = append(dst, b)
	}
	return dst, text[2:]
}

func unit(text []byte) rune {
	return rune(hex(text[2])<<12 | hex(text[3])<<8 | hex(text[4])<<4 | hex(text[5]))
}

// AppendString adds text to dst as a string with quotes. Bytes that are not UTF-8
// have no place in JSON: each becomes U+FFFD, and clean is false.
func AppendString(dst, text []byte) (out []byte, clean bool) {
	dst, clean = append(dst, '"'), true
	for p := 0; ; {
		q := plain(text, p)
		dst = append(dst, text[p:q]...)
		if p = q; p >= len(text) {
			return append(dst, '"'), clean
		}
		b := text[p]
		if b < utf8.RuneSelf {
			dst = appendEscape(dst, b)
			p++
			continue
		}
		_, size := utf8.DecodeRune(text[p:])
		if size == 1 {
			dst, clean = append(dst, "\uFFFD"...), false
		} else {
			dst = append(dst, text[p:p+size]...)
		}
		p += size
	}
}

func appendEscape(dst []byte, b byte) []byte {
	switch b {
	case '"', '\\':
		return append(dst, '\\', b)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
}

// Equal tells whether a string, with its quotes, stands for text.
func Equal(quoted []byte, text string) bool {
	if !Escaped(quoted) {
		return string(quoted[1:len(quoted)-1]) == text
	}
	var buffer [64]byte
	return string(Decode(buffer[:0], quoted)) == text
}
