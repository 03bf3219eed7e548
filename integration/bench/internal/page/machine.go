package page

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine says in a line where it was measured.
func Machine() string {
	parts := []string{fmt.Sprintf("%d cores", runtime.NumCPU())}
	if model := Field("/proc/cpuinfo", "model name"); model != "" {
		parts[0] += " of " + model
	}
	if kib, err := strconv.Atoi(strings.TrimSuffix(Field("/proc/meminfo", "MemTotal"), " kB")); err == nil {
		parts = append(parts, fmt.Sprintf("%d GB of memory", (kib+1<<19)>>20))
	}
	return strings.Join(append(parts, runtime.GOOS+"/"+runtime.GOARCH, runtime.Version()), ", ")
}

// Field gives the first value of that name in a file of lines NAME: VALUE;
// empty where the system has no such file.
func Field(path, name string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Load is how many processes wanted a processor, on average over the last minute; empty
// where the system does not say.
func Load() string {
	text, _ := os.ReadFile("/proc/loadavg") // other systems have none
	load, _, _ := strings.Cut(string(text), " ")
	return load
}
