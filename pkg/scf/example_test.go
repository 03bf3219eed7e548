package scf_test

import (
	"fmt"
	"time"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

func ExampleLoad() {
	service, err := scf.Load("../../serverless.yml", scf.Options{
		Stage:     "prod",
		LookupEnv: func(key string) (string, bool) { return "payments", key == "TOPIC" },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	first := service.Functions[0]
	for _, t := range first.Events {
		fmt.Println(first.Name, "<-", t.Kind(), t.Name())
	}
	for _, finding := range service.Lint() {
		if finding.Severity != scf.Note {
			fmt.Println(finding)
		}
	}
	// Output:
	// etl-prod-dump <- ckafka ckafka-local-payments
}

func ExamplePrices_Cost() {
	var hour scf.Usage
	for range 3600 {
		hour.Add(256, 40*time.Millisecond)
	}
	cost := scf.MainlandPrices().Cost(hour)
	fmt.Printf("%.1f GBs, %.4f CNY, of that %.4f for invocations\n", hour.GBSeconds(), cost.Total(), cost.Invocations)
	// Output: 36.0 GBs, 0.0088 CNY, of that 0.0048 for invocations
}
