package deid

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the blocks of ICD-10
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"carrel/anonymize/identifier"
	"carrel/anonymize/kanon/hierarchy"
)

// maxTree bounds the file of a hierarchy.
const maxTree = 64 << 20

// Beside reads files of the directory that a recipe lies in, for ParseRecipeWith.
func Beside(recipe string) func(name string) ([]byte, error) {
	return func(name string) ([]byte, error) {
		f := filepath.Join(filepath.Dir(recipe), name)
		st, err := os.Stat(f)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, errors.New("there is no such file beside the recipe")
		case err != nil:
			return nil, err
		case !st.Mode().IsRegular() || st.Size() > maxTree:
			return nil, fmt.Errorf("it is no file, or larger than %d MB", maxTree>>20)
		}
		return os.ReadFile(f)
	}
}

// hierarchy reads {hierarchy: FILE.csv, level: N}. The file is part of the recipe: read with it, and in its hash. So the step is local.
func (p *parser) hierarchy(s *step, o *object, what string) {
	n := o.get(actHierarchy)
	name := p.text(n, what+".hierarchy")
	level := o.need("level")
	s.level = int(p.integer(level, what+".level"))
	p.orElse(s, o, what)
	if p.err != nil {
		return
	}
	if name == "" || strings.ContainsAny(name, `/\`) || name[0] == '.' {
		p.fail(n, "%s.hierarchy must be the name of a file beside the recipe", what)
		return
	}
	h, known := p.trees[name]
	if !known {
		if p.read == nil {
			p.fail(n, "%s.hierarchy: the recipe came without its directory, so its files cannot be read", what)
			return
		}
		src, err := p.read(name)
		if err == nil {
			h, err = hierarchy.Parse(name, bytes.NewReader(src))
		}
		if err != nil {
			p.fail(n, "%s.hierarchy: %v", what, plainError(name, err))
			return
		}
		sum := sha256.Sum256(src)
		p.trees[name], p.sums = h, append(p.sums, name+" "+hex.EncodeToString(sum[:]))
	}
	if err := h.Check(s.level); err != nil {
		p.fail(level, "%s: %v", what, err)
	}
	s.tree = h
}

// plainError names the file where the error does not.
func plainError(name string, err error) string {
	var e *hierarchy.Error
	if errors.As(err, &e) {
		return err.Error()
	}
	return name + ": " + err.Error()
}

// hashOfAll is the recipe's hash: of its bytes, and of all files that it names.
func hashOfAll(src []byte, sums []string) string {
	if len(sums) == 0 {
		return hashOf(src)
	}
	slices.Sort(sums)
	return hashOf([]byte(hashOf(src) + "\n" + strings.Join(sums, "\n") + "\n"))
}

// climb turns a value into its ancestor of one level. What the level is called must be declared for the column; what has no entry in the
// file goes where else says, and stops the build where else is silent: a tree that does not know its values is the wrong tree.
func climb(s *step, f *finisher) (evaluator, error) {
	to := make([]cell, s.tree.Groups(s.level))
	undeclared := 0
	for g := range to {
		v, err := f.constant(s.tree.Label(s.level, uint32(g)))
		if err != nil {
			undeclared++
		}
		to[g] = cell{v: v}
	}
	if undeclared > 0 {
		return nil, fmt.Errorf("hierarchy %s: %d of the %d labels of level %d are no values that the catalogue declares for column %q",
			s.tree.Name(), undeclared, len(to), s.level, f.col.Name)
	}
	rest := func() (int64, status) { return 0, unreadable }
	if s.hasElse || s.elseNull {
		var err error
		if rest, err = orElse(s, f); err != nil {
			return nil, err
		}
	}
	return func(b []byte) (int64, status) {
		if leaf, in := s.tree.Code(trim(b)); in {
			return to[s.tree.Group(s.level, leaf)].v, ok
		}
		return rest()
	}, nil
}

// generalise reads {generalise: TREE, to: LEVEL} of the trees that are built in.
func (p *parser) generalise(r *Recipe, s *step, o *object, what string) {
	s.of = p.one(o.get(actGeneralise), what+".generalise", treeRegion, treeDisease, treeDrug, treeAge)
	levels := map[string][]string{
		treeRegion:  {"county", "prefecture", "province", "region"},
		treeDisease: {"subcategory", "category", "block", "chapter"},
		treeDrug:    {"1", "2", "3", "4", "5"},
		treeAge:     {"5", "10", "20", "life-stage"},
	}
	if p.err != nil {
		return
	}
	s.grain = p.one(o.need("to"), what+".to", levels[s.of]...)
	if s.of == treeAge && p.err == nil {
		s.action, s.bands = actAgeBand, ageLevel(s.grain)
		p.born(r, s, o, what)
	}
}

// The trees that are built in.
const (
	treeRegion  = "gbt2260"
	treeDisease = "icd10"
	treeDrug    = "atc"
	treeAge     = "age"
)

func generalise(s *step, f *finisher) (evaluator, error) {
	if err := needCode(f.col, s.action); err != nil {
		return nil, err
	}
	switch s.of {
	case treeDisease:
		return diseases(s, f)
	case treeDrug:
		return drugs(s, f), nil
	default:
		return regions(s, f), nil
	}
}

// regions knows codes of GB/T 2260: six digits, or nine and twelve of streets and committees below a county. A longer number is none: the
// first six digits of a resident number would tell where somebody was registered first.
func regions(s *step, f *finisher) evaluator {
	n := map[string]int{"region": 2, "province": 2, "prefecture": 4, "county": 6}[s.grain]
	return func(b []byte) (int64, status) {
		b = trim(b)
		if len(b) != 6 && len(b) != 9 && len(b) != 12 || !identifier.Digits(b) || b[0] == '0' {
			return f.undeclared()
		}
		if s.grain == "region" {
			for _, name := range bigRegion(b[:2]) {
				if v, in := f.codes[name]; in {
					return v, ok
				}
			}
			return f.undeclared()
		}
		if v, in := f.codes[string(b[:n])]; in {
			return v, ok
		}
		padded := append(append([]byte{}, b[:n]...), "0000"[:6-n]...)
		return f.word(padded)
	}
}

// bigRegion gives the names that a dictionary may have for the large region of a province, by the first two digits of its code.
func bigRegion(province []byte) []string {
	names := [...]struct {
		codes string
		as    []string
	}{
		{"11 12 13 14 15", []string{"north", "华北"}}, {"21 22 23", []string{"northeast", "东北"}}, {"31 32 33 34 35 36 37", []string{"east", "华东"}},
		{"41 42 43", []string{"central", "华中"}}, {"44 45 46", []string{"south", "华南"}}, {"50 51 52 53 54", []string{"southwest", "西南"}},
		{"61 62 63 64 65", []string{"northwest", "西北"}}, {"71 81 82", []string{"hk-mo-tw", "港澳台"}},
	}
	for _, r := range names {
		if strings.Contains(r.codes, string(province)) {
			return r.as
		}
	}
	return nil
}

// drugs cuts a code of the ATC classification to one of its five levels.
func drugs(s *step, f *finisher) evaluator {
	n := map[string]int{"1": 1, "2": 3, "3": 4, "4": 5, "5": 7}[s.grain]
	return func(b []byte) (int64, status) {
		b = bytes.ToUpper(trim(b))
		if !isATC(b) || len(b) < n {
			return f.undeclared()
		}
		return f.word(b[:n])
	}
}

// isATC says whether it has the form of a code of some level: A, A02, A02B, A02BC, A02BC01.
func isATC(b []byte) bool {
	form := "LDDLLDD"
	if len(b) > len(form) || !slices.Contains([]int{1, 3, 4, 5, 7}, len(b)) {
		return false
	}
	for i, c := range b {
		letter, digit := c >= 'A' && c <= 'Z', c >= '0' && c <= '9'
		if form[i] == 'L' && !letter || form[i] == 'D' && !digit {
			return false
		}
	}
	return true
}

//go:embed icd10.txt
var icd10Blocks string

// chapters lists the blocks of ICD-10 with their chapters.
func chapters() []diseaseBlock {
	var out []diseaseBlock
	for line := range strings.Lines(icd10Blocks) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		for _, b := range words[1:] {
			from, to, several := strings.Cut(b, "-")
			if !several {
				to = from
			}
			out = append(out, diseaseBlock{from: from, to: to, name: b, chapter: words[0]})
		}
	}
	return out
}

type diseaseBlock struct{ from, to, name, chapter string }

// diseases knows codes of ICD-10 in all editions that share its categories: WHO's, GB/T 14396, the clinical and the insurer's editions with
// their placeholders (I10.x00x002). Of a pair of dagger and asterisk the first counts. Codes of morphology (M8140/3) look like codes of
// chapter XIII and are none.
func diseases(s *step, f *finisher) (evaluator, error) {
	blocks := chapters()
	if s.grain == "block" || s.grain == "chapter" {
		known := slices.ContainsFunc(blocks, func(b diseaseBlock) bool {
			_, is := f.codes[map[string]string{"block": b.name, "chapter": b.chapter}[s.grain]]
			return is
		})
		if !known {
			return nil, fmt.Errorf("generalise: the dictionary of column %q has no %s of ICD-10", f.col.Name, s.grain)
		}
	}
	return func(b []byte) (int64, status) {
		code, is := diseaseCode(trim(b))
		if !is {
			return f.undeclared()
		}
		category := code[:3]
		switch s.grain {
		case "subcategory":
			return f.word([]byte(code))
		case "category":
			return f.word([]byte(category))
		}
		for _, k := range blocks {
			if category >= k.from && category <= k.to {
				if s.grain == "block" {
					return f.word([]byte(k.name))
				}
				return f.word([]byte(k.chapter))
			}
		}
		return f.undeclared()
	}, nil
}

// diseaseCode is the subcategory of a code, A00.0, or its category where the code says no more.
func diseaseCode(b []byte) (string, bool) {
	b = bytes.ToUpper(identifier.Normalise(nil, b))
	for _, mark := range []string{"†", "*", "+"} {
		if first, _, found := bytes.Cut(b, []byte(mark)); found {
			b = first
		}
	}
	if len(b) < 3 || b[0] < 'A' || b[0] > 'Z' || !identifier.Digits(b[1:3]) {
		return "", false
	}
	rest := b[3:]
	dotted := len(rest) > 0 && rest[0] == '.'
	if dotted {
		rest = rest[1:]
	} else if len(rest) > 1 && b[0] == 'M' {
		return "", false // M8140/3, M8140: morphology, or nobody can say
	}
	if len(rest) > 8 {
		return "", false
	}
	for _, c := range rest {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return "", false
		}
	}
	if len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9' {
		return string(b[:3]) + "." + string(rest[:1]), true
	}
	return string(b[:3]), true
}
