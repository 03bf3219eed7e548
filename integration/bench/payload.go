package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// payload makes the records of one partition: text as a service would log it,
// some of it random, some of it words, so that zstd makes a third to a fifth
// of it. The same seed gives the same records but for their time.
type payload struct {
	random *rand.Rand
	words  []string
	size   int
	time   int64
}

func newPayload(size int, seed uint64, time int64) *payload {
	p := &payload{random: rand.New(rand.NewPCG(seed, 1)), size: size, time: time}
	language := rand.New(rand.NewPCG(7, 7))
	for range 600 {
		word := make([]byte, 3+language.IntN(8))
		for i := range word {
			word[i] = byte('a' + language.IntN(26))
		}
		p.words = append(p.words, string(word))
	}
	return p
}

const keyBytes = 8

// record gives the next record; key and value together have the size.
func (p *payload) record() batch.Record {
	p.time++
	key := fmt.Appendf(nil, "%0*d", keyBytes, p.random.IntN(100_000_000))
	value := make([]byte, 0, p.size)
	value = fmt.Appendf(value, `{"id":"%012x","status":%d,"text":"`, p.random.Uint64()>>16, 200+p.random.IntN(4))
	end := p.size - keyBytes - len(`"}`)
	for len(value) < end {
		value = append(value, p.words[p.random.IntN(len(p.words))]...)
		value = append(value, ' ')
	}
	return batch.Record{Timestamp: p.time, Key: key, Value: append(value[:end], `"}`...)}
}
