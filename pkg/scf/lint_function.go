package scf

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

func (l *linter) function(f Function) {
	key := "functions." + f.Key
	if !ValidName(f.Name) {
		fix := "shorten service, stage or function, or give the function a name of its own: name"
		l.add(Error, fmt.Sprintf("the function's full name %q is refused", f.Name), FunctionNames, fix, key+".name", key)
	}
	switch {
	case f.Handler == "":
		l.add(Error, "handler is missing", "", "name the binary in the package: handler: main", key+".handler")
	case strings.ContainsAny(f.Handler, `/\`):
		l.add(Error, "is a path", "the name of the binary at the top of the package", "", key+".handler")
	}
	if f.Runtime != DefaultRuntime {
		l.add(Warning, "is neither built nor run by this project", DefaultRuntime, "", setting(f, "runtime")...)
	}
	if !ValidMemory(f.MemorySize) {
		fix := fmt.Sprintf("the next size is %d", NearestMemory(f.MemorySize))
		l.add(Error, "is no memory size", fmt.Sprintf("%d, or %d to %d in steps of %d", MinMemory, MemoryStep, MaxMemory, MemoryStep),
			fix, setting(f, "memorySize")...)
	}
	if f.Timeout < MinTimeout || f.Timeout > MaxTimeout {
		l.add(Error, "is out of range", fmt.Sprintf("%d to %d seconds", MinTimeout, MaxTimeout), "", setting(f, "timeout")...)
	}
	if n := utf8.RuneCountInString(f.Description); n > MaxDescription {
		l.add(Error, fmt.Sprintf("has %d characters", n), fmt.Sprintf("at most %d", MaxDescription), "", key+".description")
	}
	if v := f.VPC; v != nil && (v.VPCID == "") != (v.SubnetID == "") {
		l.add(Error, "vpcId and subnetId go together: one of them is empty", "", "give both, or neither", setting(f, "vpcConfig")...)
	}
}
