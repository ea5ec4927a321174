package jinhe

import (
	"slices"
)

// profile is who a person is, before anything happens.
type profile struct {
	index    uint64
	male     bool
	birth    civil
	born     int32
	district int
	insured  int
	diabetic bool
	tense    bool // hypertension
	smoker   bool
	dialysis bool
	cancer   bool
	frailty  float64 // factor on use of care
}

// model holds what all persons share; it is read only once made.
type model struct {
	persons  int64
	seed     uint64
	spread   spread
	dates    *calendar
	ages     weights
	home     weights
	seasons  [seasons]weights
	monthDay []int32 // first day of each month of the window, and of the one after
	ward     [stages]weights
	near     [len(districts)]weights // everyday care
	acute    [len(districts)]weights // infarction, stroke, sepsis, intensive care
	start    int32
	end      int32 // last day of the window
}

func newModel(persons int64, seed uint64) *model {
	m := &model{persons: persons, seed: seed, spread: newSpread(persons), dates: newCalendar()}
	var ages []float64
	for _, g := range pyramid {
		ages = append(ages, g.share)
	}
	m.ages = newWeights(ages...)
	var home []float64
	for i, d := range districts {
		home = append(home, d.share)
		var near, acute []float64
		for j, h := range hospitals {
			w := h.pull
			if j == d.nearby {
				w += 60
			}
			if h.grade[0] == '1' && h.district != d.code {
				w = 0.1
			}
			near = append(near, w)
			if h.grade[0] == '3' {
				w *= 2
			}
			acute = append(acute, w)
		}
		m.near[i], m.acute[i] = newWeights(near...), newWeights(acute...)
	}
	m.home = newWeights(home...)
	for s := range seasons {
		m.seasons[s] = monthWeights(s)
	}
	for s := range stages {
		m.ward[s] = newWeights(wardShare[s][:]...)
	}
	for i := range 12*years + 1 {
		m.monthDay = append(m.monthDay, civil{firstYear + i/12, i%12 + 1, 1}.days())
	}
	m.start, m.end = m.monthDay[0], m.monthDay[12*years]-1
	return m
}

// profile makes the person of an index; the dice are left at the end of the profile's stream.
func (m *model) profile(d *dice, index uint64) profile {
	d.person(m.seed, index, streamProfile)
	p := profile{index: index}
	var year int
	if d.chance(bornLater) {
		year, p.male = censusYr+1+d.IntN(lastYear-censusYr), d.chance(.52)
	} else {
		g := d.pick(m.ages)
		year, p.male = censusYr-5*g-d.IntN(5), d.chance(pyramid[g].men)
	}
	p.birth = m.spread.birthDate(d, index, year)
	p.born = p.birth.days()
	p.district = d.pick(m.home)
	age := float64(censusYr - p.birth.year)
	p.insured = insure(d, age, districts[p.district].urban)
	p.smoker = age >= 18 && d.chance(either(p.male, .48, .03))
	p.tense = d.chance(min(max(0.012*(age-22), 0), 0.62))
	p.diabetic = age >= 20 && d.chance(min(0.02+max(0.0045*(age-30), 0), 0.26)+either(p.tense, 0.05, 0))
	p.dialysis = age >= 25 && d.chance(either(p.diabetic, 0.003, 0.0004))
	p.cancer = age >= 25 && d.chance(min(0.0006*(age-20), 0.035))
	p.frailty = d.lognormal(1.07, 0.5)
	return p
}

func insure(d *dice, age float64, urban bool) int {
	work := 0.12
	if urban {
		work = 0.46
	}
	switch x := d.Float64(); {
	case age >= 22 && x < work:
		return 0
	case x < 0.93:
		return 1
	case x < 0.945:
		return 2
	case x < 0.985:
		return 3
	default:
		return 4
	}
}

// what a visit is about
type about uint8

const (
	routine about = iota
	infarction
	stroke
	sepsis
	dialysis
	chemo
	again // readmission, for the reason of the stay before
)

// visit is something that will bring a person to hospital on a day, if alive.
type visit struct {
	day  int32
	what about
	ward int
	icd  string
}

// life is the state of one person's eight years.
type life struct {
	*model
	*dice
	profile
	out    *[tableCount]sink
	visits []visit
	death  int32 // day of death, far away when alive
	free   int32 // day of the last discharge: nobody lies in two beds
	rows   [tableCount]int
	text   []byte
	acuted int // infarctions and strokes planned so far
}

