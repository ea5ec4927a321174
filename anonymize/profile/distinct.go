package profile

import (
	"math"
	"math/bits"
)

// exactLimit is how many different values are counted exactly; beyond, a HyperLogLog with 2^14 registers errs by about 0.8 %.
const (
	exactLimit = 1 << 16
	registers  = 1 << 14
)

// distinct counts different hashes.
type distinct struct {
	exact map[uint64]struct{} // nil once there are too many
	limit int
	regs  []uint8
}

func newDistinct(limit int) distinct { return distinct{exact: map[uint64]struct{}{}, limit: limit} }

func (d *distinct) add(h uint64) {
	if d.exact != nil {
		d.exact[h] = struct{}{}
		if len(d.exact) > d.limit {
			d.spill()
		}
		return
	}
	d.put(h)
}

func (d *distinct) put(h uint64) {
	at := h >> 50
	rank := uint8(bits.LeadingZeros64(h<<14|1<<13) + 1)
	if d.regs[at] < rank {
		d.regs[at] = rank
	}
}

func (d *distinct) spill() {
	d.regs = make([]uint8, registers)
	for h := range d.exact {
		d.put(h)
	}
	d.exact = nil
}

func (d *distinct) merge(o *distinct) {
	switch {
	case o.exact != nil:
		for h := range o.exact {
			d.add(h)
		}
	case d.exact != nil:
		d.spill()
		fallthrough
	default:
		for i, r := range o.regs {
			d.regs[i] = max(d.regs[i], r)
		}
	}
}

// count is the estimate, and whether it is exact.
func (d *distinct) count() (int64, bool) {
	if d.exact != nil {
		return int64(len(d.exact)), true
	}
	sum, zeros := 0.0, 0
	for _, r := range d.regs {
		sum += math.Ldexp(1, -int(r))
		if r == 0 {
			zeros++
		}
	}
	const m = float64(registers)
	estimate := 0.7213 / (1 + 1.079/m) * m * m / sum
	if estimate <= 2.5*m && zeros > 0 {
		estimate = m * math.Log(m/float64(zeros))
	}
	return int64(estimate + 0.5), false
}
