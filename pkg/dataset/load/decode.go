package load

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/scf-etl/scf-etl/internal/rawjson"
	"github.com/scf-etl/scf-etl/pkg/dataset"
	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// Change says what becomes of a record with a member that the schema does not have.
type Change string

// The choices.
const (
	// Refuse sends the record to the dead letter.
	Refuse Change = "refuse"
	// Add adds a column for the member, of the type of its first value.
	Add Change = "add"
	// Ignore leaves the member out.
	Ignore Change = "ignore"
)

// UnmarshalText refuses what is no choice.
func (c *Change) UnmarshalText(text []byte) error {
	switch Change(text) {
	case Refuse, Add, Ignore:
		*c = Change(text)
		return nil
	}
	return fmt.Errorf("want refuse, add or ignore")
}

// decoder makes rows of records: of one partition, by one version of a schema.
type decoder struct {
	schema    Schema
	change    Change
	topic     []byte
	partition int64

	rows       *dataset.Rows
	top        map[string][]target // by the name of a member of the record
	guess      []guessed           // the member at each place, from the record before
	required   []int
	time       int   // the column of event time, -1 for none
	partitions []int // columns of folders
	own        int   // the first column of the record's place

	folders  []string // by number
	numbers  map[string]int32
	folderOf []int32 // of each row

	members []rawjson.Member
	text    []byte
	key     []byte
	unknown *inference // of members that the schema does not have; where they are to be added

	lastHour   int64 // whose folder is lastFolder, without columns of folders
	lastFolder int32
}

// target is a column of a member, or of what is in it.
type target struct {
	column int
	kind   dataset.Type
	rest   Path // from the member down; empty: the member itself
	unit   string
	name   string
}

type guessed struct {
	key     []byte // with its quotes
	targets []target
}

func newDecoder(s Schema, change Change, topic string, partition int32) *decoder {
	d := &decoder{
		schema: s, change: change, topic: []byte(topic), partition: int64(partition), rows: dataset.NewRows(s.columns()),
		top: map[string][]target{}, time: -1, own: len(s.Columns), numbers: map[string]int32{}, lastFolder: -1,
	}
	for i, f := range s.Columns {
		path := f.path()
		d.top[path[0]] = append(d.top[path[0]], target{column: i, kind: f.Type, rest: path[1:], unit: f.Unit, name: f.Name})
		if f.Required {
			d.required = append(d.required, i)
		}
		if f.Name == s.Time {
			d.time = i
		}
	}
	for _, name := range s.Partition {
		d.partitions = append(d.partitions, slices.IndexFunc(s.Columns, func(f Field) bool { return f.Name == name }))
	}
	if change == Add {
		d.unknown = newInference()
	}
	return d
}

// reset drops the rows.
func (d *decoder) reset() {
	d.rows.Reset()
	d.folders, d.folderOf, d.lastFolder = d.folders[:0], d.folderOf[:0], -1
	clear(d.numbers)
	if d.unknown != nil {
		d.unknown = newInference()
	}
}

// record makes a row of a record. The error says why it does not fit.
func (d *decoder) record(r batch.Record) error {
	if err := d.row(r); err != nil {
		d.rows.Drop()
		return err
	}
	return nil
}

// maxRecord bounds a record: a page with it has to be one that can be read.
const maxRecord = 32 << 20

func (d *decoder) row(r batch.Record) error {
	if len(r.Value) > maxRecord {
		return fmt.Errorf("it has %d bytes, more than %d", len(r.Value), maxRecord)
	}
	if r.Value != nil { // why: a record without a value is a row whose columns are null, and no fault
		if err := d.object(r.Value); err != nil {
			return err
		}
	}
	for _, column := range d.required {
		if !d.rows.Has(column) {
			return fmt.Errorf("%s is missing, and required", d.schema.Columns[column].Name)
		}
	}
	d.rows.Text(d.own, d.topic)
	d.rows.Int(d.own+1, d.partition)
	d.rows.Int(d.own+2, r.Offset)
	if r.Timestamp >= 0 {
		d.rows.Int(d.own+3, r.Timestamp)
	}
	folder, err := d.folder(r.Timestamp)
	if err != nil {
		return err
	}
	d.folderOf = append(d.folderOf, folder)
	d.rows.End()
	return nil
}