const far = int32(1) << 30

func (l *life) ageAt(day int32) float64 { return float64(day-l.born) / 365.25 }

// live makes one person and everything that happens to them.
func (l *life) live(index uint64) {
	l.profile = l.model.profile(l.dice, index)
	l.person(l.seed, index, streamLife)
	l.visits, l.death, l.free, l.acuted = l.visits[:0], far, 0, 0
	l.rows = [tableCount]int{}
	for y := range years {
		l.year(y)
	}
	slices.SortStableFunc(l.visits, func(a, b visit) int { return int(a.day - b.day) })
	for i := 0; i < len(l.visits); i++ { // grows by readmissions
		p := l.visits[i]
		if p.day < l.free && (p.what == routine || p.what == again) {
			continue // in hospital already
		}
		if p.day = max(p.day, l.free); p.day <= l.death && p.day <= l.end {
			l.attend(p)
		}
	}
	l.writePerson()
}

// year plans what one year brings, in proportion to how much of it the person is born.
func (l *life) year(y int) {
	from, to := l.monthDay[12*y], l.monthDay[12*y+12]
	if l.born >= to || l.death < from {
		return
	}
	part := 1.0
	if l.born > from {
		part = float64(to-l.born) / float64(to-from)
	}
	age := max(l.ageAt((from+to)/2), 0.1)
	for range l.poisson(encounterRate(age, l.male) * l.frailty * part) {
		ward := l.pick(l.ward[stageOf(age, l.male)])
		if ward == obstetrics && l.male {
			ward = surgery
		}
		if l.diabetic && l.chance(0.12) {
			ward = endocrinology
		}
		l.expect(y, departments[ward].season, visit{what: routine, ward: ward})
	}
	risk := l.vascularRisk()
	if l.chance(infarctionRate(age, l.male) * risk * part) {
		l.expect(y, winter, visit{what: infarction, ward: cardiology})
		l.acuted++
	}
	if l.chance(strokeRate(age, l.male) * risk * part) {
		l.expect(y, winter, visit{what: stroke, ward: neurology})
		l.acuted++
	}
	if l.chance(sepsisRate(age, l.male) * l.frailty * part) {
		l.expect(y, infection, visit{what: sepsis, ward: icu})
	}
	l.chronic(y)
	if l.chance(mortality(age, l.male) * part) {
		l.death = min(l.death, max(l.dayIn(y, winter), l.born))
	}
}

// vascularRisk is relative to a person without risk factors, scaled so that the city's mean is near one.
func (l *life) vascularRisk() float64 {
	risk := 0.78
	if l.diabetic {
		risk *= 1.9
	}
	if l.tense {
		risk *= 1.8
	}
	if l.smoker {
		risk *= 1.6
	}
	if l.acuted > 0 {
		risk *= 3
	}
	return risk
}

// chronic plans the series of stays of two heavy illnesses.
func (l *life) chronic(y int) {
	if l.dialysis && y >= 2 {
		for range 3 + l.IntN(6) {
			l.expect(y, steady, visit{what: dialysis, ward: nephrology, icd: "Z49.1"})
		}
	}
	if l.cancer && y == int(l.index%years) {
		for range 3 + l.IntN(5) {
			l.expect(y, steady, visit{what: chemo, ward: oncology, icd: "Z51.1"})
		}
	}
}

func (l *life) expect(y int, s season, p visit) {
	p.day = max(l.dayIn(y, s), l.born)
	l.visits = append(l.visits, p)
}

// dayIn draws a day of a year by the weights of its months.
func (l *life) dayIn(y int, s season) int32 {
	w := l.seasons[s]
	base := 0.0
	if y > 0 {
		base = w[12*y-1]
	}
	x := base + l.Float64()*(w[12*y+11]-base)
	m := 12 * y
	for m < 12*y+11 && x >= w[m] {
		m++
	}
	return l.monthDay[m] + int32(l.IntN(int(l.monthDay[m+1]-l.monthDay[m])))
}

