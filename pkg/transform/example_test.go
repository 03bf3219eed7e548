package transform_test

import (
	"fmt"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
	"github.com/scf-etl/scf-etl/pkg/transform"
)

func ExampleTransformer_Transform() {
	rules, err := transform.Load("rules.yaml", []byte(`
rules:
- parse: logfmt
- filter: level != "debug"
- mask: {fields: [tel], find: [phone]}
output: {topic: clean}
`), transform.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	t := rules.New()
	for _, line := range []string{`level=info tel=13800138000`, `level=debug tel=1`, `level="info`} {
		in := transform.Record{Topic: "raw", Record: batch.Record{Value: []byte(line)}}
		err := t.Transform(in, func(out transform.Output) error {
			fmt.Printf("%s: %s\n", out.Topic, out.Value)
			return nil
		})
		if err != nil {
			fmt.Println("dead letter:", err)
		}
	}
	fmt.Printf("%+v\n", t.Counters())
	// Output:
	// clean: {"level":"info","tel":"138****8000"}
	// dead letter: rules.yaml:3:3: parse (rule 0): the value is not of the format: a quote without its end at byte 6: "level=\"info"
	// {In:3 Passed:1 Filtered:1 Duplicate:0 Failed:1 Out:1 Forgotten:0}
}

func ExampleLoad() {
	_, err := transform.Load("rules.yaml", []byte(`
rules:
- parse: combined
- fliter: status < 500
- drop: [clinet]
`), transform.Options{})
	fmt.Println(err)
	// Output:
	// rules.yaml:4:3: a rule has no setting "fliter": did you mean "filter"?
	// rules.yaml:5:10: there is no field "clinet" at this point: did you mean "client"?
}
