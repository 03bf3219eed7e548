package chaos

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Kind is what a fault does, and Party what it is done to.
type (
	Kind  string
	Party string
)

// The kinds of faults.
const (
	Kill     Kind = "kill -9" // and started again, by the platform where it is the function
	Stop     Kind = "stop"    // in order, and started again
	Pause    Kind = "pause"   // and let go on
	Slow     Kind = "slow network to"
	Cut      Kind = "cut network to"
	HalfOpen Kind = "half-open network to"
)

// The parties that faults are done to.
const (
	Function Party = "function"
	Platform Party = "platform"
	Source   Party = "source broker"
	Target   Party = "target broker"
)

// Fault is one step of a schedule.
type Fault struct {
	Kind  Kind
	Party Party
	After time.Duration // from when it is due: a random point of whatever is under way
	For   time.Duration // how long it holds
	Pick  uint64        // chooses among processes
	Delay time.Duration // of a slow network
	Rate  int64         // of a slow network, bytes a second
}

// String says what the fault does.
func (f Fault) String() string {
	switch f.Kind {
	case Kill, Stop:
		return fmt.Sprintf("%s %s", f.Kind, f.Party)
	case Slow:
		return fmt.Sprintf("%s %s (%v, %d KB/s) for %v", f.Kind, f.Party, f.Delay, f.Rate>>10, f.For)
	}
	return fmt.Sprintf("%s %s for %v", f.Kind, f.Party, f.For)
}

// Kills says whether the fault ends a process.
func (f Fault) Kills() bool { return f.Kind == Kill || f.Kind == Stop }

// Schedule gives the faults of a seed, in a random order: so many kills, of
// which one in 25 is of the platform or a broker and all others are of the
// function, and for each 20 of them a fault that ends nothing. From 20 kills on
// every fault occurs.
func Schedule(seed uint64, kills int) []Fault {
	costly := []Fault{
		{Kind: Kill, Party: Platform},
		{Kind: Kill, Party: Source}, {Kind: Kill, Party: Target},
		{Kind: Stop, Party: Source}, {Kind: Stop, Party: Target},
	}
	gentle := []Fault{
		{Kind: Pause, Party: Function}, {Kind: Pause, Party: Platform},
		{Kind: Pause, Party: Source}, {Kind: Pause, Party: Target},
		{Kind: Slow, Party: Source}, {Kind: Slow, Party: Target},
		{Kind: Cut, Party: Source}, {Kind: Cut, Party: Target},
		{Kind: HalfOpen, Party: Source}, {Kind: HalfOpen, Party: Target},
	}
	few, others := kills/25, kills/20
	if kills >= 20 {
		few, others = max(few, len(costly)), max(others, len(gentle))
	}
	random := rand.New(rand.NewPCG(seed, 2))
	var faults []Fault
	draw := func(from []Fault, n int) { // each as often as the others, or once more
		random.Shuffle(len(from), func(i, j int) { from[i], from[j] = from[j], from[i] })
		for i := range n {
			faults = append(faults, from[i%len(from)])
		}
	}
	draw(costly, few)
	draw([]Fault{{Kind: Kill, Party: Function}}, kills-few)
	draw(gentle, others)
	random.Shuffle(len(faults), func(i, j int) { faults[i], faults[j] = faults[j], faults[i] })
	for i := range faults {
		faults[i].chance(random)
	}
	return faults
}

// chance fills in what of a fault is random.
func (f *Fault) chance(random *rand.Rand) {
	f.After = time.Duration(random.IntN(50)) * time.Millisecond
	f.Pick = random.Uint64()
	if !f.Kills() {
		f.For = time.Duration(500+random.IntN(2500)) * time.Millisecond
	}
	if f.Kind == Slow {
		f.Delay = time.Duration(1+random.IntN(50)) * time.Millisecond
		f.Rate = 256<<10 + random.Int64N(2<<20)
	}
}
