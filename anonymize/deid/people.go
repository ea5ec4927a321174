package deid

import (
	"fmt"
	"math"
)

// nobody marks rows without a person, and persons without a number.
const nobody = math.MaxUint32

// named is what an identifier says by itself: a function of the row alone.
type named struct {
	form     idForm
	guardian bool
	digest   digest // zero when the form names nobody
}

// namer makes names; one a goroutine.
type namer struct {
	key   *personKey
	local bool
	buf   []byte
}

func newNamer(key *personKey, local bool) *namer { return &namer{key: key, local: local} }

func (n *namer) of(id, link []byte, guardian bool) named {
	out := named{guardian: guardian}
	n.buf, out.form = normaliseID(n.buf, id, n.local)
	switch {
	case out.form == idMissing || out.form == idDamaged:
	case guardian:
		// A guardian's number is no name of the person: two children of one guardian stay two, and one child whose
		// rows repeat it stays one, because the source's own number decides within it.
		out.digest = n.key.guarded(n.buf, link)
	default:
		out.digest = n.key.own(n.buf)
	}
	return out
}

// people are the persons of the sources, by index in order of appearance; their numbers come from the register.
type people struct {
	namer    *namer
	links    *interner // the source's own number (or, without one, its identifier) -> link
	person   []uint32  // link -> person, nobody when no person can be told
	digests  []digest  // person -> digest
	byDigest map[digest]uint32
	number   []uint32 // person -> number of the register
	excluded []bool
	births   []int32 // person -> day of birth, when a step asks for it
	ids      IDReport
	clashes  int64 // own numbers of the source that name two persons
}

// noBirth marks an unknown day of birth.
const noBirth = math.MinInt32

func newPeople(key *personKey, local bool) *people {
	return &people{namer: newNamer(key, local), links: newInterner(), byDigest: map[digest]uint32{}}
}

// identify returns the person of a row of the table of persons. link is the source's own number, nil when it has none.
func (p *people) identify(id, link []byte, guardian bool) uint32 {
	if link != nil {
		return p.linked(p.namer.of(id, link, guardian), link)
	}
	n, fresh := p.links.add(id)
	if fresh {
		p.person = append(p.person, p.resolve(p.namer.of(id, nil, false)))
	}
	return p.person[n]
}

// linked is identify for a row that was named already and has a number of the source's own.
func (p *people) linked(name named, link []byte) uint32 {
	person := p.resolve(name)
	n, fresh := p.links.add(link)
	switch {
	case fresh:
		p.person = append(p.person, person)
	case p.person[n] != person:
		p.clashes++
	}
	return person
}

func (p *people) resolve(name named) uint32 {
	switch name.form {
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
	if name.guardian {
		p.ids.Guardian++
	}
	n, ok := p.byDigest[name.digest]
	if !ok {
		n = uint32(len(p.digests))
		p.byDigest[name.digest] = n
		p.digests = append(p.digests, name.digest)
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

// byLinks is byLink for many rows, nobody where no person is known: see findAll. An empty link names nobody.
func (p *people) byLinks(links [][]byte, out []uint32) {
	p.links.findAll(links, out)
	for i, n := range out {
		if n != nobody {
			out[i] = p.person[n]
		}
	}
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
