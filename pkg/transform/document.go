package transform

import (
	"hash/maphash"

	"github.com/scf-etl/scf-etl/internal/rawjson"
)

type kind uint8

const (
	missing kind = iota
	text         // raw is the text itself
	quoted       // raw is a JSON string with its quotes
	number       // raw is a JSON number
	boolean      // raw is true or false
	null         // raw is null
	object       // raw is a JSON object
	array        // raw is a JSON array
)

// value is a slice of what came in, or of the arena, and how to read it.
type value struct {
	kind kind
	raw  []byte
}

// jsonValue is a checked JSON value.
func jsonValue(raw []byte) value {
	switch raw[0] {
	case '"':
		return value{quoted, raw}
	case '{':
		return value{object, raw}
	case '[':
		return value{array, raw}
	case 't', 'f':
		return value{boolean, raw}
	case 'n':
		return value{null, raw}
	}
	return value{number, raw}
}

type field struct {
	name []byte
	key  []byte // the name as JSON
	value
	begin, end int // of the member in the text that it was parsed from; end is 0 for none
}

// within tells whether the member still stands in text as it was parsed from it.
func (f *field) within(text []byte) bool {
	n := len(f.raw)
	return f.end > 0 && f.end <= len(text) && n > 0 && f.end-n > f.begin &&
		&text[f.end-n] == &f.raw[0] && &text[f.begin] == &f.key[0]
}

// document is the fields of one record, in order. Values are slices; what is made
// anew goes to the arena, which the next record uses again.
type document struct {
	fields  []field
	arena   []byte
	members []rawjson.Member
	index   index
	names   uint64 // a bit for each name, which others may share: what lacks it is not there
	lossy   bool   // a text that was not UTF-8 has become JSON
}

func (d *document) reset() {
	d.names, d.lossy = 0, false
	d.fields, d.arena = d.fields[:0], d.arena[:0]
	d.index.size = 0
}

// keep returns what f adds to the arena. The capacity ends with it, so that nobody
// appends over what comes next.
func (d *document) keep(f func(dst []byte) []byte) []byte {
	begin := len(d.arena)
	d.arena = f(d.arena)
	return d.since(begin)
}

func (d *document) since(begin int) []byte { return d.arena[begin:len(d.arena):len(d.arena)] }

// wide is how many fields are searched one by one.
const wide = 32

func (d *document) find(name []byte) *field {
	if len(d.fields) > wide {
		return d.index.find(d, name)
	}
	for i := range d.fields {
		if f := &d.fields[i]; string(f.name) == string(name) && f.kind != missing {
			return f
		}
	}
	return nil
}

func (d *document) findText(name string) *field {
	if len(d.fields) > wide {
		return d.index.find(d, []byte(name))
	}
	for i := range d.fields {
		if f := &d.fields[i]; string(f.name) == name && f.kind != missing {
			return f
		}
	}
	return nil
}

// put gives the field of a name its value: in its place, or at the end.
func (d *document) put(name, key []byte, v value) *field {
	if bit := nameBit(name); d.names&bit == 0 {
		d.names |= bit
	} else if f := d.find(name); f != nil {
		f.value = v
		return f
	}
	d.fields = append(d.fields, field{name: name, key: key, value: v})
	return &d.fields[len(d.fields)-1]
}

func nameBit(name []byte) uint64 {
	if len(name) == 0 {
		return 1
	}
	return 1 << ((len(name) ^ int(name[0])*7 ^ int(name[len(name)/2])*3 ^ int(name[len(name)-1])) & 63)
}

// place is where a path leads: to a field, or to a member of one that is an object.
type place struct {
	field  *field // nil where there is none
	member bool
	begin  int // of the member in the text of the field
	size   int // 0 where there is no such member
	alone  bool
}

