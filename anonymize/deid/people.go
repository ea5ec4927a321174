package deid

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
)

// nobody marks rows without a person, and persons without a number.
const nobody = math.MaxUint32

// named is what an identifier says by itself: a function of the row alone.
type named struct {
	form     idForm
	guardian bool
	digest   digest // zero when the form names nobody
	by       digest // of a guardian: the guardian's own
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
		// A guardian's number is no name of the person: two children of one guardian stay two, and one child stays one whichever guardian
		// stands in a row, because the source's own number decides.
		out.digest, out.by = n.key.guarded(link), n.key.own(n.buf)
	default:
		out.digest = n.key.own(n.buf)
	}
	return out
}

// people are the persons of the sources, by index in order of appearance; their numbers come from the register.
type people struct {
	namer     *namer
	links     *interner // the source's own number (or, without one, its identifier) -> link
	person    []uint32  // link -> person, nobody when no person can be told
	digests   []digest  // person -> digest
	byDigest  digestIndex
	guardians bool              // some identifiers may be guardians'
	guarded   []bool            // person -> known under a guardian's number
	same      map[uint32]uint32 // person known under a guardian's number -> the same person under an own one
	wards     []ward            // rows that say whose number a child stands under
	number    []uint32          // person -> number of the register
	excluded  []bool
	births    []int32 // person -> day of birth, when a step asks for it
	ids       IDReport
	clashes   int64 // own numbers of the source that name two persons
}

// noBirth marks an unknown day of birth.
const noBirth = math.MinInt32

func newPeople(key *personKey, local bool) *people {
	return &people{namer: newNamer(key, local), links: newInterner(), same: map[uint32]uint32{}}
}

// one is the person that an index stands for: a child who was known under a guardian's number and has an own one now is one person.
func (p *people) one(person uint32) uint32 {
	if own, known := p.same[person]; known {
		return own
	}
	return person
}

// grown says that a and b, who share a number of the source, are a child before and after she had an own number, and makes them one. A
// guardian's number names nobody else: the digest under it is of the source's number alone.
func (p *people) grown(a, b uint32) (uint32, bool) {
	if a == nobody || b == nobody || p.guarded[a] == p.guarded[b] {
		return nobody, false
	}
	if p.guarded[b] {
		a, b = b, a
	}
	p.same[a] = b
	if born := p.births[a]; born != noBirth && (p.births[b] == noBirth || born < p.births[b]) {
		p.births[b] = born
	}
	return b, true
}

// identify returns the person of a row of the table of persons. link is the source's own number, nil when it has none.
func (p *people) identify(id, link []byte, guardian bool) uint32 {
	if link != nil {
		return p.linked(p.namer.of(id, link, guardian), link, maphash.Bytes(p.links.seed, link))
	}
	n, fresh := p.links.add(id)
	if fresh {
		p.person = append(p.person, p.resolve(p.namer.of(id, nil, false)))
	}
	return p.person[n]
}

// reserve makes room for so many more persons, whose numbers in the source have together so many bytes.
func (p *people) reserve(persons, bytes int) {
	p.links.reserve(persons, bytes)
	p.person = slices.Grow(p.person, persons)
	p.digests, p.guarded = slices.Grow(p.digests, persons), slices.Grow(p.guarded, persons)
	p.excluded, p.births = slices.Grow(p.excluded, persons), slices.Grow(p.births, persons)
	size := 1 << 10
	for size < 2*(len(p.digests)+persons) {
		size *= 2
	}
	p.byDigest.grow(p.digests, size)
}

// linked is identify for a row that was named already and has a number of the source's own, of which the hash is known.
func (p *people) linked(name named, link []byte, hash uint64) uint32 {
	person := p.resolve(name)
	n, fresh := p.links.addHashed(link, hash)
	switch {
	case fresh:
		p.person = append(p.person, person)
	case p.person[n] != p.one(person):
		own, grown := p.grown(p.person[n], person)
		if !grown {
			p.clashes++
			return person
		}
		p.person[n] = own
	}
	return p.one(person)
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
	n, known := p.byDigest.find(p.digests, name.digest)
	if !known {
		n = uint32(len(p.digests))
		p.byDigest.add(p.digests, name.digest)
		p.digests = append(p.digests, name.digest)
		p.excluded = append(p.excluded, false)
		p.guarded = append(p.guarded, name.guardian)
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

// byLinks is byLink for up to lookAhead rows, nobody where no person is known: see findAll. An empty link names nobody. Rows of one person mostly
// stand together, and are looked up once.
func (p *people) byLinks(links [][]byte, out []uint32) {
	var apart [lookAhead][]byte
	var found [lookAhead]uint32
	n := 0
	for i, link := range links {
		if i == 0 || !bytes.Equal(link, links[i-1]) {
			apart[n] = link
			n++
		}
		out[i] = uint32(n - 1)
	}
	p.links.findAll(apart[:n], found[:n])
	for i, at := range out {
		if out[i] = found[at]; out[i] != nobody {
			out[i] = p.person[out[i]]
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

// persons are the digests of all persons, each once.
func (p *people) persons() []digest {
	if len(p.same) == 0 {
		return p.digests
	}
	out := make([]digest, 0, len(p.digests))
	for i, d := range p.digests {
		if p.one(uint32(i)) == uint32(i) {
			out = append(out, d)
		}
	}
	return out
}

// recall finds persons who have an own number now and whom the register knows from when they had none: by the source's own number.
func (p *people) recall(find func(digest) uint32) {
	for n := range uint32(len(p.person)) {
		if person := p.person[n]; person != nobody && p.number[person] == nobody && !p.guarded[person] {
			p.number[person] = find(p.namer.key.guarded(p.links.bytes(n)))
		}
	}
}

// fate is the number under which a person's rows are kept, or why they are not. Numbers are known after enrol.
func (p *people) fate(person uint32) (number uint32, why string) {
	person = p.one(person)
	switch number = p.number[person]; {
	case p.excluded[person]:
		return nobody, DroppedExcluded
	case number == nobody:
		return nobody, DroppedUnregistered
	default:
		return number, ""
	}
}
