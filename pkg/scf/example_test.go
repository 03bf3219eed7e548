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
	for _, f := range service.Functions {
		for _, t := range f.Events {
			fmt.Println(f.Name, "<-", t.Kind(), t.Name())
		}
	}
	for _, finding := range service.Lint() {
		fmt.Println(finding)
	}
	// Output:
	// etl-prod-dump <- ckafka ckafka-local-payments
	// etl-prod-migrate <- timer continue
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
