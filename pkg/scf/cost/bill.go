package cost

import (
	"math"

	"github.com/scf-etl/scf-etl/pkg/scf"
)

// Tariff is what is paid for what.
type Tariff struct {
	scf.Prices
	// PerEgressGB is the price of a GB to the internet. The price list has none; 0
	// leaves egress out of the cost.
	PerEgressGB float64
	// MachineMonth is the price of a machine that is always on and does the same; 0
	// compares with none.
	MachineMonth float64
}

// Line is what a function costs in a month.
type Line struct {
	Use
	Compute     float64 `json:"compute"` // memory x time
	Invocations float64 `json:"invocations"`
	Egress      float64 `json:"egress"`
	Total       float64 `json:"total"`
}

// Bill is what functions cost in a month, each and together.
type Bill struct {
	Currency  string      `json:"currency"`
	PriceDate string      `json:"priceDate"` // of the price list
	Region    string      `json:"priceRegion"`
	Functions []Line      `json:"functions"`
	Total     float64     `json:"total"`
	EgressGB  float64     `json:"egressGb"`
	Unpriced  bool        `json:"egressUnpriced"` // there is egress, and no price for it
	Machine   *Comparison `json:"machine,omitempty"`
}

// Comparison sets a bill beside a machine.
type Comparison struct {
	Month float64 `json:"month"` // what the machine costs
	// Share is the bill as a part of that.
	Share float64 `json:"share"`
	// BreakEvenFactor is how many times this load costs as much as the machine.
	BreakEvenFactor float64 `json:"breakEvenFactor,omitempty"`
	// BreakEvenLoad is that load of one that was described: records in a second, or
	// calls in an hour. 0 where it is more than the partitions can carry, or unknown.
	BreakEvenLoad float64 `json:"breakEvenLoad,omitempty"`
}

// Bill prices what functions use.
func (t Tariff) Bill(uses []Use) Bill {
	b := Bill{Currency: t.Currency, PriceDate: t.Date, Region: t.Region}
	for _, u := range uses {
		line := t.line(u)
		b.Functions = append(b.Functions, line)
		b.Total += line.Total
		b.EgressGB += u.EgressGB
	}
	b.Unpriced = b.EgressGB > 0 && t.PerEgressGB == 0
	if t.MachineMonth > 0 {
		b.Machine = &Comparison{Month: t.MachineMonth, Share: b.Total / t.MachineMonth}
		if b.Total > 0 {
			b.Machine.BreakEvenFactor = t.MachineMonth / b.Total
		}
	}
	return b
}

// Described prices a load that is described, with the load at which a machine costs
// the same. That is another one than BreakEvenFactor times the load where events
// are sent because their time is over: fuller events cost nothing more.
func (t Tariff) Described(function string, l Load) (Bill, error) {
	use, err := l.Use(function)
	if err != nil {
		return Bill{}, err
	}
	b := t.Bill([]Use{use})
	if b.Machine != nil {
		load := l.breakEven(t.MachineMonth, func(u Use) float64 { return t.line(u).Total })
		b.Machine.BreakEvenFactor = 0
		if !math.IsInf(load, 1) {
			b.Machine.BreakEvenLoad = load
			b.Machine.BreakEvenFactor = load / max(l.RecordsPerSecond, l.CallsPerHour)
		}
	}
	return b, nil
}

func (t Tariff) line(u Use) Line {
	l := Line{
		Use: u, Compute: u.GBSeconds * t.PerGBSecond, Invocations: u.Calls / 1e6 * t.PerMillion, Egress: u.EgressGB * t.PerEgressGB,
	}
	l.Total = l.Compute + l.Invocations + l.Egress
	return l
}
