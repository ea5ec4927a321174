package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"carrel/anonymize/kanon/hierarchy"
	"carrel/anonymize/kanon/model"
	"carrel/anonymize/kanon/recode"
)

// modelFlags are the privacy models of a command line. Those of sensitive columns hold for each of them.
type modelFlags struct {
	k, kmap             int
	l, c, t, beta, risk float64
	unique, fraction    float64
	diversity, distance string
	enhanced            bool
	sensitive           []string
	presence            string
}

func (m *modelFlags) declare(f *pflag.FlagSet) {
	f.IntVar(&m.k, "k", 0, "k-anonymity: persons in each class, at least")
	f.IntVar(&m.kmap, "k-map", 0, "k-map: persons of the population in each class, at least")
	f.StringSliceVar(&m.sensitive, "sensitive", nil, "sensitive columns, for --l, --t and --beta")
	f.Float64Var(&m.l, "l", 0, "l-diversity of the sensitive columns")
	f.StringVar(&m.diversity, "diversity", "distinct", "which l-diversity: distinct, entropy or recursive")
	f.Float64Var(&m.c, "c", 0, "c of recursive (c,l)-diversity")
	f.Float64Var(&m.t, "t", 0, "t-closeness of the sensitive columns")
	f.StringVar(&m.distance, "distance", "equal", "which distance: equal, ordered (numbers) or hierarchical (by its file in --hierarchies)")
	f.Float64Var(&m.beta, "beta", 0, "β-likeness of the sensitive columns")
	f.BoolVar(&m.enhanced, "enhanced", false, "enhanced β-likeness")
	f.StringVar(&m.presence, "presence", "", "δ-presence: LOW,HIGH share of the population's persons of a class who are in the table")
	f.Float64Var(&m.risk, "average-risk", 0, "average risk of a person, at most")
	f.Float64Var(&m.unique, "unique", -1, "share of persons estimated to be unique in the population, at most")
	f.Float64Var(&m.fraction, "fraction", 0, "share of the population that the table holds, for --unique")
}

// has says whether a column is sensitive.
func (m *modelFlags) has(name string) bool { return slices.Contains(m.sensitive, name) }

// set makes the models; dir has the hierarchies for hierarchical distances.
func (m *modelFlags) set(t *recode.Table, dir string) (*model.Set, error) {
	var s model.Set
	var errs []error
	class := func(c model.Criterion, err error) { s.Classes, errs = append(s.Classes, c), append(errs, err) }
	whole := func(c model.TableCriterion, err error) { s.Tables, errs = append(s.Tables, c), append(errs, err) }
	if m.k != 0 {
		class(model.K(m.k))
	}
	if m.kmap != 0 {
		class(model.KMap(m.kmap))
	}
	if m.presence != "" {
		m.present(class, whole)
	}
	if m.risk != 0 {
		whole(model.AverageRisk(m.risk))
	}
	if m.unique >= 0 {
		whole(model.PopulationUnique(m.unique, m.fraction, model.Zayatz))
	}
	if (m.l != 0 || m.t != 0 || m.beta != 0) != (len(m.sensitive) > 0) {
		errs = append(errs, errors.New("--l, --t and --beta are of columns that --sensitive names"))
	}
	for i, name := range t.Sensitive() {
		if err := m.column(class, t, i, name, dir); err != nil {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, usageError{firstOf(errs)}
	}
	if len(s.Classes) == 0 {
		return nil, usageError{errors.New("say which privacy model is asked for, e.g. --k 5")}
	}
	return &s, nil
}

func firstOf(errs []error) error {
	return errs[slices.IndexFunc(errs, func(e error) bool { return e != nil })]
}

func (m *modelFlags) present(class func(model.Criterion, error), whole func(model.TableCriterion, error)) {
	a, b, found := strings.Cut(m.presence, ",")
	low, e1 := strconv.ParseFloat(a, 64)
	high, e2 := strconv.ParseFloat(b, 64)
	if !found || e1 != nil || e2 != nil {
		class(nil, errors.New("--presence is LOW,HIGH, e.g. 0,0.5"))
		return
	}
	class(model.Presence(low, high))
	if low > 0 {
		whole(model.PresenceOfAll(), nil)
	}
}

// column makes the models of one sensitive column.
func (m *modelFlags) column(class func(model.Criterion, error), t *recode.Table, i int, name, dir string) error {
	if m.l != 0 {
		switch m.diversity {
		case "entropy":
			class(model.Entropy(i, m.l))
		case "recursive":
			class(model.Recursive(i, m.c, int(m.l)))
		case "distinct":
			class(model.Distinct(i, int(m.l)))
		default:
			return errors.New("--diversity is distinct, entropy or recursive")
		}
	}
	if m.t == 0 && m.beta == 0 {
		return nil
	}
	ref, err := m.reference(t, i, name, dir)
	if err != nil {
		return err
	}
	if m.t != 0 {
		class(model.Close(i, m.t, model.Distance(m.distance), ref))
	}
	if m.beta != 0 {
		class(model.Likeness(i, m.beta, m.enhanced, ref))
	}
	return nil
}

func (m *modelFlags) reference(t *recode.Table, i int, name, dir string) (*model.Reference, error) {
	var order []uint32
	var tree [][]uint32
	values := t.Values(i)
	switch model.Distance(m.distance) {
	case model.Equal: // needs neither
	case model.Ordered:
		numbers := make([]float64, len(values))
		for c, v := range values {
			var err error
			if numbers[c], err = strconv.ParseFloat(v, 64); err != nil {
				return nil, fmt.Errorf("the ordered distance needs numbers: column %q has a value that is none", name)
			}
			order = append(order, uint32(c))
		}
		slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(numbers[a], numbers[b]) })
	case model.Tree:
		h, err := treeOf(dir, name)
		if err != nil {
			return nil, err
		}
		if h == nil {
			return nil, fmt.Errorf("the hierarchical distance needs a hierarchy of column %q", name)
		}
		for l := 1; l < h.Levels(); l++ {
			groups := make([]uint32, len(values))
			for c, v := range values {
				leaf, known := h.Code([]byte(v))
				if !known {
					return nil, &recode.MissingError{Column: name}
				}
				groups[c] = h.Group(l, leaf)
			}
			tree = append(tree, groups)
		}
	}
	return model.NewReference(t.Counts(i), order, tree)
}

// treeOf reads the hierarchy of a column, nil when the directory has none. FIELD.csv goes before NAME_hierarchy_FIELD.csv.
func treeOf(dir, column string) (*hierarchy.Hierarchy, error) {
	if dir == "" {
		return nil, nil
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	name := ""
	for _, f := range files {
		if f.Name() == column+".csv" {
			name = f.Name()
			break
		}
		if strings.HasSuffix(f.Name(), "_hierarchy_"+column+".csv") {
			if name != "" {
				return nil, fmt.Errorf("%s and %s are both hierarchies of %q: name one %s.csv", name, f.Name(), column, column)
			}
			name = f.Name()
		}
	}
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	h, err := hierarchy.Parse(name, f)
	return h, errors.Join(err, f.Close())
}