func (d *decoder) object(value []byte) (err error) {
	if d.members, err = rawjson.Object(value, d.members[:0]); err != nil {
		return err
	}
	for i := range d.members {
		m := &d.members[i]
		var targets []target
		if i < len(d.guess) && string(d.guess[i].key) == string(m.Key) {
			targets = d.guess[i].targets
		} else {
			targets = d.find(i, m)
		}
		if targets == nil {
			if err := d.stranger(m); err != nil {
				return err
			}
			continue
		}
		for j := range targets {
			t := &targets[j]
			v := m.Value
			if len(t.rest) > 0 {
				if v[0] != '{' {
					continue
				}
				if v, _, _ = rawjson.Get(v, t.rest); v == nil {
					continue
				}
			}
			if err := d.set(t, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// find looks a member up, and remembers it for the next record.
func (d *decoder) find(i int, m *rawjson.Member) []target {
	d.key = rawjson.Decode(d.key[:0], m.Key)
	targets := d.top[string(d.key)]
	const most = 256 // members that are remembered
	if i < most {
		for len(d.guess) <= i {
			d.guess = append(d.guess, guessed{})
		}
		d.guess[i] = guessed{append(d.guess[i].key[:0], m.Key...), targets}
	}
	return targets
}

// stranger is a member that the schema does not have.
func (d *decoder) stranger(m *rawjson.Member) error {
	switch d.change {
	case Ignore:
		return nil
	case Add:
		d.key = rawjson.Decode(d.key[:0], m.Key)
		if usableName(string(d.key)) && len(d.key) < maxNameBytes/2 &&
			len(d.schema.Columns)+len(d.unknown.names) < maxColumns {
			d.unknown.member(string(d.key), m.Value)
			return nil
		}
	}
	return fmt.Errorf("the schema has no %.100s (SCHEMA_CHANGE decides about that)", m.Key)
}

// set gives a column its value.
func (d *decoder) set(t *target, v []byte) error {
	if v[0] == 'n' {
		d.rows.Null(t.column)
		return nil
	}
	switch t.kind {
	case dataset.String:
		return d.setText(t, v)
	case dataset.Int:
		n, ok := parseInt(v)
		if !ok {
			if n, ok = wholeFloat(v); !ok {
				return t.misfit(v)
			}
		}
		d.rows.Int(t.column, n)
	case dataset.Float:
		f, ok := parseFloat(v)
		if !ok {
			return t.misfit(v)
		}
		d.rows.Float(t.column, f)
	case dataset.Bool:
		if v[0] != 't' && v[0] != 'f' {
			return t.misfit(v)
		}
		d.rows.Bool(t.column, v[0] == 't')
	case dataset.Timestamp:
		ms, ok := d.moment(t, v)
		if !ok {
			return t.misfit(v)
		}
		d.rows.Int(t.column, ms)
	default:
		if v[0] != '"' {
			return t.misfit(v)
		}
		d.text = rawjson.Decode(d.text[:0], v)
		data, err := base64.StdEncoding.AppendDecode(nil, d.text)
		if err != nil {
			return t.misfit(v)
		}
		return t.fits(d.rows.Text(t.column, data))
	}
	return nil
}

// setText takes a text, or what is none as its JSON.
func (d *decoder) setText(t *target, v []byte) error {
	if v[0] == '"' {
		if !rawjson.Escaped(v) {
			v = v[1 : len(v)-1]
		} else {
			d.text = rawjson.Decode(d.text[:0], v)
			v = d.text
		}
	}
	return t.fits(d.rows.Text(t.column, v))
}

func (t *target) fits(ok bool) error {
	if !ok {
		return fmt.Errorf("%s: the text is too long for a column", t.name)
	}
	return nil
}

func (t *target) misfit(v []byte) error {
	return fmt.Errorf("%s is %s, and %.60s is not", t.name, t.kind, v)
}

// wholeFloat reads numbers as 1.0 and 1e3.
func wholeFloat(v []byte) (int64, bool) {
	f, ok := parseFloat(v)
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// powers of ten that a float64 holds exactly.
func power(n int) float64 {
	return [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}[n]
}

// parseFloat reads a JSON number: with at most 15 digits and no exponent by one exact division, else as the library
// does. False for what is no number, or larger than a float64.
func parseFloat(v []byte) (float64, bool) {
	if c := v[0]; c != '-' && (c < '0' || c > '9') {
		return 0, false
	}
	negative := v[0] == '-'
	var mantissa uint64
	digits, fraction, point := 0, 0, false
	rest := v
	if negative {
		rest = v[1:]
	}
	for _, c := range rest {
		switch {
		case c >= '0' && c <= '9':
			mantissa = mantissa*10 + uint64(c-'0')
			if digits++; point {
				fraction++
			}
		case c == '.':
			point = true
		default:
			digits = math.MaxInt32 / 2
		}
	}
	if digits <= 15 {
		f := float64(mantissa) / power(fraction)
		if negative {
			f = -f
		}
		return f, true
	}
	f, err := strconv.ParseFloat(string(v), 64)
	return f, err == nil
}

// The times that have a folder: from year 0 to 9999.
const (
	firstTime = -62167219200000
	lastTime  = 253402300799999
)

func (d *decoder) moment(t *target, v []byte) (ms int64, ok bool) {
	if v[0] == '"' {
		if ms, ok = parseTime(v[1 : len(v)-1]); ok {
			return ms, true
		}
		d.text = rawjson.Decode(d.text[:0], v)
		return parseTime(d.text)
	}
	if n, whole := parseInt(v); whole {
		switch t.unit {
		case "s":
			ms, ok = n*1000, n > firstTime/1000 && n < lastTime/1000
		case "us":
			ms, ok = floorDiv(n, 1000), true
		case "ns":
			ms, ok = floorDiv(n, 1_000_000), true
		default:
			ms, ok = n, true
		}
	} else if f, number := parseFloat(v); number {
		scale := map[string]float64{"s": 1000, "us": 1e-3, "ns": 1e-6}[t.unit]
		if scale == 0 {
			scale = 1
		}
		if f = math.Floor(f * scale); f >= firstTime && f <= lastTime {
			ms, ok = int64(f), true
		}
	}
	return ms, ok && ms >= firstTime && ms <= lastTime
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// maxFolderValue bounds the value of a folder in bytes: an object's key must not be too long.
const maxFolderValue = 60

const hour = 3600_000

// folder gives the number of the folder of the row that has been begun.
func (d *decoder) folder(timestamp int64) (int32, error) {
	at := timestamp
	if d.time >= 0 && d.rows.Has(d.time) {
		at = d.rows.LastInt(d.time)
	}
	if at < 0 && (d.time < 0 || !d.rows.Has(d.time)) {
		at = 0 // a record from before Kafka had timestamps
	}
	if at < firstTime || at > lastTime {
		return 0, fmt.Errorf("its time, %d ms since 1970, is in no year from 0 to 9999", at)
	}
	begin := floorDiv(at, hour)
	if len(d.partitions) == 0 && d.lastFolder >= 0 && begin == d.lastHour {
		return d.lastFolder, nil
	}
	d.key = binary.BigEndian.AppendUint64(d.key[:0], uint64(begin))
	for _, column := range d.partitions {
		text, ok := d.rows.LastText(column)
		if len(text) > maxFolderValue || !utf8.Valid(text) {
			return 0, fmt.Errorf(
				"%s makes a folder, and has %d bytes, more than %d",
				d.schema.Columns[column].Name,
				len(text),
				maxFolderValue,
			)
		}
		d.key = append(d.key, byte(len(text)), truth(ok))
		d.key = append(d.key, text...)
	}
	n, ok := d.numbers[string(d.key)]
	if !ok {
		n = int32(len(d.folders))
		folder := dataset.TimeFolders(begin * hour)
		for _, column := range d.partitions {
			text, ok := d.rows.LastText(column)
			folder += dataset.ValueFolder(d.schema.Columns[column].Name, text, ok)
		}
		d.folders = append(d.folders, folder)
		d.numbers[string(d.key)] = n
	}
	d.lastHour, d.lastFolder = begin, n
	return n, nil
}

func truth(b bool) byte {
	if b {
		return 1
	}
	return 0
}
