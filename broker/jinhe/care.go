package jinhe

import "math"

// Hard caps of rows a person. The catalogue gives the same numbers, with the reason; the sources keep to them.
const (
	capEncounters = 40
	capEvents     = 8
	capResults    = 100
)

// stay is one encounter while it is made.
type stay struct {
	visit
	hospital *hospital
	number   uint64
	leave    int32
	died     bool
	severity int     // 0-3 in events
	extra    float64 // CNY for procedures
	icd      string
	staff    uint64
}

// attend makes the stay of a visit with all that hangs on it, and perhaps the one that follows.
func (l *life) attend(p visit) {
	if l.room(tEncounter) == 0 {
		return
	}
	s := stay{visit: p, hospital: &hospitals[l.hospital(p)], icd: p.icd}
	s.number = number(l.index*64 + uint64(l.rows[tEncounter]))
	s.staff = uint64(s.hospital.id[1]-'0')*1000_000 + uint64(s.hospital.id[2]-'0')*100_000 + uint64(p.ward)*100 + uint64(l.IntN(s.hospital.staff))
	switch p.what {
	case infarction:
		l.infarction(&s)
	case stroke:
		l.stroke(&s)
	case sepsis:
		l.sepsis(&s)
	case routine, dialysis, chemo, again: // no registry takes them
	}
	if s.icd == "" {
		s.icd = l.diagnosis(p)
	}
	s.leave = min(p.day+l.length(&s), l.end)
	if !s.died && (p.what == routine || p.what == again) {
		l.wardDeath(&s)
	}
	if l.death <= s.leave {
		s.leave, s.died = max(l.death, p.day), true
	}
	l.free = s.leave
	l.writeStay(&s)
	if !s.died {
		l.follow(&s)
	}
}

func (l *life) hospital(p visit) int {
	w := l.near[l.district]
	if p.what == infarction || p.what == stroke || p.ward == icu || p.ward == oncology {
		w = l.acute[l.district]
	}
	return l.pick(w)
}

// diagnosis picks among what the ward treats at this age and sex.
func (l *life) diagnosis(p visit) string {
	if l.chance(rareShare) {
		return rareCodes[l.IntN(len(rareCodes))]
	}
	age, cases := l.ageAt(p.day), departments[p.ward].cases
	sex := byte('f')
	if l.male {
		sex = 'm'
	}
	total := 0.0
	for i := range cases {
		total += l.fits(&cases[i], age, sex)
	}
	x := l.Float64() * total
	for i := range cases {
		if x -= l.fits(&cases[i], age, sex); x < 0 {
			return cases[i].code
		}
	}
	return rareCodes[0] // no case of this ward fits; the fold makes it "other"
}

func (l *life) fits(c *diagnosis, age float64, sex byte) float64 {
	if age < c.lo || age >= c.hi || c.sex != 0 && c.sex != sex {
		return 0
	}
	if l.diabetic && (c.code == "E11.9" || c.code == "E11.2" || c.code == "E11.5") {
		return c.weight * 8
	}
	if l.tense && (c.code == "I10" || c.code == "I11.9" || c.code == "I50.0") {
		return c.weight * 2
	}
	return c.weight
}

// length is the stay in days: lognormal, longer in the old, shorter every year, as everywhere.
func (l *life) length(s *stay) int32 {
	w := &departments[s.ward]
	if s.what == dialysis || w.stay == 0 && l.chance(.7) {
		return 0
	}
	median := max(w.stay, 1)
	if s.what == infarction || s.what == stroke || s.what == sepsis {
		median *= 1 + 0.35*float64(s.severity)
	}
	age := l.ageAt(s.day)
	median *= 1 + 0.004*max(age-50, 0)
	median *= math.Pow(0.975, float64(l.yearOf(s.day)))
	return int32(min(l.lognormal(median, w.spread), 180))
}

// yearOf counts the years of the window from 0.
func (l *life) yearOf(day int32) int { return l.dates.civil(day).year - firstYear }

// wardDeath lets a few of the other stays end in death: intensive care, heart failure, cancer, the very old.
func (l *life) wardDeath(s *stay) {
	x := -7.0 + 0.045*(l.ageAt(s.day)-50)
	switch s.ward {
	case icu:
		x += 3.6
	case oncology, respiratoryWard:
		x += 1.1
	case obstetrics, otherWard, orthopaedics:
		x -= 1
	}
	if s.icd == "I50.0" || s.icd == "I50.9" || s.icd == "Z51.5" {
		x += 1.4
	}
	if l.logit(x) {
		l.death = min(l.death, s.day+int32(l.IntN(int(s.leave-s.day)+1)))
	}
}

