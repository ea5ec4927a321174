package recode

import "carrel/anonymize/kanon/model"

// judge counts what criteria ask of a class. Its memory is used again for each class.
type judge struct {
	t      *Table
	c      model.Class
	seen   []uint32 // person -> class that she was counted in last
	number uint32
	pairs  map[pair]struct{}
}

// pair is a value of a person.
type pair struct{ column, code, person uint32 }

func newJudge(t *Table) *judge {
	j := &judge{t: t, c: model.Class{Values: make([]model.Values, len(t.sensitive))}}
	for i := range j.c.Values {
		j.c.Values[i].Count = make([]int64, len(t.values[i]))
	}
	if t.person != nil {
		j.seen = make([]uint32, t.persons)
		j.pairs = map[pair]struct{}{}
	}
	return j
}

// members are the tuples of a class with what they carry; part and local recoding both have these.
type members struct {
	w, pop      []int32
	tag, person []uint32
}

func (p *part) members() members { return members{p.w, p.pop, p.tag, p.person} }

// class counts the tuples at. The result is good until the next call.
func (j *judge) class(m members, at []int32) *model.Class {
	c := &j.c
	c.Persons, c.Population = 0, 0
	for i := range c.Values {
		v := &c.Values[i]
		for _, code := range v.Codes {
			v.Count[code] = 0
		}
		v.Codes, v.Total = v.Codes[:0], 0
	}
	j.number++
	clear(j.pairs)
	for _, i := range at {
		if m.pop != nil {
			c.Population += int64(m.pop[i])
		}
		w := int64(m.w[i])
		if w == 0 {
			continue
		}
		if m.person == nil {
			c.Persons += w
		} else if p := m.person[i]; j.seen[p] != j.number {
			j.seen[p] = j.number
			c.Persons++
		}
		if m.tag != nil {
			j.values(m, i, w)
		}
	}
	return c
}

// persons says whether the tuples at are those of at least k persons.
func (j *judge) persons(m members, at []int32, k int64) bool {
	j.number++
	for _, i := range at {
		if p := m.person[i]; j.seen[p] != j.number {
			j.seen[p] = j.number
			if k--; k == 0 {
				return true
			}
		}
	}
	return false
}

func (j *judge) values(m members, i int32, w int64) {
	for column, code := range j.t.tags[m.tag[i]] {
		if m.person != nil {
			at := pair{uint32(column), code, m.person[i]}
			if _, counted := j.pairs[at]; counted {
				continue
			}
			j.pairs[at] = struct{}{}
			w = 1
		}
		v := &j.c.Values[column]
		if v.Count[code] == 0 {
			v.Codes = append(v.Codes, code)
		}
		v.Count[code] += w
		v.Total += w
	}
}
