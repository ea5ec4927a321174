package jinhe

import "math"

// The window of the registers. Catalogue bounds say the same.
const (
	firstYear = 2018
	lastYear  = 2025
	years     = lastYear - firstYear + 1
	censusYr  = 2020
)

// The population: 7th National Population Census of China, 2020, five-year groups from 0-4 to 95+; per cent of all and
// the share of men.
var pyramid = [...]struct{ share, men float64 }{
	{5.52, .526}, {6.39, .531}, {6.04, .534}, {5.16, .538}, {5.31, .530}, {6.52, .517}, {8.82, .506}, {7.03, .508},
	{6.61, .510}, {8.13, .510}, {8.60, .503}, {7.19, .502}, {5.21, .498}, {5.25, .489}, {3.52, .486}, {2.22, .468},
	{1.46, .443}, {0.76, .400}, {0.26, .340}, {0.06, .300},
}

// bornLater is the part of the city born after the census: 0.6 % a year for five years.
const bornLater = 0.03

// mortality is the yearly hazard of death from anything that is not modelled as an event (Gompertz: doubling every
// seven years; 0.1 % at 40, 0.7 % at 60, 5 % at 80).
func mortality(age float64, male bool) float64 {
	h := 0.0008 * math.Exp(0.098*(age-40))
	if age < 1 {
		h = 0.005
	}
	if male {
		return h * 1.25
	}
	return h * 0.8
}

// Yearly incidences a person: orders of magnitude of the China cardiovascular and stroke reports (infarction some 80,
// stroke some 280 in 100,000 of all ages; twice to four times as frequent in men until the seventies) and of
// population studies of sepsis (some 250 to 450).
func infarctionRate(age float64, male bool) float64 {
	if age < 25 {
		return 0
	}
	r := 0.00060 * math.Exp(0.068*(age-50))
	if !male {
		r *= min(0.22+0.012*max(age-45, 0), 0.85)
	}
	return min(r, 0.012)
}

func strokeRate(age float64, male bool) float64 {
	if age < 25 {
		return 0
	}
	r := 0.0022 * math.Exp(0.068*(age-50))
	if !male {
		r *= min(0.62+0.006*max(age-45, 0), 0.95)
	}
	return min(r, 0.03)
}

func sepsisRate(age float64, male bool) float64 {
	r := 0.0006 * math.Exp(0.035*max(age-20, 0))
	switch {
	case age < 1:
		r = 0.004
	case age < 5:
		r = 0.001
	}
	if male {
		r *= 1.2
	}
	return r
}

// encounterRate is the yearly number of stays and day cases before frailty.
func encounterRate(age float64, male bool) float64 {
	switch {
	case age < 2:
		return 0.45
	case age < 6:
		return 0.28
	case age < 18:
		return 0.12
	case age < 45:
		if male {
			return 0.16
		}
		return 0.30
	case age < 60:
		return 0.33
	case age < 70:
		return 0.55
	case age < 80:
		return 0.85
	default:
		return 1.05
	}
}

// season is a class of yearly course.
type season int

const (
	steady      season = iota
	winter             // infarction, stroke: a fifth more in January than on average
	respiratory        // airways: nearly half more, and the great wave of December 2022
	infection
	seasons
)

var amplitude = [seasons]float64{0, 0.22, 0.45, 0.15}

// monthWeights is the relative frequency of each class in each month of the window. The spring of 2020 empties the
// hospitals; the winter of 2022/23 fills the wards for airways.
func monthWeights(s season) weights {
	w := make([]float64, 12*years)
	for i := range w {
		w[i] = 1 + amplitude[s]*math.Cos(2*math.Pi*float64(i%12)/12)
		y, m := firstYear+i/12, i%12+1
		if y == 2020 && (m == 2 || m == 3) && s != winter {
			w[i] *= 0.55
		}
		if s == respiratory && (y == 2022 && m == 12 || y == 2023 && m == 1) {
			w[i] *= 2.2
		}
	}
	return newWeights(w...)
}

// district is one of the ten of the city.
type district struct {
	code   string
	share  float64
	delay  float64 // factor on the time to reach a hospital
	urban  bool
	nearby int // index of the hospital at home
}

var districts = [...]district{
	{"519902", 18, 0.9, true, 0}, {"519903", 15, 0.9, true, 1}, {"519904", 12, 1.0, true, 2}, {"519905", 10, 1.0, true, 4},
	{"519921", 9, 1.5, false, 7}, {"519922", 8, 1.5, false, 8}, {"519923", 7, 1.6, false, 9}, {"519924", 6, 1.7, false, 10},
	{"519981", 8, 1.2, false, 5}, {"519982", 7, 1.2, false, 6},
}

// hospital is one of the twelve. Quality is 0 for the best and grows: it lengthens times.
type hospital struct {
	id, district, grade string
	pull                float64 // how many from elsewhere it draws
	quality             float64
	price               float64 // factor on cost
	needle              float64 // median door-to-needle minutes
	balloon             float64 // median door-to-balloon minutes
	pciST, pciNonST     float64 // share treated by intervention
	lysis               float64 // share of eligible strokes given thrombolysis
	staff               int     // prescribers a department
}

var hospitals = [...]hospital{
	{"H01", "519902", "3A", 20, 0, 1.55, 43, 72, .74, .42, .42, 14},
	{"H02", "519903", "3A", 22, 0, 1.65, 41, 70, .76, .45, .45, 16},
	{"H03", "519904", "3A", 12, 0.2, 1.50, 46, 78, .70, .40, .40, 12},
	{"H04", "519902", "3B", 7, 0.5, 1.25, 52, 88, .55, .30, .32, 10},
	{"H05", "519905", "3B", 6, 0.5, 1.25, 53, 90, .52, .28, .30, 10},
	{"H06", "519981", "2A", 4, 1, 1.00, 62, 105, .30, .15, .24, 8},
	{"H07", "519982", "2A", 4, 1, 1.00, 63, 108, .28, .15, .24, 8},
	{"H08", "519921", "2A", 2, 1.1, 0.95, 65, 115, .22, .10, .20, 7},
	{"H09", "519922", "2A", 2, 1.1, 0.95, 66, 118, .20, .10, .20, 7},
	{"H10", "519923", "2B", 1, 1.5, 0.85, 72, 130, .08, .05, .14, 5},
	{"H11", "519924", "2B", 1, 1.5, 0.85, 74, 130, .08, .05, .14, 5},
	{"H12", "519903", "1A", 1, 2, 0.60, 85, 150, .01, .01, .04, 4},
}

var insurances = [...]string{"employee", "resident", "commercial", "self-pay", "other"}