// follow plans readmissions within thirty days, and rehabilitation after a stroke.
func (l *life) follow(s *stay) {
	x := -3.1 + 0.012*(l.ageAt(s.day)-50)
	switch {
	case s.what == dialysis || s.what == chemo || s.ward == obstetrics:
		return
	case s.icd == "I50.0" || s.icd == "I50.9" || s.icd == "J44.1":
		x += 1.0
	case s.what == again:
		x -= 0.3
	}
	if l.diabetic {
		x += 0.35
	}
	if l.logit(x) {
		p := visit{day: s.leave + 1 + int32(l.IntN(29)), what: again, ward: s.ward, icd: s.icd}
		if s.what != routine && s.what != again {
			p.icd = "" // the ward's usual cases: the event itself is counted once
		}
		l.insert(p)
	}
	if s.what == stroke && s.severity > 0 && l.chance(.35) {
		l.insert(visit{day: s.leave + int32(l.IntN(14)), what: again, ward: rehabilitation, icd: "I69.3"})
	}
}

var outcomes = [...]string{"recovered", "improved", "unchanged", "transferred", "left-against-advice"}

func (l *life) outcome(s *stay) string {
	if s.died {
		return "died"
	}
	x := l.Float64()
	switch s.ward {
	case icu:
		x = 0.30 + 0.70*x // fewer recover, more move on
	case obstetrics:
		x *= 0.6
	}
	switch {
	case x < 0.38:
		return outcomes[0]
	case x < 0.90:
		return outcomes[1]
	case x < 0.95:
		return outcomes[2]
	case x < 0.98:
		return outcomes[3]
	default:
		return outcomes[4]
	}
}

// cost is days and procedures at the hospital's price, skewed, four per cent dearer every year; drugs are a share of
// it that falls with the years, as the reforms meant it to.
func (l *life) cost(s *stay) (total, drugs int64) {
	w, y := &departments[s.ward], float64(l.yearOf(s.day))
	days := float64(s.leave-s.day) + 1
	c := w.daily*math.Pow(days, 0.85) + w.fixed*either(s.leave > s.day, 1, 0.15)
	c = c*s.hospital.price*math.Pow(1.04, y)*l.lognormal(1, 0.42) + s.extra*l.lognormal(1, 0.12)
	share := min(max(0.42-0.02*y+0.08*l.NormFloat64(), 0.05), 0.8)
	if s.ward == oncology {
		share = min(share+0.15, 0.85)
	}
	total = int64(c * 100)
	return total, int64(c * share * 100)
}

func (l *life) writeStay(s *stay) {
	o := l.out[tEncounter]
	total, drugs := l.cost(s)
	o.id('E', s.number)
	o.id('P', number(l.index))
	o.str(s.hospital.id)
	o.day(s.day)
	o.day(s.leave)
	o.str(departments[s.ward].code)
	o.str(s.icd)
	o.str(l.outcome(s))
	o.cents(total)
	o.cents(drugs)
	o.id('D', staffNumber(s.staff))
	l.text = staffName(l.text[:0], s.staff)
	o.raw(l.text)
	l.text = l.note(l.text[:0], s)
	o.raw(l.text)
	o.end()
	l.rows[tEncounter]++
	l.results(s)
	l.prescribe(s)
}

func staffNumber(staff uint64) uint64 { return 5_199_000_000 + staff }

// staffName is a function of the number alone: a doctor keeps the name.
func staffName(buf []byte, staff uint64) []byte {
	h := mix(staff)
	buf = append(buf, surnames[h%60]...)
	if h>>32&1 == 0 {
		return append(buf, givenMale[h>>33%uint64(len(givenMale))]...)
	}
	return append(buf, givenFemale[h>>33%uint64(len(givenFemale))]...)
}

// note is free text as clerks write it: names, phones and quotes where none belong.
func (l *life) note(buf []byte, s *stay) []byte {
	buf = append(buf, "患者"...)
	switch x := l.Float64(); {
	case x < 0.25:
		buf = append(appendName(buf, l.dice, l.male), "，"...)
	case x < 0.30:
		buf = append(appendName(buf, l.dice, l.male), "，联系电话"...)
		buf = append(appendPhone(buf, l.dice), "，"...)
	}
	if l.male {
		buf = append(buf, "男，"...)
	} else {
		buf = append(buf, "女，"...)
	}
	buf = pad(buf, int(max(l.ageAt(s.day), 0)), 2)
	buf = append(append(append(buf, "岁，"...), s.icd...), "。"...)
	if l.chance(0.02) {
		buf = append(buf, `自述"胸闷",无发热`...)
	}
	if s.died {
		return append(buf, "抢救无效。"...)
	}
	return append(append(buf, "主管医师"...), append(staffName(nil, s.staff), "。"...)...)
}
