package deid

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"carrel/anonymize/extract"
	"carrel/anonymize/kanon/hierarchy"
)

// Recipe says how source tables become an extract. It is made by ParseRecipe and never changed.
type Recipe struct {
	Name    string
	Kind    string // extract.KindQuery or extract.KindHandover
	Dataset string
	Version string // numbering of persons; "1" when the recipe is silent
	Hash    string // SHA-256 of the recipe's bytes and of the files that it names, hex

	file        string
	asOf        int64
	hasAsOf     bool
	source      sourceSpec
	unit        unitSpec
	exclude     excludeSpec
	missingUnit float64
	lists       map[string][]string
	tables      []tableSpec
	shift       *step // what all shifts of dates have in common, nil without one
}

type sourceSpec struct {
	format    string // auto, csv, parquet, ndjson
	encoding  string // auto, utf-8, gb18030
	separator byte
	missing   []string
}

type unitSpec struct {
	at            *yaml.Node
	table, column string
	guardian      string // column of the same table, "" none
	link          string // column of the same table and of all others, "" none
	local         bool   // no resident number
	key           string
}

type excludeSpec struct {
	at         *yaml.Node
	objections bool
	level5     bool
	under14    bool
	named      []string // groups of Level5 whose rows stay
}

type tableSpec struct {
	at         *yaml.Node
	name       string
	files      []string // one after the other; none = by name, in the source's format
	resource   string   // of FHIR: the type whose resources are the rows, "" every record is one
	each       string   // of JSON: the path of a list whose elements are the rows, "" none
	public     bool
	link       string    // "" = unit.link
	through    columnRef // the table whose row the link names, in place of a person
	restDrop   bool
	duplicates float64
	leaveOut   []leaveOut
	columns    []columnSpec
}

type columnSpec struct {
	at    *yaml.Node
	name  string // in the source
	steps []step // none = drop
}

// ReadRecipe reads a recipe from a file, with the hierarchies beside it.
func ReadRecipe(file string) (*Recipe, error) {
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return ParseRecipeWith(file, src, Beside(file))
}

// ParseRecipe reads a recipe that names no files, strictly: an unknown field, a wrong type or a missing field is one *RecipeError with its
// line. file is for messages only.
func ParseRecipe(file string, src []byte) (*Recipe, error) { return ParseRecipeWith(file, src, nil) }

// ParseRecipeWith is ParseRecipe with a way to the files that the recipe names, by their names.
func ParseRecipeWith(file string, src []byte, read func(name string) ([]byte, error)) (*Recipe, error) {
	p := &parser{nodes: nodes{file: file}, read: read, trees: map[string]*hierarchy.Hierarchy{}}
	root, err := document(file, src)
	if err != nil {
		return nil, err
	}
	r := &Recipe{file: file}
	p.recipe(r, root)
	if p.err != nil {
		return nil, p.err
	}
	r.Hash = hashOfAll(src, p.sums)
	return r, nil
}

// DPScope is extract.ScopeSource when every step is local.
func (r *Recipe) DPScope() string {
	if len(r.Global()) > 0 {
		return extract.ScopeExtract
	}
	return extract.ScopeSource
}

// Global lists the steps whose outcome for one person depends on others. With them, answers are protected with regard to the extract, no more to
// the sources.
func (r *Recipe) Global() []GlobalStep {
	var out []GlobalStep
	for _, t := range r.tables {
		for _, c := range t.columns {
			for i := range c.steps {
				if name := c.steps[i].global(); name != "" {
					out = append(out, GlobalStep{Table: t.name, Column: c.name, Step: name, Line: c.steps[i].at.Line})
				}
			}
		}
	}
	return out
}

