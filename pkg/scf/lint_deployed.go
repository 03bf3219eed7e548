package scf

import (
	"fmt"
	"strconv"
)

// Limits of what only the cloud carries out.
const (
	// MinMessageLifetime and MaxMessageLifetime bound how long an asynchronous event waits, in seconds [?].
	MinMessageLifetime, MaxMessageLifetime = 60, 6 * 60 * 60
	// ReservedStep is the step of reserved memory, in MB: that of an instance.
	ReservedStep = MemoryStep
)

// bucket checks where large packages go.
func (l *linter) bucket(name string) {
	if name != "" && !ValidBucketName(name) {
		l.add(Error, "is no bucket", "NAME-APPID, like code-1250000000", "", "provider.deploymentBucket")
	}
}

// deployed checks what the local platform does without and the cloud takes.
func (l *linter) deployed(f Function) {
	if a := f.Async; a != nil {
		paths := setting(f, "async")
		l.within(a.Retry, 0, AsyncRetries, "retries", "retry", paths)
		l.within(a.MessageLifetime, MinMessageLifetime, MaxMessageLifetime, "seconds", "messageLifetime", paths)
	}
	paths := setting(f, "concurrency")
	switch r := f.Concurrency.Reserved; {
	case r < 0 || r%ReservedStep != 0:
		l.add(Error, fmt.Sprintf("reserved is %d MB", r), fmt.Sprintf("a multiple of %d", ReservedStep), "", paths...)
	case r > 0 && r < f.MemorySize:
		l.add(Error, fmt.Sprintf("reserved is %d MB, less than one instance", r), fmt.Sprintf("at least memorySize, which is %d", f.MemorySize),
			"", paths...)
	}
	switch n := f.Concurrency.Provisioned; {
	case n < 0:
		l.add(Error, fmt.Sprintf("provisioned is %d", n), "0 or more", "", paths...)
	case n > 0 && !f.Publish:
		l.add(Error, "provisioned instances are those of a published version", "", "publish: true", paths...)
	}
	for i, layer := range f.Layers {
		if layer.Name == "" || layer.Version < 1 {
			l.add(Error, "a layer has a name, and a version of 1 or more", "", "", "functions."+f.Key+".layers."+strconv.Itoa(i))
		}
	}
	if d := f.DeadLetter; d != nil && (d.Type == "" || d.Name == "") {
		l.add(Error, "a dead letter has type and name", "", "", "functions."+f.Key+".deadLetter")
	}
}

func (l *linter) within(value, least, most int, unit, key string, paths []string) {
	if value < least || value > most {
		l.add(Error, fmt.Sprintf("%s is %d", key, value), fmt.Sprintf("%d to %d %s", least, most, unit), "", paths...)
	}
}