// locate finds the place of a path, and the value there.
func (d *document) locate(p *path) (place, value) {
	if f := d.findText(p.text); f != nil {
		return place{field: f}, f.value
	}
	if len(p.parts) == 1 {
		return place{}, value{}
	}
	f := d.findText(p.parts[0])
	if f == nil || f.kind != object {
		return place{}, value{}
	}
	raw, begin, alone := rawjson.Get(f.raw, p.parts[1:])
	if raw == nil {
		return place{field: f, member: true}, value{}
	}
	return place{field: f, member: true, begin: begin, size: len(raw), alone: alone}, jsonValue(raw)
}

// get returns the value at a path; its kind is missing where there is none.
func (d *document) get(p *path) value {
	_, v := d.locate(p)
	return v
}

// set gives a path its value: in an object where the path begins with one, else
// as a field.
func (d *document) set(p *path, v value) {
	at, _ := d.locate(p)
	d.store(at, p, v)
}

// store is set at a place that is known. A missing value removes.
func (d *document) store(at place, p *path, v value) {
	switch {
	case at.member && (at.size > 0 || v.kind != missing):
		d.replace(at, p, v)
	case at.member:
	case at.field != nil:
		at.field.value = v
	case v.kind != missing:
		d.names |= nameBit(p.name)
		d.fields = append(d.fields, field{name: p.name, key: p.key, value: v})
	}
}

// replace makes the object of a member anew.
func (d *document) replace(at place, p *path, v value) {
	var member []byte
	if v.kind != missing {
		begin := len(d.arena)
		d.arena = d.appendJSON(d.arena, v)
		member = d.since(begin)
	}
	begin, old := len(d.arena), at.field.raw
	if member != nil && at.alone {
		d.arena = append(append(append(d.arena, old[:at.begin]...), member...), old[at.begin+at.size:]...)
	} else {
		d.arena = rawjson.Put(d.arena, old, p.parts[1:], member)
	}
	at.field.raw = d.since(begin)
}

func (d *document) remove(p *path) { d.set(p, value{}) }

// text is what a value reads as: strings decoded, other kinds as their JSON.
func (d *document) text(v value) []byte {
	if v.kind != quoted {
		return v.raw
	}
	if !rawjson.Escaped(v.raw) {
		return v.raw[1 : len(v.raw)-1]
	}
	begin := len(d.arena)
	d.arena = rawjson.Decode(d.arena, v.raw)
	return d.since(begin)
}

// appendJSON adds a value as JSON.
func (d *document) appendJSON(dst []byte, v value) []byte {
	if v.kind != text {
		return append(dst, v.raw...)
	}
	dst, clean := rawjson.AppendString(dst, v.raw)
	d.lossy = d.lossy || !clean
	return dst
}

// index finds fields of wide records by a hash of their names. Without it, a
// record with n names would cost n*n comparisons.
type index struct {
	seed  maphash.Seed
	slots []int32 // number of a field, plus 1
	size  int     // fields that are in slots
}

func (x *index) find(d *document, name []byte) *field {
	if len(x.slots) == 0 {
		x.seed = maphash.MakeSeed()
	}
	if x.size == 0 || 2*len(d.fields) > len(x.slots) {
		x.rebuild(len(d.fields))
	}
	for ; x.size < len(d.fields); x.size++ {
		i := x.slot(d.fields[x.size].name)
		for x.slots[i] != 0 {
			i = (i + 1) & (len(x.slots) - 1)
		}
		x.slots[i] = int32(x.size + 1)
	}
	for i := x.slot(name); x.slots[i] != 0; i = (i + 1) & (len(x.slots) - 1) {
		if f := &d.fields[x.slots[i]-1]; string(f.name) == string(name) && f.kind != missing {
			return f
		}
	}
	return nil
}

func (x *index) slot(name []byte) int { return int(maphash.Bytes(x.seed, name)) & (len(x.slots) - 1) }

func (x *index) rebuild(fields int) {
	size := max(len(x.slots), 128)
	for size < 4*fields {
		size *= 2
	}
	x.size = 0
	if size == len(x.slots) {
		clear(x.slots)
		return
	}
	x.slots = make([]int32, size)
}
