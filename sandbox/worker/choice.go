//go:build linux && cgo

package worker

import (
	"encoding/binary"
	"slices"

	"carrel/sandbox/wire"
)

// choice says whose rows scans give: everybody's but the persons', or, with only, the persons' alone.
//
// It is obeyed where an extract is mapped, before there is a query: a scan knows the rows that are left and no others, so no join, subquery,
// window or CTE of any statement can see a row of somebody who is left out, and what a query costs does not depend on whom it asks about.
// The rows of all others are the same bytes in the same order as in an extract that was built without these persons (PRIVACY, zero-out
// neighbours): ranks and row keys count inside a person.
type choice struct {
	persons []uint32 // ascending
	only    bool
}

// all says that there is nobody to leave out.
func (c choice) all() bool { return len(c.persons) == 0 && !c.only }

// run is a stretch of rows of a batch that scans give.
type run struct{ from, to int }

// unit is the place of the column of persons' numbers, -1 in a public table.
func (t *table) unit(spec wire.Table) int {
	return slices.IndexFunc(t.columns, func(c wire.Column) bool { return spec.Unit != "" && c.Name == spec.Unit })
}

// choose finds the rows of a batch that scans give and returns how many they do not. Extracts are sorted by person, so the list is walked
// beside the column; one that is not sorted is slower and gives the same. A row without a person is nobody's who could have
// been asked: where there is a list it is left out.
func (b *batch) choose(who choice, unit int) int {
	if unit < 0 || who.all() {
		b.runs = []run{{0, b.rows}}
		return 0
	}
	values, valid := b.values[unit], b.validity[unit]
	kept, at, last := 0, 0, uint32(0)
	for row := range b.rows {
		p := binary.LittleEndian.Uint32(values[4*row:])
		if p < last {
			at, _ = slices.BinarySearch(who.persons, p)
		}
		for last = p; at < len(who.persons) && who.persons[at] < p; at++ {
		}
		listed := at < len(who.persons) && who.persons[at] == p
		if listed != who.only || valid != nil && valid[row/8]>>(row%8)&1 == 0 {
			continue
		}
		if n := len(b.runs); n > 0 && b.runs[n-1].to == row {
			b.runs[n-1].to++
		} else {
			b.runs = append(b.runs, run{row, row + 1})
		}
		kept++
	}
	return b.rows - kept
}

// piece is n rows of a batch, from a row on, that go into a chunk at a place.
type piece struct{ from, at, n int }

// take moves the cursor on by one chunk and remembers its pieces; it returns how many rows they have.
func (c *cursor) take(b *batch) int {
	c.pieces = c.pieces[:0]
	n := 0
	for n < vectorSize && c.run < len(b.runs) {
		m := min(vectorSize-n, b.runs[c.run].to-c.row)
		c.pieces = append(c.pieces, piece{c.row, n, m})
		n += m
		if c.row += m; c.row == b.runs[c.run].to {
			if c.run++; c.run < len(b.runs) {
				c.row = b.runs[c.run].from
			}
		}
	}
	return n
}

// copyBits copies n bits, whole bytes of the destination at a time. Bits of the last byte beyond n may be overwritten when both sides
// begin at a byte: a chunk's later pieces come after, and beyond its rows nobody looks.
func copyBits(dst []byte, at int, src []byte, from, n int) {
	if at%8 == 0 && from%8 == 0 {
		copy(dst[at/8:(at+n+7)/8], src[from/8:])
		return
	}
	for ; n > 0 && at%8 != 0; n-- {
		setBit(dst, at, src, from)
		at, from = at+1, from+1
	}
	shift := from % 8
	for ; n >= 64 && from/8+9 <= len(src); n -= 64 { // a word at a time: half of the cost of leaving somebody out was here
		v := binary.LittleEndian.Uint64(src[from/8:])>>shift | uint64(src[from/8+8])<<(64-shift)
		binary.LittleEndian.PutUint64(dst[at/8:], v)
		at, from = at+64, from+64
	}
	for ; n >= 8; n -= 8 {
		v := src[from/8] >> shift
		if shift > 0 {
			v |= src[from/8+1] << (8 - shift)
		}
		dst[at/8] = v
		at, from = at+8, from+8
	}
	for ; n > 0; n-- {
		setBit(dst, at, src, from)
		at, from = at+1, from+1
	}
}

// setBit copies one bit.
func setBit(dst []byte, at int, src []byte, from int) {
	mask := byte(1) << (at % 8)
	if src[from/8]>>(from%8)&1 == 1 {
		dst[at/8] |= mask
	} else {
		dst[at/8] &^= mask
	}
}
