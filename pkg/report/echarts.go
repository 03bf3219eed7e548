package report

import (
	"context"
	_ "embed" // the library
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/dop251/goja"
)

// The library is dist/echarts.common.min.js of the npm package echarts 6.1.0, unchanged: a test has its digest.
//
//go:embed echarts/echarts.common.min.js
var library string

//go:embed echarts/glue.js
var glue string

// compiled is done once in a process: parsing takes longer than all the rest of a page.
var compiled = sync.OnceValues(func() (programs [2]*goja.Program, err error) {
	for i, source := range [...]struct{ name, text string }{{"glue.js", glue}, {"echarts.common.min.js", library}} {
		if programs[i], err = goja.Compile(source.name, source.text, false); err != nil {
			return programs, err
		}
	}
	return programs, nil
})

// engine draws the charts of one page, one after the other. It has no file, no network and no clock that anything
// depends on: an interpreter with nothing but the language.
type engine struct {
	vm   *goja.Runtime
	draw goja.Callable
	stop func() bool
}

// newEngine starts an engine that gives up when ctx ends. Each page has its own, so that what the library counts, as
// names in the SVG, is the same for the same page.
func newEngine(ctx context.Context) (*engine, error) {
	programs, err := compiled()
	if err != nil {
		return nil, fmt.Errorf("the charting library: %w", err)
	}
	vm := goja.New()
	vm.SetMaxCallStackSize(2000)
	e := &engine{vm: vm, stop: context.AfterFunc(ctx, func() { vm.Interrupt(context.Cause(ctx)) })}
	for _, p := range programs {
		if _, err := vm.RunProgram(p); err != nil {
			e.close()
			return nil, fmt.Errorf("the charting library: %w", scriptError(err))
		}
	}
	draw, ok := goja.AssertFunction(vm.Get("draw"))
	if !ok {
		e.close()
		return nil, errors.New("the charting library: glue.js has no function draw")
	}
	e.draw = draw
	return e, nil
}

func (e *engine) close() { e.stop() }

// svg draws a chart. option is what the library documents as its option; format makes the text of a number.
func (e *engine) svg(option any, width, height int, format func(float64) string) (string, error) {
	text, err := json.Marshal(option)
	if err != nil {
		return "", err
	}
	out, err := e.draw(goja.Undefined(), e.vm.ToValue(string(text)), e.vm.ToValue(width), e.vm.ToValue(height), e.vm.ToValue(format))
	if err != nil {
		return "", fmt.Errorf("draw: %w", scriptError(err))
	}
	return out.String(), nil
}

// scriptError is the reason of an interrupt, where that is what ended a script.
func scriptError(err error) error {
	var interrupted *goja.InterruptedError
	if errors.As(err, &interrupted) {
		if cause, ok := interrupted.Value().(error); ok {
			return cause
		}
	}
	return err
}
