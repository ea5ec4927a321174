package recode

import "math/bits"

// known remembers combinations of levels that were seen to suppress few enough rows. What is nowhere lower than one of
// them suppresses no more, so it need not be counted again. The search goes through levels from below, hence most of
// what it asks has been answered for a neighbour that is finer.
//
// To forget one, or to miss one, costs time only: a check that is left out closes no subtree.
type known struct {
	fields []field
	guards []uint64   // the highest bit of each field, which no level reaches
	lists  [][]uint64 // column of the question -> combinations, one behind the other
	next   []int      // where the next one goes when a list is full
	asked  []uint64
}

// manyKnown is the number of combinations that are looked through for a question, which takes about a microsecond.
const manyKnown = 1024

func newKnown(cols []column) *known {
	k := &known{lists: make([][]uint64, len(cols)), next: make([]int, len(cols))}
	used := uint(wordBits + 1) // none is open
	for i := range cols {
		n := uint(bits.Len(uint(cols[i].top()))) + 1
		if used+n > wordBits {
			k.guards = append(k.guards, 0)
			used = 0
		}
		word := len(k.guards) - 1
		k.fields = append(k.fields, field{word: word, shift: used})
		used += n
		k.guards[word] |= 1 << (used - 1)
	}
	k.asked = make([]uint64, len(k.guards))
	return k
}

// has says whether p split by column x at level l is known to suppress few enough rows, columns not assigned at their top.
func (k *known) has(cols []column, p *part, x, l int) bool {
	clear(k.asked)
	for y, f := range k.fields {
		at := cols[y].top()
		switch {
		case y < p.depth:
			at = int(p.level[y])
		case y == x:
			at = l
		}
		k.asked[f.word] |= uint64(at) << f.shift
	}
	list, words := k.lists[x], len(k.guards)
next:
	for i := len(list) - words; i >= 0; i -= words {
		for w, guard := range k.guards {
			if ((k.asked[w]|guard)-list[i+w])&guard != guard {
				continue next
			}
		}
		return true
	}
	return false
}

// add remembers the combination asked for last.
func (k *known) add(x int) {
	if words := len(k.asked); len(k.lists[x]) < manyKnown*words {
		k.lists[x] = append(k.lists[x], k.asked...)
	} else {
		copy(k.lists[x][k.next[x]*words:], k.asked)
		k.next[x] = (k.next[x] + 1) % manyKnown
	}
}
