package deid

import "errors"

// assign finds the person of each row of a batch and drops rows without one. In the table of persons itself nobody has
// a number yet: who is in the register is known at its end.
func (b *builder) assign(t *table, r *records) error {
	r.keep, r.persons, r.numbers = r.keep[:0], r.persons[:0], r.numbers[:0]
	t.rep.Read += int64(r.rows - r.first)
	switch {
	case t.layout.Public:
		for row := r.first; row < r.rows; row++ {
			r.keep, r.persons = append(r.keep, int32(row)), append(r.persons, 0)
		}
	case t.persons:
		if err := b.assignPersons(t, r); err != nil {
			return err
		}
	default:
		b.assignLinked(t, r)
	}
	t.dropListed(r)
	t.rep.Kept += int64(len(r.keep)) // of these finish drops some more
	return nil
}

// lookAhead is the number of rows whose persons are looked up together.
const lookAhead = 256

// assignLinked finds the persons of rows that name them by the source's own number, or by a key of another table's row.
func (b *builder) assignLinked(t *table, r *records) {
	var links [lookAhead][]byte
	var persons [lookAhead]uint32
	for from := r.first; from < r.rows; from += lookAhead {
		n := min(lookAhead, r.rows-from)
		for i := range n {
			if links[i] = trim(r.field(from+i, t.link)); t.marks[string(links[i])] {
				links[i] = nil
			}
		}
		b.whose(t, links[:n], persons[:n])
		for i := range n {
			person, number := persons[i], uint32(nobody)
			t.export(r, from+i, person)
			var why string
			switch {
			case len(links[i]) == 0:
				why = DroppedNoUnit
			case person == nobody:
				why = DroppedUnlinked
			default:
				number, why = b.people.fate(person)
			}
			if why != "" {
				t.rep.Dropped[why]++
				continue
			}
			r.keep, r.persons, r.numbers = append(r.keep, int32(from+i)), append(r.persons, person), append(r.numbers, number)
		}
	}
}

// assignPersons finds the persons of rows of the table of persons, by identifier.
func (b *builder) assignPersons(t *table, r *records) error {
	if t.link != noColumn {
		b.reserve(t, r)
	}
	var hashes [lookAhead]uint64
	for from := r.first; from < r.rows; from += lookAhead {
		to := min(r.rows, from+lookAhead)
		if t.link != noColumn {
			b.reach(t, r, from, hashes[:to-from])
		}
		for row := from; row < to; row++ {
			person, err := b.personOf(t, r, row, hashes[row-from])
			if err != nil {
				return err
			}
			t.export(r, row, person)
			if person == nobody {
				t.rep.Dropped[DroppedNoUnit]++
				continue
			}
			r.keep, r.persons, r.numbers = append(r.keep, int32(row)), append(r.persons, person), append(r.numbers, person)
		}
	}
	return nil
}

// mostReserved bounds the room that is made for persons on the word of a file's first rows.
const mostReserved = 1 << 24

// reserve makes room for the persons of a file when its first rows are read: lists that double would hold three times their size for a moment.
func (b *builder) reserve(t *table, r *records) {
	if r.first == 0 || r.rows < 2 || r.read <= 0 {
		return
	}
	bytes := 0
	for row := r.first; row < r.rows; row++ {
		bytes += len(r.field(row, t.link))
	}
	times := 1.02 * float64(r.size) / float64(r.read)
	b.people.reserve(int(min(times*float64(r.rows), mostReserved)), int(min(times*float64(bytes), 16*mostReserved)))
}

// reach brings what rows will be looked up by into the processor's cache, and keeps the hashes of their links.
func (b *builder) reach(t *table, r *records, from int, hashes []uint64) {
	for i := range hashes {
		_, link := t.identity(r, from+i)
		h, seen := b.people.links.reach(link)
		hashes[i] = h
		b.touched += seen + b.people.byDigest.reach(&r.names[from+i].digest)
	}
}

// nameAll does what each row's identifier allows by itself, for several runs of rows at a time: normalising and hashing identifiers is most of
// the work on the table of persons.
func (b *builder) nameAll(t *table, r *records) {
	if t.link == noColumn {
		return
	}
	if cap(r.names) < r.rows {
		r.names = make([]named, r.rows)
	}
	r.names = r.names[:r.rows]
	n := newNamer(newPersonKey(b.secret), b.recipe.unit.local)
	for row := r.first; row < r.rows; row++ {
		r.names[row] = named{}
		id, link := t.identity(r, row)
		guardian, err := t.byGuardian(r, row)
		if err == nil && len(id) > 0 && len(link) > 0 {
			r.names[row] = n.of(id, link, guardian)
		}
	}
}

// identity is the row's identifier and the source's own number, empty when missing, nil when the source has no such number.
func (t *table) identity(r *records, row int) (id, link []byte) {
	if id = trim(r.field(row, t.id)); t.marks[string(id)] {
		id = nil
	}
	if t.link == noColumn {
		return id, nil
	}
	if link = trim(r.field(row, t.link)); t.marks[string(link)] {
		link = link[:0]
	}
	return id, link
}

// byGuardian says that the row's identifier is a guardian's.
func (t *table) byGuardian(r *records, row int) (bool, error) {
	if t.guardian == noColumn {
		return false, nil
	}
	return flag(trim(r.field(row, t.guardian)))
}

// personOf says whose row of the table of persons it is, nobody when it names no one.
func (b *builder) personOf(t *table, r *records, row int, hash uint64) (uint32, error) {
	id, link := t.identity(r, row)
	if t.link != noColumn && len(link) == 0 {
		return nobody, nil
	}
	guardian, err := t.byGuardian(r, row)
	if err != nil {
		return nobody, &SourceError{File: t.file, Line: r.lines[row], Text: "the guardian's column is neither 0 nor 1"}
	}
	if len(id) == 0 {
		return nobody, nil
	}
	var person uint32
	if t.link == noColumn {
		person = b.people.identify(id, nil, guardian)
	} else {
		person = b.people.linked(r.names[row], link, hash)
	}
	born := int32(noBirth)
	if person != nobody && t.birth != noColumn {
		if d, is := parseDate(trim(r.field(row, t.birth))); is {
			born = int32(d)
			// The earliest of several, so that the order of rows does not matter.
			if now := b.people.births[person]; now == noBirth || born < now {
				b.people.births[person] = born
			}
		}
	}
	if person != nobody && guardian {
		b.people.wards = append(b.people.wards, ward{r.names[row].by, born, person})
	}
	return person, nil
}

var errFlag = errors.New("not a flag")

func flag(b []byte) (bool, error) {
	switch string(b) {
	case "1", "true", "TRUE", "True", "是":
		return true, nil
	case "", "0", "false", "FALSE", "False", "否":
		return false, nil
	default:
		return false, errFlag
	}
}
