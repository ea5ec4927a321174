package jinhe

import "math"

var severities = [...]string{"mild", "moderate", "severe", "critical"}

// event is one row of a registry while it is made.
type event struct {
	subtype                    string
	door, ecg, needle, balloon int64 // minutes, or missing
	lysis, pci                 bool
	outcome                    string
}

// better is what years of quality control do to a time: three per cent a year.
func (l *life) better(day int32) float64 { return math.Pow(0.97, float64(l.yearOf(day))) }

// severe draws 0 to 3, worse with age and delay.
func (l *life) severe(age, door float64) int {
	x := 0.9*l.NormFloat64() + 0.02*(age-62) + 0.15*math.Log(door/180)
	switch {
	case x < 0.4:
		return 0
	case x < 1.1:
		return 1
	case x < 1.8:
		return 2
	default:
		return 3
	}
}

func (l *life) infarction(s *stay) {
	age, h := l.ageAt(s.day), s.hospital
	e := event{subtype: "nstemi", needle: missing, balloon: missing}
	if l.chance(min(max(0.66-0.005*(age-60), .35), .8)) {
		e.subtype = "stemi"
	}
	delay := l.lognormal(170, .9) * districts[l.district].delay
	e.door = min(max(int64(delay), 5), 2880)
	e.ecg = l.minutes((6+3*h.quality)*l.better(s.day), .55, 1, 180)
	s.severity = l.severe(age, float64(e.door))
	if e.subtype == "stemi" {
		s.icd = [...]string{"I21.0", "I21.1", "I21.3"}[l.IntN(3)]
		e.pci = l.chance(h.pciST * either(age > 80, .55, 1) * either(e.door > 720, .45, 1))
		if e.pci && e.door <= 720 {
			e.balloon = l.minutes(h.balloon*l.better(s.day), .33, 15, 600)
		}
		e.lysis = !e.pci && e.door <= 720 && age < 76 && h.grade[0] == '2' && l.chance(.4)
	} else {
		s.icd = "I21.4"
		e.pci = l.chance(h.pciNonST * either(age > 80, .5, 1))
	}
	if e.lysis {
		e.needle = l.minutes(34*l.better(s.day)*(1+.2*h.quality), .4, 5, 240)
	}
	if e.pci {
		s.extra = either(l.yearOf(s.day) >= 3, 21_000, 38_000) // stents were procured by volume from 2021
	}
	x := -3.0 + 0.055*(age-65) + 0.85*float64(s.severity) + 0.15*math.Log(float64(e.door)/180) + 0.12*h.quality
	x -= either(e.pci, 1.0, 0) + either(e.lysis, .4, 0) + either(e.subtype == "stemi", 0, .35)
	l.register(s, "infarction", &e, x)
}

func (l *life) stroke(s *stay) {
	age, h := l.ageAt(s.day), s.hospital
	e := event{ecg: missing, needle: missing, balloon: missing}
	x := -4.1
	switch u := l.Float64(); {
	case u < 0.80:
		e.subtype, s.icd = "ischaemic", [...]string{"I63.3", "I63.4", "I63.9"}[l.IntN(3)]
	case u < 0.965:
		e.subtype, s.icd, x = "haemorrhagic", "I61.9", -2.3
	default:
		e.subtype, s.icd, x = "subarachnoid", "I60.9", -2.1
	}
	e.door = min(max(int64(l.lognormal(330, 1.1)*districts[l.district].delay), 10), 4320)
	s.severity = l.severe(age, 180)
	if e.subtype == "ischaemic" && e.door <= 240 && l.chance(h.lysis*(1+.07*float64(l.yearOf(s.day)))) {
		e.lysis = true
		e.needle = l.minutes(1.12*h.needle*l.better(s.day), .38, 12, 240)
	}
	x += 0.045*(age-65) + 0.8*float64(s.severity) + 0.1*h.quality - either(e.lysis, .3, 0)
	l.register(s, "stroke", &e, x)
}

// register settles the outcome at thirty days from its log odds and writes the row, unless the person has reached the
// cap of the registry.
func (l *life) register(s *stay, kind string, e *event, logOdds float64) {
	e.outcome = l.fate(s, logOdds, 30)
	if l.room(tCV) == 0 {
		return
	}
	o := l.out[tCV]
	o.id('C', number(l.index*8+uint64(l.rows[tCV])))
	o.id('P', number(l.index))
	o.str(s.hospital.id)
	o.str(sexOf(l.male))
	o.str(districts[l.district].code)
	o.str(kind)
	o.str(e.subtype)
	o.day(s.day)
	optional(o, e.door)
	optional(o, e.ecg)
	optional(o, e.needle)
	optional(o, e.balloon)
	o.str(severities[s.severity])
	o.int(flag(e.lysis))
	o.int(flag(e.pci))
	o.str(e.outcome)
	o.end()
	l.rows[tCV]++
}

// fate decides life or death in so many days. Who dies of the event dies in the first days rather than the last.
func (l *life) fate(s *stay, logOdds float64, days int32) string {
	if l.logit(logOdds) {
		u := l.Float64()
		l.death = min(l.death, s.day+int32(float64(days)*u*u))
	}
	switch {
	case l.death <= s.day+days:
		return "died"
	case l.chance(0.02):
		return "lost"
	default:
		return "alive"
	}
}

