package deid

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// RecipeError is a mistake in a recipe, with its place. Its text holds names of the recipe only.
type RecipeError struct {
	File string
	Line int
	Text string
}

// Error is one sentence with file and line.
func (e *RecipeError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Text)
	}
	return fmt.Sprintf("%s line %d: %s", e.File, e.Line, e.Text)
}

// nodes walks a YAML tree strictly and keeps the first mistake.
type nodes struct {
	file string
	err  error
}

func (p *nodes) fail(n *yaml.Node, format string, args ...any) {
	if p.err == nil {
		line := 0
		if n != nil {
			line = n.Line
		}
		p.err = &RecipeError{File: p.file, Line: line, Text: fmt.Sprintf(format, args...)}
	}
}

// object is a mapping whose unknown fields are a mistake.
type object struct {
	p    *nodes
	at   *yaml.Node
	what string
	vals map[string]*yaml.Node
	keys map[string]*yaml.Node
	used map[string]bool
}

func (p *nodes) object(n *yaml.Node, what string) *object {
	o := &object{p: p, at: n, what: what, vals: map[string]*yaml.Node{}, keys: map[string]*yaml.Node{}, used: map[string]bool{}}
	if n == nil || n.Kind != yaml.MappingNode {
		p.fail(n, "%s must be a mapping of names to values", what)
		return o
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		if k.Kind != yaml.ScalarNode || k.Value == "<<" {
			p.fail(k, "%s has a field whose name is not a word", what)
			continue
		}
		if _, twice := o.vals[k.Value]; twice {
			p.fail(k, "%s has the field %q twice", what, k.Value)
		}
		o.vals[k.Value], o.keys[k.Value] = n.Content[i+1], k
	}
	return o
}

func (o *object) has(name string) bool { _, ok := o.vals[name]; return ok }

func (o *object) get(name string) *yaml.Node {
	o.used[name] = true
	return o.vals[name]
}

func (o *object) need(name string) *yaml.Node {
	n := o.get(name)
	if n == nil {
		o.p.fail(o.at, "%s lacks the field %q", o.what, name)
	}
	return n
}

// done reports the first field, in the order of the file, that nobody asked for.
func (o *object) done() {
	if o.at == nil || o.at.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(o.at.Content); i += 2 {
		if k := o.at.Content[i]; !o.used[k.Value] {
			o.p.fail(k, "%s has no field %q", o.what, k.Value)
			return
		}
	}
}

func (p *nodes) text(n *yaml.Node, what string) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		p.fail(n, "%s must be a word", what)
		return ""
	}
	return n.Value
}

var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

func (p *nodes) identifier(n *yaml.Node, what string) string {
	s := p.text(n, what)
	if n != nil && p.err == nil && !plainName.MatchString(s) {
		p.fail(n, "%s must be lower-case letters, digits and _", what)
	}
	return s
}

func (p *nodes) one(n *yaml.Node, what string, allowed ...string) string {
	s := p.text(n, what)
	if n != nil && p.err == nil && !slices.Contains(allowed, s) {
		p.fail(n, "%s must be one of: %s", what, strings.Join(allowed, ", "))
	}
	return s
}

func (p *nodes) integer(n *yaml.Node, what string) int64 {
	if n == nil {
		return 0
	}
	v, err := strconv.ParseInt(p.text(n, what), 10, 64)
	if err != nil || n.Tag != "!!int" {
		p.fail(n, "%s must be a whole number", what)
	}
	return v
}

func (p *nodes) boolean(n *yaml.Node, what string) bool {
	if n == nil {
		return false
	}
	if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
		p.fail(n, "%s must be true or false", what)
		return false
	}
	return strings.EqualFold(n.Value, "true")
}

func (p *nodes) texts(n *yaml.Node, what string) []string {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "%s must be a list", what)
		return nil
	}
	out := []string{}
	for _, c := range n.Content {
		out = append(out, p.text(c, what))
	}
	return out
}

// share reads "0.1%" or a number from 0 to 1.
func (p *nodes) share(n *yaml.Node, what string) float64 {
	if n == nil {
		return 0
	}
	s, percent := strings.CutSuffix(p.text(n, what), "%")
	v, err := strconv.ParseFloat(s, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		p.fail(n, "%s must be a share from 0%% to 100%%", what)
		return 0
	}
	return v
}

// key reads "keyring:name".
func (p *nodes) key(n *yaml.Node, what string) string {
	s := p.text(n, what)
	name, ok := strings.CutPrefix(s, "keyring:")
	if n != nil && p.err == nil && (!ok || !keyName.MatchString(name)) {
		p.fail(n, "%s must name a key of the key ring, as keyring:name", what)
	}
	return name
}

// date reads a constant date as days since 1970.
func (p *nodes) date(n *yaml.Node, what string) int64 {
	if n == nil {
		return 0
	}
	d, ok := parseDate([]byte(p.text(n, what)))
	if !ok {
		p.fail(n, "%s must be a date as YYYY-MM-DD", what)
	}
	return d
}
