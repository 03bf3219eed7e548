package transform

import "github.com/scf-etl/scf-etl/internal/rawjson"

// logfmtFormat is key=value, key="a value" with the escapes of JSON, and key alone,
// which is true; as github.com/go-logfmt/logfmt and github.com/kr/logfmt write it. The
// first reads streams: a decoder with its buffer for each record would take five times
// as long.
type logfmtFormat struct{ prefix string }

func (f logfmtFormat) start() parser { return f }

func (f logfmtFormat) parse(line []byte, d *document) error {
	for p := 0; ; {
		for p < len(line) && line[p] <= ' ' {
			p++
		}
		if p == len(line) {
			return nil
		}
		begin := p
		for p < len(line) && line[p] > ' ' && line[p] != '=' && line[p] != '"' {
			p++
		}
		if p == begin {
			return faultf("the name of a field is missing at byte %d", p)
		}
		name, v := line[begin:p], value{boolean, []byte("true")}
		if p < len(line) && line[p] == '"' {
			return faultf("a quote in the name of a field at byte %d", p)
		}
		if p < len(line) && line[p] == '=' {
			var err error
			if v, p, err = logfmtValue(line, p+1); err != nil {
				return err
			}
		}
		full, key := d.prefixed(f.prefix, name)
		d.put(full, key, v)
	}
}

func logfmtValue(line []byte, p int) (v value, end int, err error) {
	begin := p
	if p == len(line) || line[p] != '"' {
		for p < len(line) && line[p] > ' ' {
			if line[p] == '"' || line[p] == '=' {
				return v, p, faultf("a value with %q in it needs quotes, at byte %d", line[p], p)
			}
			p++
		}
		return value{text, line[begin:p:p]}, p, nil
	}
	for p++; p < len(line) && line[p] != '"'; p++ {
		if line[p] == '\\' {
			p++
		}
	}
	if p >= len(line) {
		return v, p, faultf("a quote without its end at byte %d", begin)
	}
	p++
	if !rawjson.Valid(line[begin:p]) {
		return v, p, faultf("an escape, a control character or an encoding that is wrong in quotes at byte %d", begin)
	}
	if p < len(line) && line[p] > ' ' {
		return v, p, faultf("something right after a quote at byte %d", p)
	}
	return value{quoted, line[begin:p:p]}, p, nil
}
