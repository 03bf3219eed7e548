package dataset

// table numbers keys in the order in which they come: a hash table with open addressing.
type table struct {
	keys  []uint64 // by number
	slots []uint32 // number+1; 0 is free
	shift uint
}

// put gives the number of a key, a new one where it is new.
func (t *table) put(key uint64) uint32 {
	if 2*len(t.keys) >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for i := hash(key) >> t.shift; ; i = (i + 1) & mask {
		slot := t.slots[i]
		if slot == 0 {
			t.keys = append(t.keys, key)
			t.slots[i] = uint32(len(t.keys))
			return uint32(len(t.keys) - 1)
		}
		if t.keys[slot-1] == key {
			return slot - 1
		}
	}
}

// hash mixes the bits of a key (the finalizer of splitmix64).
func hash(key uint64) uint64 {
	key ^= key >> 30
	key *= 0xbf58476d1ce4e5b9
	key ^= key >> 27
	key *= 0x94d049bb133111eb
	return key ^ key>>31
}

func (t *table) grow() {
	if len(t.slots) == 0 {
		t.slots, t.shift = make([]uint32, 64), 64-6
		return
	}
	t.slots = make([]uint32, 2*len(t.slots))
	t.shift--
	mask := uint64(len(t.slots) - 1)
	for n, key := range t.keys {
		i := hash(key) >> t.shift
		for t.slots[i] != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = uint32(n + 1)
	}
}

func (t *table) size() int64 { return int64(8*cap(t.keys) + 4*len(t.slots)) }
