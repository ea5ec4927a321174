package deid

import (
	"fmt"
	"math"
)

// nobody marks rows without a person, and persons without a number.
const nobody = math.MaxUint32

// people are the persons of the sources, by index in order of appearance; their numbers come from the register.
type people struct {
	key      *personKey
	local    bool
	links    *interner // the source's own number (or, without one, its identifier) -> link
	person   []uint32  // link -> person, nobody when no person can be told
	digests  []digest  // person -> digest
	byDigest map[digest]uint32
	number   []uint32 // person -> number of the register
	excluded []bool
	births   []int32 // person -> day of birth, when a step asks for it
	ids      IDReport
	clashes  int64 // own numbers of the source that name two persons
	buf      []byte
}

// noBirth marks an unknown day of birth.
const noBirth = math.MinInt32

func newPeople(key *personKey, local bool) *people {
	return &people{key: key, local: local, links: newInterner(), byDigest: map[digest]uint32{}}
}

// identify returns the person of a row of the table of persons. link is the source's own number, nil when it has none.
func (p *people) identify(id, link []byte, guardian bool) uint32 {
	if link == nil {
		n, fresh := p.links.add(id)
		if fresh {
			p.person = append(p.person, p.resolve(id, nil, false))
		}
		return p.person[n]
	}
	person := p.resolve(id, link, guardian)
	n, fresh := p.links.add(link)
	switch {
	case fresh:
		p.person = append(p.person, person)
	case p.person[n] != person:
		p.clashes++
	}
	return person
}

func (p *people) resolve(id, link []byte, guardian bool) uint32 {
	var form idForm
	p.buf, form = normaliseID(p.buf, id, p.local)
	switch form {
	case idMissing:
		return nobody
	case idDamaged:
		p.ids.Damaged++
		return nobody
	case idResident18:
		p.ids.Resident18++
	case idResident15:
		p.ids.Resident15++
	default:
		p.ids.Other++
	}
	var d digest
	if guardian {
		// A guardian's number is no name of the person: two children of one guardian stay two, and one child whose
		// rows repeat it stays one, because the source's own number decides within it.
		p.ids.Guardian++
		d = p.key.guarded(p.buf, link)
	} else {
		d = p.key.own(p.buf)
	}
	n, ok := p.byDigest[d]
	if !ok {
		n = uint32(len(p.digests))
		p.byDigest[d] = n
		p.digests = append(p.digests, d)
		p.excluded = append(p.excluded, false)
		p.births = append(p.births, noBirth)
	}
	return n
}

// byLink returns the person that a row of another table names.
func (p *people) byLink(link []byte) (uint32, bool) {
	n, ok := p.links.find(link)
	if !ok {
		return nobody, false
	}
	return p.person[n], p.person[n] != nobody
}

// check fails when the source's own numbers are no names.
func (p *people) check(table string) error {
	if p.clashes > 0 {
		return fmt.Errorf("table %q: %d rows give a source number to another person than an earlier row did; the link must name one person", table, p.clashes)
	}
	return nil
}

// fate is the number under which a person's rows are kept, or why they are not. Numbers are known after enrol.
func (p *people) fate(person uint32) (number uint32, why string) {
	switch number = p.number[person]; {
	case p.excluded[person]:
		return nobody, DroppedExcluded
	case number == nobody:
		return nobody, DroppedUnregistered
	default:
		return number, ""
	}
}
