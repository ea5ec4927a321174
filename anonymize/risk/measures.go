package risk

import (
	"cmp"
	"fmt"
	"slices"
)

// Config is what a steward chooses. The zero value is filled with the defaults.
type Config struct {
	// Threshold is the risk of one person that is still acceptable, 0 to 1; default 0.05, classes of twenty.
	Threshold float64 `json:"threshold"`
	// Uniques is the share of the population that may be alone; default 0.001.
	Uniques float64 `json:"uniques"`
	// Population is the number of persons that the data are a sample of; 0: the data are everybody.
	Population int `json:"population,omitempty"`
}

func (c Config) filled() (Config, error) {
	c.Threshold, c.Uniques = cmp.Or(c.Threshold, 0.05), cmp.Or(c.Uniques, 0.001)
	switch {
	case !(c.Threshold > 0 && c.Threshold < 1): // also when it is no number
		return c, fmt.Errorf("the threshold of a person's risk is %v: it must lie between 0 and 1", c.Threshold)
	case !(c.Uniques > 0 && c.Uniques < 1):
		return c, fmt.Errorf("the share of uniques is %v: it must lie between 0 and 1", c.Uniques)
	case c.Population < 0:
		return c, fmt.Errorf("a population of %d persons: it must be 0 or more", c.Population)
	}
	return c, nil
}

// k is the smallest class whose members are at most at the threshold.
func (c Config) k() int {
	k := int(1 / c.Threshold)
	if float64(k)*c.Threshold < 1-1e-9 {
		k++
	}
	return k
}

// Measures are the risks of one table. All are shares of its persons, 0 to 1, unless another unit is named.
type Measures struct {
	Table   string   `json:"table"`
	Quasi   []string `json:"quasi"`
	Rows    int      `json:"rows"`
	Persons int      `json:"persons"`
	// Smallest is the number of persons of the smallest class (k), Classes how many classes have how many persons, Rarest how many persons have
	// a rarest class of that size.
	Smallest int     `json:"smallest"`
	Classes  Classes `json:"classes"`
	Rarest   Classes `json:"rarest"`
	// Prosecutor is the risk of who is known to be in the data, Journalist of who is known to be in the population, Marketer the share that would
	// be linked rightly on average.
	Prosecutor Risk    `json:"prosecutor"`
	Journalist Risk    `json:"journalist"`
	Marketer   float64 `json:"marketer"`
	// Unique is the share alone in the data; Population who would be alone in the population.
	Unique     float64    `json:"unique"`
	Population Uniqueness `json:"population"`
	// Combinations are the most telling sets of up to three columns, Diversity what classes tell of sensitive columns.
	Combinations []Combination `json:"combinations,omitempty"`
	Diversity    []Diversity   `json:"diversity,omitempty"`
}

// Risk is one attacker's success.
type Risk struct {
	Highest float64 `json:"highest"` // of the person easiest to find
	Average float64 `json:"average"`
	AtRisk  float64 `json:"at_risk"` // share of persons above the threshold
	Basis   string  `json:"basis"`   // counted, register or estimated
}

// mostCombinations are listed in a report.
const mostCombinations = 10

// Measure counts one table. The register, where the steward has one, is a table of the population with columns of the same names and codes; the
// journalist's risk is counted there, else estimated from the size of the population. A register that lacks a quasi-identifier counts for nothing
// here: its classes would be larger than what an attacker sees, and the grade better than the data.
func Measure(t *Table, register *Table, c Config) (Measures, error) {
	c, err := c.filled()
	if err != nil {
		return Measures{}, err
	}
	if err := t.check(); err != nil {
		return Measures{}, err
	}
	by := newMeasurer(t)
	m := Measures{Table: t.Name, Rows: len(t.Persons), Persons: by.persons}
	m.Classes, m.Rarest, m.Diversity = by.all()
	for _, i := range by.quasi {
		m.Quasi = append(m.Quasi, t.Columns[i].Name)
	}
	m.Smallest = slices.Min(m.Classes.Sizes())
	m.Prosecutor = m.Rarest.risk(c, 1, "counted")
	m.Unique = float64(m.Rarest[1]) / float64(m.Persons)
	population := max(c.Population, m.Persons)
	m.Journalist = m.Rarest.risk(c, float64(m.Persons)/float64(population), "estimated")
	if population == m.Persons {
		m.Journalist.Basis = "counted"
	}
	if register != nil && register.hasAll(m.Quasi) {
		r, err := against(t, register, c)
		if err != nil {
			return Measures{}, err
		}
		m.Journalist = r
	}
	m.Marketer = m.Journalist.Average
	m.Population = populationUniques(m.Rarest.asClasses(), population)
	if len(by.quasi) > 0 {
		m.Combinations = by.combinations(c.k())
		m.Combinations = m.Combinations[:min(mostCombinations, len(m.Combinations))]
	}
	return m, nil
}

// risk turns persons by the size of their rarest class into risks: fraction/size of each.
func (c Classes) risk(conf Config, fraction float64, basis string) Risk {
	r := Risk{Basis: basis}
	persons := 0
	for _, size := range c.Sizes() { // in one order: sums of floats depend on it, and reports are signed by their hash
		n := c[size]
		one := fraction / float64(size)
		persons += n
		r.Highest = max(r.Highest, one)
		r.Average += one * float64(n)
		if one > conf.Threshold+1e-12 {
			r.AtRisk += float64(n)
		}
	}
	r.Average /= float64(persons)
	r.AtRisk /= float64(persons)
	return r
}

// asClasses makes classes of persons by rarest class: n persons in classes of size s are n/s classes, the rest that rows of other sizes leave
// over one more. For tables with one row a person these are the classes themselves.
func (c Classes) asClasses() Classes {
	out := Classes{}
	for size, n := range c {
		if k := n / size; k > 0 {
			out[size] += k
		}
		if rest := n % size; rest > 0 {
			out[rest]++
		}
	}
	return out
}

// Curve is the share of persons whose risk is at least X, for the plot and for who reads the JSON.
type Curve struct {
	X float64 `json:"risk"`
	Y float64 `json:"persons"`
}

// curve walks through the risks that occur, highest first.
func (c Classes) curve() []Curve {
	persons, n := 0, 0
	for _, k := range c {
		persons += k
	}
	var out []Curve
	for _, size := range c.Sizes() {
		n += c[size]
		out = append(out, Curve{1 / float64(size), float64(n) / float64(persons)})
	}
	return out
}