func (l *life) sepsis(s *stay) {
	age, h := l.ageAt(s.day), s.hospital
	s.icd = [...]string{"A41.9", "A41.9", "A41.9", "A41.5", "A41.5", "A41.0", "A40.9"}[l.IntN(7)]
	shock := l.chance(min(0.22+0.002*max(age-50, 0), .5))
	s.severity = 1 + int(2*flag(shock))
	slow := l.better(s.day) * (1 + .25*h.quality)
	lactate := l.minutes(40*slow, .6, 3, 720)
	culture := l.minutes(52*slow, .6, 3, 1440)
	antibiotic := l.minutes(72*slow*either(shock, .85, 1), .65, 5, 1440)
	late := math.Log(float64(antibiotic) / 60)
	if l.chance(0.04) {
		lactate = missing
	}
	if l.chance(0.07) {
		culture = missing
	}
	fluids := l.chance(either(shock, .82, .58))
	pressor := int64(missing)
	if shock {
		pressor = l.minutes(110*slow, .6, 10, 1440)
	}
	outcome := l.fate(s, -1.95+1.7*flagf(shock)+0.028*(age-62)+0.3*late-either(fluids, .25, 0), 28)
	if l.room(tSepsis) == 0 {
		return
	}
	o := l.out[tSepsis]
	o.id('S', number(l.index*8+uint64(l.rows[tSepsis])))
	o.id('P', number(l.index))
	o.str(h.id)
	o.day(s.day)
	o.int(flag(shock))
	optional(o, lactate)
	optional(o, culture)
	o.int(antibiotic)
	o.int(flag(fluids))
	optional(o, pressor)
	o.str(outcome)
	o.end()
	l.rows[tSepsis]++
}

func flagf(b bool) float64 { return either(b, 1, 0) }

// results writes laboratory values: what the ward measures, moved by what the person has.
func (l *life) results(s *stay) {
	w := &departments[s.ward]
	rate := w.labRate
	if s.leave == s.day {
		rate *= 0.5
	}
	for range min(l.poisson(rate), l.room(tLab)) {
		item := w.items[l.IntN(len(w.items))]
		switch { // what defines the event is measured first
		case s.what == infarction && l.chance(.5):
			item = itemTroponin
		case s.what == sepsis && l.chance(.4):
			item = itemLactate
		case s.what == dialysis:
			item = itemCreatinine
		}
		it := &labItems[item]
		v := l.lognormal(it.median*l.shifted(s, item), it.spread)
		o := l.out[tLab]
		o.id('P', number(l.index))
		o.id('E', s.number)
		o.str(s.hospital.id)
		o.day(s.day + int32(l.IntN(int(s.leave-s.day)+1)))
		o.str(it.code)
		o.cents(int64(v*100 + .5))
		o.str(it.unit)
		o.end()
		l.rows[tLab]++
	}
}

func (l *life) shifted(s *stay, item int) float64 {
	switch {
	case item == itemGlucose && l.diabetic:
		return 1.7
	case item == itemHbA1c && l.diabetic:
		return 1.43
	case item == itemTroponin && s.what == infarction:
		return 110
	case item == itemLactate && s.what == sepsis:
		return 1 + 0.8*float64(s.severity)
	case (item == itemCRP || item == itemWBC) && (s.what == sepsis || s.ward == respiratoryWard || s.ward == infectious):
		return either(item == itemCRP, 9, 1.6)
	case item == itemCreatinine && l.dialysis:
		return 9
	case item == itemHaemoglobin && !l.male:
		return .92
	case item == itemLDL && l.ageAt(s.day) > 50:
		return 1.1
	}
	return 1
}

// prescribe writes drugs: what the ward gives, metformin and insulin where there is diabetes.
func (l *life) prescribe(s *stay) {
	w, y := &departments[s.ward], float64(l.yearOf(s.day))
	for range min(l.poisson(w.rxRate), l.room(tRx)) {
		d := w.drugs[l.IntN(len(w.drugs))]
		switch {
		case l.diabetic && l.chance(.15):
			d = [...]int{drugMetformin, drugMetformin, drugGlargine, drugDapagliflozin}[l.IntN(4)]
		case s.what == infarction && l.chance(.3):
			d = drugTicagrelor
		case s.what == sepsis && l.chance(.2):
			d = drugVancomycin
		case s.what == dialysis:
			d = drugErythropoietin
		}
		price := drugs[d].price
		if drugs[d].procured && y >= 3 {
			price *= 0.35
		}
		packs := 1 + l.poisson(1.2)
		o := l.out[tRx]
		o.id('P', number(l.index))
		o.id('E', s.number)
		o.str(drugs[d].code)
		o.str(manufacturers[(d*5+l.IntN(3))%len(manufacturers)])
		o.int(int64(packs))
		o.cents(int64(price * float64(packs) * l.lognormal(1, .15) * 100))
		o.day(s.day + int32(l.IntN(int(s.leave-s.day)+1)))
		o.id('D', staffNumber(s.staff))
		o.end()
		l.rows[tRx]++
	}
}
