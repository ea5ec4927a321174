package profile

import "math"

// sample keeps whole persons: those whose hash is below a limit, which falls by half whenever too many rows have come. Whoever is in is in with
// all her rows, so that what is singled out is a person and not a row.
type sample struct {
	width   int
	most    int // rows
	limit   uint64
	persons []uint64 // of each row
	cells   []uint32 // row by row; 0 is missing
}

func newSample(width, most int) *sample {
	return &sample{width: width, most: most, limit: math.MaxUint64}
}

// add takes a row of hashes if its person is in the sample.
func (s *sample) add(person uint64, row []uint64) {
	if mix(person) > s.limit {
		return
	}
	s.persons = append(s.persons, person)
	for _, h := range row {
		c := uint32(h >> 32)
		if h != 0 && c == 0 {
			c = 1
		}
		s.cells = append(s.cells, c)
	}
	for pad := len(row); pad < s.width; pad++ {
		s.cells = append(s.cells, 0)
	}
	if len(s.persons) > s.most {
		s.thin(s.limit / 2)
	}
}

// thin drops the persons above a limit.
func (s *sample) thin(limit uint64) {
	s.limit = limit
	n := 0
	for i, p := range s.persons {
		if mix(p) > limit {
			continue
		}
		s.persons[n] = p
		copy(s.cells[n*s.width:(n+1)*s.width], s.cells[i*s.width:(i+1)*s.width])
		n++
	}
	s.persons, s.cells = s.persons[:n], s.cells[:n*s.width]
}

// widen makes room for columns that came later, as JSON's do.
func (s *sample) widen(width int) {
	if width <= s.width {
		return
	}
	cells := make([]uint32, 0, len(s.persons)*width)
	for i := range s.persons {
		cells = append(cells, s.cells[i*s.width:(i+1)*s.width]...)
		cells = append(cells, make([]uint32, width-s.width)...)
	}
	s.width, s.cells = width, cells
}

// merge puts two samples together at the lower of their limits.
func (s *sample) merge(o *sample) {
	s.widen(o.width)
	o.widen(s.width)
	limit := min(s.limit, o.limit)
	s.thin(limit)
	o.thin(limit)
	s.persons, s.cells = append(s.persons, o.persons...), append(s.cells, o.cells...)
	for len(s.persons) > s.most && s.limit > 1 {
		s.thin(s.limit / 2)
	}
}

// mix spreads what may be a counter (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
