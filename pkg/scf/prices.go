package scf

import "time"

// Prices of the platform at one time.
type Prices struct {
	Date        string  // when they were read, as 2006-01-02
	Region      string  // for which regions they hold
	Currency    string  // ISO 4217
	PerGBSecond float64 // of memory size x time
	PerMillion  float64 // invocations
}

// MainlandPrices gives the list prices of the regions in mainland China: 0.0133 CNY for 10,000 invocations, and memory by
// time. Free quotas and traffic that leaves the platform are not in them. What is counted is stated in 583/12284.
func MainlandPrices() Prices {
	return Prices{Date: "2026-11-23", Region: "mainland China", Currency: "CNY", PerGBSecond: 0.00011108, PerMillion: 1.33}
}

// Usage is what is billed of a number of invocations. The zero value is none; sums are exact.
type Usage struct {
	Invocations int64
	MBMillis    int64 // memory size in MB x billed milliseconds
}

// BilledMillis gives what of a running time is billed: whole milliseconds, a started one in full. Invocations that fail or
// time out are billed like others (583/12284).
func BilledMillis(d time.Duration) int64 {
	if d <= 0 {
		return 0
	}
	whole := d.Milliseconds()
	if d%time.Millisecond > 0 {
		whole++
	}
	return whole
}

// Add counts one invocation of a function with this memory size.
func (u *Usage) Add(memoryMB int, d time.Duration) {
	u.Invocations++
	u.MBMillis += int64(memoryMB) * BilledMillis(d)
}

// GBSeconds gives the billed product of memory and time.
func (u Usage) GBSeconds() float64 { return float64(u.MBMillis) / 1024 / 1000 }

// Cost is what a usage costs, in the currency of the prices.
type Cost struct {
	Compute     float64 // memory x time
	Invocations float64
}

// Total gives all of it.
func (c Cost) Total() float64 { return c.Compute + c.Invocations }

// Cost prices a usage.
func (p Prices) Cost(u Usage) Cost {
	return Cost{Compute: u.GBSeconds() * p.PerGBSecond, Invocations: float64(u.Invocations) / 1e6 * p.PerMillion}
}
