package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/scf-etl/scf-etl/pkg/dataset"
)

// makeRows writes the dataset that is asked: 10 columns, of which three have few values and none is sorted but the
// number.
func makeRows(ctx context.Context, folder *dataset.Folder, n int) (outcome, error) {
	d := dataset.New(folder, "rows")
	random := rand.New(rand.NewPCG(3, 4))
	rows := dataset.NewRows([]dataset.Column{
		{Name: "id", Type: dataset.Int}, {Name: "at", Type: dataset.Timestamp}, {Name: "action", Type: dataset.String},
		{Name: "region", Type: dataset.String}, {Name: "status", Type: dataset.Int}, {Name: "amount", Type: dataset.Int},
		{
			Name: "price",
			Type: dataset.Float,
		}, {Name: "tax", Type: dataset.Float}, {Name: "score", Type: dataset.Int}, {Name: "ok", Type: dataset.Bool},
	})
	var actions, regions [][]byte
	for i := range 20 {
		actions, regions = append(
			actions,
			fmt.Appendf(nil, "action-%d", i),
		), append(
			regions,
			fmt.Appendf(nil, "region-%d", i),
		)
	}
	const perObject = 1_000_000
	o, err := timed(func() error {
		for i := range n {
			rows.Int(0, int64(i))
			rows.Int(1, 1_795_737_600_000+int64(random.IntN(86_400_000)))
			rows.Text(2, actions[random.IntN(len(actions))])
			rows.Text(3, regions[random.IntN(8)])
			rows.Int(4, []int64{200, 200, 200, 200, 304, 404, 500}[random.IntN(7)])
			rows.Int(5, int64(random.IntN(1_000_000)))
			rows.Float(6, float64(random.IntN(100_000))/100)
			rows.Float(7, random.Float64())
			rows.Int(8, int64(random.IntN(100)))
			rows.Bool(9, random.IntN(3) > 0)
			rows.End()
			if rows.Len() == perObject || i == n-1 {
				if _, err := d.Write(ctx, "", fmt.Sprintf("%04d", i/perObject), rows); err != nil {
					return err
				}
				rows.Reset()
			}
		}
		return nil
	})
	return o, err
}
