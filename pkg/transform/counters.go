package transform

// Counters says what became of the records, so that none goes missing:
//
//	In = Passed + Filtered + Duplicate + Failed
//
// A record whose emit returned an error is in none of them: the caller has it
// still, and brings it again.
type Counters struct {
	In        int64 // records whose end is known
	Passed    int64 // came out, once or more often
	Filtered  int64 // left out by a filter, or as a tombstone where the rules say so
	Duplicate int64 // left out by a deduplicate rule
	Failed    int64 // ended in an [Error]
	Out       int64 // output records: at least Passed, more where a record goes to several topics
	Forgotten int64 // keys that a deduplicate rule had to forget before its window ended
}

// Add adds up what several transformers counted.
func (c *Counters) Add(other Counters) {
	c.In += other.In
	c.Passed += other.Passed
	c.Filtered += other.Filtered
	c.Duplicate += other.Duplicate
	c.Failed += other.Failed
	c.Out += other.Out
	c.Forgotten += other.Forgotten
}
