package dataset

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The folders of event time. Columns of rows cannot have their names.
const (
	DateFolder = "date" // 2026-11-27, UTC
	HourFolder = "hour" // 09
)

// nullFolder is the value of a folder for rows without one, as Hive has it.
const nullFolder = "__HIVE_DEFAULT_PARTITION__"

// TimeFolders gives the folders of a time in milliseconds: "date=2026-11-27/hour=09/".
func TimeFolders(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	return DateFolder + "=" + t.Format(time.DateOnly) + "/" + HourFolder + "=" + t.Format("15") + "/"
}

// ValueFolder gives the folder of a column's value: "region=eu%2Fwest/". What a path cannot have is escaped as in a
// URL.
func ValueFolder(column string, value []byte, valid bool) string {
	if !valid {
		return column + "=" + nullFolder + "/"
	}
	return column + "=" + escape(value) + "/"
}

func escape(value []byte) string {
	var b strings.Builder
	for i, c := range value {
		switch {
		case c >= 'a' && c <= 'z',
			c >= 'A' && c <= 'Z',
			c >= '0' && c <= '9',
			c == '-',
			c == '_',
			c == '.' && i > 0,
			c == ':':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func unescape(text string) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if n, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// folderValue is what the name of a folder says of the rows in it.
type folderValue struct {
	column string
	text   string
	null   bool
}

// foldersOf reads the folders of a path below the dataset. Those without '=' say nothing.
func foldersOf(path string) (values []folderValue) {
	for part := range strings.SplitSeq(path, "/") {
		column, text, ok := strings.Cut(part, "=")
		if !ok || column == "" {
			continue
		}
		values = append(values, folderValue{unescape(column), unescape(text), text == nullFolder})
	}
	return values
}

// hidden says that a path is no data: a part of it begins with '_' or '.'.
func hidden(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "_") || strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// folderType is the type that values of a folder have in an answer.
func folderType(column string) Type {
	if column == HourFolder {
		return Int
	}
	return String
}