// insert plans something later; visits stay in order of days.
func (l *life) insert(p visit) {
	i, _ := slices.BinarySearchFunc(l.visits, p, func(a, b visit) int {
		if a.day == b.day {
			return -1 // after the ones of the same day
		}
		return int(a.day - b.day)
	})
	l.visits = slices.Insert(l.visits, i, p)
}

func either(b bool, yes, no float64) float64 {
	if b {
		return yes
	}
	return no
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func sexOf(male bool) string {
	if male {
		return "male"
	}
	return "female"
}

// unnumbered says who has no ID number: every 2,000th.
func unnumbered(index uint64) bool { return index%2000 == 1500 }

// capUnnumbered is the most rows of one table that name a person without a number; registries, which are kept by number, have none. All that
// names such a person is lost to an extract, and a recipe bounds what may be lost by a share of the rows: one who came eleven times would be
// more than that share of a small city, and the demo could not be made.
const capUnnumbered = 2

// room is how many rows of a table may still name the person.
func (l *life) room(table int) int {
	limit := [tableCount]int{tEncounter: capEncounters, tCV: capEvents, tSepsis: capEvents, tLab: capResults, tRx: capResults}[table]
	if unnumbered(l.index) {
		limit = min(limit, [tableCount]int{tEncounter: capUnnumbered, tLab: capUnnumbered, tRx: capUnnumbered}[table])
	}
	return limit - l.rows[table]
}

// writePerson writes the person's row last, when the day of death is known. Every 2,000th has no ID number; a quarter
// of the children of under 16 are written under a guardian's number.
func (l *life) writePerson() {
	l.person(l.seed, l.index, streamGuardian)
	s := l.out[tPerson]
	s.id('P', number(l.index))
	guardians := false
	switch {
	case unnumbered(l.index):
		s.null()
	case lastYear-l.birth.year < 16 && l.chance(0.25):
		if id, ok := l.guardian(); ok {
			guardians = true
			s.raw(id)
			break
		}
		fallthrough
	default:
		l.text = idNumber(l.text[:0], l.index, l.male, l.birth)
		if l.birth.year < 1960 && l.chance(0.04) {
			n := len(l.text)
			l.text = shortID(l.text, l.text[:n])
			l.text = l.text[n:]
		}
		s.raw(l.text)
	}
	s.int(flag(guardians))
	l.text = appendName(l.text[:0], l.dice, l.male)
	s.raw(l.text)
	l.text = appendPhone(l.text[:0], l.dice)
	s.raw(l.text)
	l.text = appendAddress(l.text[:0], l.dice, districtNames[l.district])
	s.raw(l.text)
	s.str(sexOf(l.male))
	s.day(l.born)
	s.str(districts[l.district].code)
	s.str(insurances[l.insured])
	if l.death <= l.end {
		s.day(l.death)
	} else {
		s.null()
	}
	s.end()
	l.wishes()
}

// Shares of persons who object, and of children with a guardian's consent.
const (
	objectionShare = 0.0005
	consentShare   = 0.93
)

// wishes writes who objects to the use of the records, and which children's guardians consent to it.
func (l *life) wishes() {
	day := l.end - int32(l.IntN(365))
	if l.chance(objectionShare) {
		l.wish(tObjection, day)
	}
	if lastYear-l.birth.year <= 14 && l.chance(consentShare) {
		l.wish(tConsent, max(day, l.born))
	}
}

func (l *life) wish(table int, day int32) {
	s := l.out[table]
	s.id('P', number(l.index))
	s.day(day)
	s.end()
}

// guardian finds an adult of the city who could be a parent, by asking a few persons who they are.
func (l *life) guardian() ([]byte, bool) {
	for try := range uint64(12) {
		l.person(l.seed, l.index*16+try, streamGuardian)
		other := uint64(l.Int64N(l.persons))
		q := l.model.profile(l.dice, other)
		if gap := l.birth.year - q.birth.year; gap >= 20 && gap <= 45 && !unnumbered(other) {
			l.text = idNumber(l.text[:0], other, q.male, q.birth)
			l.person(l.seed, l.index, streamGuardian) // as if we had not asked
			return l.text, true
		}
	}
	l.person(l.seed, l.index, streamGuardian)
	return nil, false
}

var districtNames = [len(districts)]string{"金河区", "临江区", "青岩区", "南屏区", "云岭县", "白石县", "长溪县", "东汶县", "宁河市", "平野市"}