// Keys lists the names of the keys that the recipe uses, sorted.
func (r *Recipe) Keys() []string {
	names := []string{r.unit.key}
	for _, t := range r.tables {
		for _, c := range t.columns {
			for _, s := range c.steps {
				if s.key != "" {
					names = append(names, s.key)
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// fail makes a mistake found when recipe and catalogue or sources are held together.
func (r *Recipe) fail(n *yaml.Node, text string) error {
	e := &RecipeError{File: r.file, Text: text}
	if n != nil {
		e.Line = n.Line
	}
	return e
}

const maxRecipe = 4 << 20

func document(file string, src []byte) (*yaml.Node, error) {
	if len(src) > maxRecipe {
		return nil, &RecipeError{File: file, Text: "the recipe is larger than 4 MB"}
	}
	d := yaml.NewDecoder(bytes.NewReader(src))
	var doc, more yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &RecipeError{File: file, Text: "the recipe is empty"}
		}
		return nil, &RecipeError{File: file, Text: "not YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, &RecipeError{File: file, Text: "a recipe is one YAML document"}
	}
	if hasAlias(&doc) {
		return nil, &RecipeError{File: file, Text: "a recipe has no anchors and aliases: write values where they are used"}
	}
	return doc.Content[0], nil
}

func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Anchor != "" || slices.ContainsFunc(n.Content, hasAlias)
}

type parser struct {
	nodes
	read  func(name string) ([]byte, error) // files beside the recipe, nil without them
	trees map[string]*hierarchy.Hierarchy   // by file
	sums  []string                          // of the files
}

func (p *parser) recipe(r *Recipe, root *yaml.Node) {
	o := p.object(root, "the recipe")
	r.Name = p.text(o.need("recipe"), "recipe")
	r.Kind = p.one(o.need("kind"), "kind", extract.KindQuery, extract.KindHandover)
	r.Dataset = p.text(o.need("dataset"), "dataset")
	r.Version = "1"
	if n := o.get("version"); n != nil {
		r.Version = p.text(n, "version")
	}
	if n := o.get("as_of"); n != nil {
		r.asOf, r.hasAsOf = p.date(n, "as_of"), true
	}
	r.source = p.source(o.get("source"))
	p.unit(&r.unit, o.need("unit"))
	p.exclude(&r.exclude, o.get("exclude"))
	if n := o.get("missing_unit"); n != nil {
		m := p.object(n, "missing_unit")
		r.missingUnit = p.share(m.need("at_most"), "missing_unit.at_most")
		m.done()
	}
	p.lists(r, o.get("lists"))
	p.tables(r, o.need("tables"))
	o.done()
}

func (p *parser) source(n *yaml.Node) sourceSpec {
	s := sourceSpec{format: "auto", encoding: "auto", separator: ','}
	if n == nil {
		return s
	}
	o := p.object(n, "source")
	if f := o.get("format"); f != nil {
		s.format = p.one(f, "source.format", "auto", "csv", "parquet", "ndjson")
	}
	if e := o.get("encoding"); e != nil {
		s.encoding = p.one(e, "source.encoding", "auto", "utf-8", "gb18030", "gbk")
		if s.encoding == "gbk" {
			s.encoding = "gb18030" // a superset
		}
	}
	if e := o.get("separator"); e != nil {
		t := p.text(e, "source.separator")
		if len(t) != 1 || strings.ContainsAny(t, "\"\r\n") || t[0] >= 0x80 {
			p.fail(e, "source.separator must be one ASCII character")
		} else {
			s.separator = t[0]
		}
	}
	s.missing = p.texts(o.get("missing"), "source.missing")
	o.done()
	return s
}

// forms are the endings that a table's file may have.
func (s sourceSpec) forms() []string {
	switch s.format {
	case "csv":
		return []string{".csv", ".csv.gz"}
	case "parquet":
		return []string{".parquet"}
	case "ndjson":
		return []string{".ndjson", ".ndjson.gz"}
	default:
		return []string{".csv", ".csv.gz", ".parquet", ".ndjson", ".ndjson.gz"}
	}
}

func (p *parser) unit(u *unitSpec, n *yaml.Node) {
	if n == nil {
		return
	}
	o := p.object(n, "unit")
	u.at = n
	from := p.text(o.need("from"), "unit.from")
	var ok bool
	if u.table, u.column, ok = strings.Cut(from, "."); !ok && p.err == nil {
		p.fail(n, "unit.from must be table.column")
	}
	if g := o.get("guardian"); g != nil {
		table, column, ok := strings.Cut(p.text(g, "unit.guardian"), ".")
		if !ok || table != u.table {
			p.fail(g, "unit.guardian must be a column of the table of unit.from, as table.column")
		}
		u.guardian = column
	}
	u.link = p.text(o.get("link"), "unit.link")
	if f := o.get("form"); f != nil {
		u.local = p.one(f, "unit.form", "resident-id", "local") == "local"
	}
	u.key = p.key(o.need("key"), "unit.key")
	if u.guardian != "" && u.link == "" {
		p.fail(n, "unit.guardian needs unit.link: a guardian's number tells persons apart only together with the source's own number")
	}
	o.done()
}

func (p *parser) exclude(e *excludeSpec, n *yaml.Node) {
	if n == nil {
		return
	}
	o := p.object(n, "exclude")
	e.at = n
	e.objections = p.boolean(o.get("objections"), "exclude.objections")
	e.level5 = p.boolean(o.get("level5"), "exclude.level5")
	for i, name := range p.texts(o.get("named"), "exclude.named") {
		if _, known := Level5()[name]; !known {
			p.fail(o.get("named").Content[i], "exclude.named: there is no group %q of level 5", name)
		}
		e.named = append(e.named, name)
	}
	if u := o.get("under14"); u != nil {
		e.under14 = p.one(u, "exclude.under14", "unless-guardian-consents") != ""
	}
	o.done()
}

func (p *parser) lists(r *Recipe, n *yaml.Node) {
	r.lists = map[string][]string{}
	if n == nil {
		return
	}
	o := p.object(n, "lists")
	for name := range o.vals {
		r.lists[name] = p.texts(o.get(name), "lists."+name)
	}
}

func (p *parser) tables(r *Recipe, n *yaml.Node) {
	if n == nil {
		return
	}
	o := p.object(n, "tables")
	if len(o.vals) == 0 {
		p.fail(n, "tables is empty")
	}
	for i := 0; i+1 < len(n.Content) && p.err == nil; i += 2 {
		t := tableSpec{at: n.Content[i], name: p.identifier(n.Content[i], "a table's name")}
		p.table(r, &t, n.Content[i+1])
		r.tables = append(r.tables, t)
	}
}

// files reads the name of a file, or a list of the files that a table comes in.
func (p *parser) files(n *yaml.Node, what string) []string {
	var names []string
	if n.Kind == yaml.SequenceNode {
		names = p.texts(n, what)
	} else {
		names = []string{p.text(n, what)}
	}
	if len(names) == 0 {
		p.fail(n, "%s is empty", what)
	}
	for i, name := range names {
		if name == "" || strings.ContainsAny(name, `/\`) || name[0] == '.' {
			p.fail(n, "%s must be the name of a file in the source directory, or a list of names", what)
		}
		if slices.Contains(names[:i], name) {
			p.fail(n, "%s names a file twice", what)
		}
	}
	return names
}

func (p *parser) table(r *Recipe, t *tableSpec, n *yaml.Node) {
	what := "table " + t.name
	o := p.object(n, what)
	columns := n
	if c := o.vals["columns"]; c != nil && c.Kind == yaml.MappingNode { // long form
		columns = o.get("columns")
		if f := o.get("file"); f != nil {
			t.files = p.files(f, what+".file")
		}
		t.resource, t.each = p.text(o.get("resource"), what+".resource"), p.text(o.get("each"), what+".each")
		t.public = p.boolean(o.get("public"), what+".public")
		t.link = p.text(o.get("link"), what+".link")
		p.through(t, o.get("through"), what)
		t.leaveOut = p.leaveOut(r, o.get("leave_out"), what)
		if d := o.get("rest"); d != nil {
			t.restDrop = p.one(d, what+".rest", "drop") == "drop"
		}
		if d := o.get("duplicates"); d != nil {
			m := p.object(d, what+".duplicates")
			t.duplicates = p.share(m.need("at_most"), what+".duplicates.at_most")
			m.done()
		}
		o.done()
	}
	for i := 0; i+1 < len(columns.Content) && p.err == nil; i += 2 {
		c := columnSpec{at: columns.Content[i], name: columns.Content[i].Value}
		c.steps = p.steps(r, what+"."+c.name, columns.Content[i+1])
		t.columns = append(t.columns, c)
	}
	p.object(columns, what+".columns") // for fields that stand twice
}
