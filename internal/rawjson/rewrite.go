package rawjson

// Rewrite adds a checked value to dst with every string and number in it that is no
// name of a member passed through f. f adds what stands in its place and returns
// true, or returns false for no change. Where nothing changes, Rewrite returns dst
// as it was and false.
func Rewrite(dst, value []byte, f func(dst, scalar []byte) ([]byte, bool)) (out []byte, changed bool) {
	s := scanner{text: value}
	done, begin := 0, len(dst)
	for p := 0; p < len(value); {
		b := value[p]
		end := p + 1
		switch {
		case b == '"':
			end = s.str(p)
			if colon := s.space(end); colon < len(value) && value[colon] == ':' {
				p = colon + 1
				continue
			}
		case b == '-' || b-'0' <= 9:
			end = s.number(p)
		default:
			p = end
			continue
		}
		before := len(dst)
		dst = append(dst, value[done:p]...)
		var replaced bool
		if dst, replaced = f(dst, value[p:end]); replaced {
			done, changed = end, true
		} else {
			dst = dst[:before]
		}
		p = end
	}
	if !changed {
		return dst[:begin], false
	}
	return append(dst, value[done:]...), true
}
