package model

import (
	"fmt"
	"math"
)

type averageRisk float64

// AverageRisk demands that a person who stays is found with at most this probability on average, if the attacker knows
// that she is in the table: classes ÷ persons.
func AverageRisk(most float64) (TableCriterion, error) {
	if !(most > 0 && most < 1) {
		return nil, fmt.Errorf("an average risk of %g: it must lie between 0 and 1", most)
	}
	return averageRisk(most), nil
}

func (a averageRisk) String() string { return fmt.Sprintf("average risk %g", float64(a)) }

func (a averageRisk) holds(s *Summary) bool {
	return float64(s.Classes) <= float64(a)*float64(s.Persons)*(1+tolerance)
}

// Uniques estimates how many persons of a sample are unique in the population that it is a part of, from the sizes of
// the sample's classes and the share of the population that was sampled.
type Uniques func(sizes map[int64]int64, fraction float64) float64

type populationUnique struct {
	most, fraction float64
	estimate       Uniques
}

// PopulationUnique demands that at most this share of the persons who stay are unique in a population of which the table
// is the fraction.
func PopulationUnique(most, fraction float64, estimate Uniques) (TableCriterion, error) {
	if !(most >= 0 && most < 1) || !(fraction > 0 && fraction <= 1) {
		return nil, fmt.Errorf("the limit of population uniques lies from 0 to below 1, the sampling fraction above 0 and up to 1")
	}
	return populationUnique{most: most, fraction: fraction, estimate: estimate}, nil
}

func (p populationUnique) String() string {
	return fmt.Sprintf("population uniques %g at a fraction of %g", p.most, p.fraction)
}

func (p populationUnique) holds(s *Summary) bool {
	if s.Persons == 0 {
		return true
	}
	return p.estimate(s.Sizes, p.fraction) <= p.most*float64(s.Persons)+tolerance
}

// Zayatz is the estimate of Zayatz (1991): the probability that a sample unique is a population unique, if the sizes of
// classes in the population are distributed as in the sample and each person is sampled on her own.
func Zayatz(sizes map[int64]int64, fraction float64) float64 {
	if sizes[1] == 0 {
		return 0
	}
	all := 0.0
	for size, n := range sizes {
		all += float64(n) * float64(size) * fraction * math.Pow(1-fraction, float64(size-1))
	}
	one := float64(sizes[1]) * fraction
	return float64(sizes[1]) * one / all
}

type presenceOfAll struct{}

// PresenceOfAll demands that no class of the population is without a person of the table: what δ-presence with a lower
// bound says of those who are not in it.
func PresenceOfAll() TableCriterion { return presenceOfAll{} }

func (presenceOfAll) String() string        { return "presence of all" }
func (presenceOfAll) holds(s *Summary) bool { return s.Population == s.PopulationTotal }
