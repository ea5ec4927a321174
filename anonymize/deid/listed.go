package deid

import (
	_ "embed" // the lists of level 5
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"carrel/anonymize/identifier"
)

// codes reads a list of codes: written out, or a list of the recipe by its name.
func (p *parser) codes(r *Recipe, n *yaml.Node, what string) []string {
	if n.Kind == yaml.SequenceNode {
		return p.texts(n, what)
	}
	name := p.text(n, what)
	list, known := r.lists[name]
	if !known {
		p.fail(n, "%s: the recipe has no list %q", what, name)
	}
	return list
}

// hidden reads the values that a step suppresses.
func (p *parser) hidden(r *Recipe, n *yaml.Node, what string) map[string]bool {
	out := map[string]bool{}
	for _, c := range p.codes(r, n, what) {
		out[c] = true
	}
	if len(out) == 0 {
		p.fail(n, "%s is empty", what)
	}
	return out
}

// hidden says that the recipe suppresses a value: it becomes missing.
func (o *op) hidden(raw []byte) bool { return o.step.hide != nil && o.step.hide[string(trim(raw))] }

// leaveOut keeps rows out of an extract by the codes in one of their columns.
type leaveOut struct {
	at     *yaml.Node
	column string // of the source
	codes  []string
}

//go:embed level5.txt
var level5Lists string

// Level5 gives the codes of diagnoses whose rows leave an extract unless they are named, by group: hiv, psychiatric, genetic.
func Level5() map[string][]string {
	out := map[string][]string{}
	for line := range strings.Lines(level5Lists) {
		if words := strings.Fields(line); len(words) > 1 && words[0] != "#" {
			out[words[0]] = words[1:]
		}
	}
	return out
}

// leaveOut reads leave_out: {icd10: level5} or {icd10: [B20, F]}. "level5" is all groups of Level5 but those that exclude.named names.
func (p *parser) leaveOut(r *Recipe, n *yaml.Node, what string) []leaveOut {
	if n == nil {
		return nil
	}
	m := p.object(n, what+".leave_out")
	var out []leaveOut
	for i := 0; i+1 < len(n.Content) && p.err == nil; i += 2 {
		l := leaveOut{at: n.Content[i], column: n.Content[i].Value}
		list := m.get(l.column)
		if list.Kind == yaml.ScalarNode && list.Value == "level5" {
			for group, codes := range Level5() {
				if !slices.Contains(r.exclude.named, group) {
					l.codes = append(l.codes, codes...)
				}
			}
		} else {
			l.codes = p.codes(r, list, what+".leave_out."+l.column)
		}
		l.codes = slices.Clone(l.codes)
		if len(l.codes) == 0 && len(r.exclude.named) == 0 {
			p.fail(list, "%s.leave_out.%s is empty", what, l.column)
		}
		for j, c := range l.codes {
			l.codes[j] = normalCode([]byte(c))
		}
		out = append(out, l)
	}
	return out
}

// normalCode is a code without what people write differently: case, width, points, blanks.
func normalCode(b []byte) string {
	return strings.ReplaceAll(string(identifier.Normalise(nil, b)), ".", "")
}

// holds says that a value is one of the codes, or finer than one of them, alone or anywhere in a list of codes: a pair of dagger and asterisk
// names the cause first and the organ second, and either may be the one.
func (l *leaveOut) holds(value []byte) bool {
	v := normalCode(trim(value))
	if v == "" {
		return false
	}
	for part := range strings.FieldsFuncSeq(v, func(r rune) bool { return strings.ContainsRune("†*+;,|/、，；", r) }) {
		for _, c := range l.codes {
			if strings.HasPrefix(part, c) {
				return true
			}
		}
	}
	return false
}

// dropListed takes rows out of a batch whose codes the recipe leaves out. Whose the row is has been said before, so keys that other tables go
// through stay what they are, and the step is one of the row alone.
func (t *table) dropListed(r *records) {
	if len(t.spec.leaveOut) == 0 {
		return
	}
	n := 0
	for i, row := range r.keep {
		if t.listed(r, int(row)) {
			t.rep.Dropped[DroppedListed]++
			continue
		}
		r.keep[n] = row
		r.persons[n] = r.persons[i]
		if len(r.numbers) > 0 {
			r.numbers[n] = r.numbers[i]
		}
		n++
	}
	r.keep, r.persons = r.keep[:n], r.persons[:n]
	if len(r.numbers) > 0 {
		r.numbers = r.numbers[:n]
	}
}

func (t *table) listed(r *records, row int) bool {
	for i := range t.spec.leaveOut {
		l := &t.spec.leaveOut[i]
		raw := r.field(row, t.leave[i])
		known, seen := t.verdicts[i][string(raw)]
		if !seen {
			known = l.holds(raw)
			if len(t.verdicts[i]) < maxCache {
				t.verdicts[i][string(raw)] = known
			}
		}
		if known {
			return true
		}
	}
	return false
}
