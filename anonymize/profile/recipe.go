package profile

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/anonymize/deid"
)

// ErrNoPerson says that no table names a person.
var ErrNoPerson = errors.New("no table has a column that names the person: say which with --person")

// Recipe writes a proposal that deid reads, with the reason of each step. now gives the constant date that ages are
// computed at, the end of the year before.
func Recipe(r *Report, lang string, now time.Time) ([]byte, error) {
	w, err := newWriter(r, lang)
	if err != nil {
		return nil, err
	}
	w.head(r, now)
	for _, t := range w.tables {
		w.table(t)
	}
	src := []byte(w.b.String())
	if _, err := deid.ParseRecipe("the proposal", src); err != nil {
		return nil, fmt.Errorf("the proposal is no recipe: %w", err)
	}
	return src, nil
}

// newWriter finds the tables that a recipe is about, and the one that says who is who. Lists of persons to leave out are no tables of an extract.
func newWriter(r *Report, lang string) (*writer, error) {
	w := &writer{dataset: r.Dataset, lang: lang}
	for i := range r.Tables {
		switch t := &r.Tables[i]; {
		case t.Person != "" && t.flat() && (t.Name == "objections" || t.Name == "consents"):
			w.lists = append(w.lists, t)
		default:
			w.tables = append(w.tables, t)
		}
	}
	if w.unit = w.chooseUnit(); w.unit == nil {
		return nil, ErrNoPerson
	}
	w.guarded()
	w.lists = slices.DeleteFunc(w.lists, func(l *Table) bool { // those that the recipe cannot read stay tables
		usable := l.Person == w.unit.Person && (l.Name == "objections" || w.unit.column("birth_date") != nil)
		if !usable {
			w.tables = append(w.tables, l)
		}
		return !usable
	})
	return w, nil
}

// writer writes the proposal.
type writer struct {
	b             strings.Builder
	dataset, lang string
	tables, lists []*Table
	unit          *Table
}

func (w *writer) say(t Text) string { return t.In(w.lang) }

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.b, format+"\n", args...) }

// chooseUnit chooses the table that says who is who: one row a person, with a resident number if there is one, and as many persons as there are.
func (w *writer) chooseUnit() *Table {
	var with []*Table
	for _, t := range w.tables {
		if t.Person != "" {
			with = append(with, t)
		}
	}
	if len(with) == 0 {
		return nil
	}
	return slices.MaxFunc(with, func(a, b *Table) int {
		return cmp.Or(cmp.Compare(btoi(a.OneEach), btoi(b.OneEach)), cmp.Compare(btoi(a.residentColumn() != ""), btoi(b.residentColumn() != "")), cmp.Compare(a.Persons, b.Persons),
			-cmp.Compare(len(a.Columns), len(b.Columns)))
	})
}

func (t *Table) residentColumn() string {
	for _, c := range t.Columns {
		if c.What == Identifier && c.Kind == "resident-id" && c.Sure >= mostly && !c.several {
			return c.Name
		}
	}
	return ""
}

// guarded takes the column that unit.guardian reads out of the draft: it says something of the number, nothing of the person. The report stays as it is.
func (w *writer) guarded() {
	g := w.unit.guardianColumn()
	if g == "" || w.unit.residentColumn() == "" {
		return
	}
	unit := *w.unit
	unit.Columns = slices.Clone(unit.Columns)
	c := unit.column(g)
	c.made, c.Proposal, c.Why = "", "drop", Text{"由 unit.guardian 读取", "unit.guardian reads it"}
	w.tables[slices.Index(w.tables, w.unit)], w.unit = &unit, &unit
}

func (t *Table) flat() bool { return t.Format == "csv" || t.Format == "parquet" }

func (t *Table) column(name string) *Column {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i]
		}
	}
	return nil
}

// guardianColumn says of a row whether its resident number is a guardian's.
func (t *Table) guardianColumn() string {
	for _, c := range t.Columns {
		if (strings.Contains(words(c.Name), "guardian") || strings.Contains(c.Name, "监护")) && c.Distinct <= 2 && c.Type == "integer" {
			return c.Name
		}
	}
	return ""
}

func (w *writer) head(r *Report, now time.Time) {
	w.line("# %s", w.say(Text{"由 carrel extract profile 拟定；每一步都须由数据管理员审定。", "Drafted by carrel extract profile; a steward has to decide on every step."}))
	w.line("# %s", w.say(r.Caution))
	w.line("recipe: %s-query", w.dataset)
	w.line("kind: query")
	w.line("dataset: %s", w.dataset)
	w.line("version: \"1\"")
	w.line("as_of: %d-12-31 # %s", now.Year()-1, w.say(Text{"计算年龄的固定日期，请核定", "the constant date that ages are computed at: settle it"}))
	w.source()
	w.line("%s", w.unitLine())
	w.exclude()
	w.line("missing_unit: {at_most: 0.1%%}")
	if len(w.private()) > 1 && !w.unit.OneEach {
		w.line("# %s", w.say(Text{"没有一人一行的表：请先备一张，否则无法构建。", "No table has one row a person: provide one, or this cannot be built."}))
	}
	w.line("tables:")
}

func (w *writer) private() []*Table {
	var out []*Table
	for _, t := range w.tables {
		if t.Person != "" {
			out = append(out, t)
		}
	}
	return out
}

// source says how the files are written, where it is not the usual way. The marks of missing values are ours, not the data's.
func (w *writer) source() {
	var marks []string
	separator := byte(',')
	for _, t := range w.tables {
		if t.separator != 0 && t.separator != ',' {
			separator = t.separator
		}
		for _, c := range t.Columns {
			if c.mark != "" && !slices.Contains(marks, c.mark) {
				marks = append(marks, c.mark)
			}
		}
	}
	slices.Sort(marks)
	parts := "format: auto, encoding: auto"
	if separator != ',' {
		parts += ", separator: " + strconv.Quote(string(rune(separator)))
	}
	if len(marks) > 0 {
		for i, m := range marks {
			marks[i] = strconv.Quote(m)
		}
		parts += ", missing: [" + strings.Join(marks, ", ") + "]"
	}
	w.line("source: {%s}", parts)
}

func (w *writer) unitLine() string {
	from, form, rest := w.unit.Person, "local", ""
	if id := w.unit.residentColumn(); id != "" {
		from, form = id, "resident-id"
		if g := w.unit.guardianColumn(); g != "" {
			rest = ", guardian: " + strconv.Quote(w.unit.recipeName()+"."+w.unit.path(g))
		}
	}
	if len(w.private()) > 1 || from != w.unit.Person {
		rest += ", link: " + strconv.Quote(w.unit.path(w.unit.Person))
	}
	return fmt.Sprintf("unit: {from: %s%s, form: %s, key: \"keyring:%s-unit\"}", strconv.Quote(w.unit.recipeName()+"."+w.unit.path(from)), rest, form, w.dataset)
}

// exclude reads the lists of persons to leave out.
func (w *writer) exclude() {
	var parts []string
	for _, l := range w.lists {
		parts = append(parts, map[string]string{"objections": "objections: true", "consents": "under14: unless-guardian-consents"}[l.Name])
	}
	if slices.Sort(parts); len(parts) > 0 {
		w.line("exclude: {%s} # %s", strings.Join(parts, ", "), w.say(Text{"名单来自源数据中同名的表", "the lists are tables of the sources, by these names"}))
	}
}

// recipeName is what the recipe and the entry call the table: medication_request for the resource MedicationRequest.
func (t *Table) recipeName() string {
	if t.flat() {
		return t.Name
	}
	return columnName(t.Name, 0)
}

// table writes one table, every column by name: a source that grows a column must not grow the extract.
func (w *writer) table(t *Table) {
	w.line("  %s:", t.recipeName())
	if usual := t.Name; len(t.More) > 0 {
		files := []string{strconv.Quote(filepath.Base(t.File))}
		for _, f := range t.More {
			files = append(files, strconv.Quote(f))
		}
		w.line("    file: [%s] # %s", strings.Join(files, ", "), w.say(Text{"各文件列相同，按一张表处理；如非同一张表，请拆开", "the files have the same columns and are taken for one table: take them apart if they are not"}))
	} else if !slices.Contains([]string{usual + ".csv", usual + ".csv.gz", usual + ".parquet", usual + ".ndjson", usual + ".ndjson.gz"}, filepath.Base(t.File)) {
		w.line("    file: %s", strconv.Quote(filepath.Base(t.File)))
	}
	if t.Format == "fhir" {
		w.line("    resource: %s", t.Name)
	}
	w.reach(t)
	w.line("    columns:")
	for _, c := range t.Columns {
		w.line("      %s: %s # %s", key(t.path(c.Name)), c.Proposal, w.reason(&c))
	}
}

// reach says how rows come to their person.
func (w *writer) reach(t *Table) {
	if t.Person != "" {
		if t.path(t.Person) != w.unit.path(w.unit.Person) {
			w.line("    link: %s", strconv.Quote(t.path(t.Person)))
		}
		return
	}
	if c, through := w.through(t); c != nil {
		link, key := t.path(c.Name), c.Name
		if through.Format == "fhir" {
			key = "id"
		}
		w.line("    link: %s", strconv.Quote(link))
		w.line("    through: %s", strconv.Quote(through.recipeName()+"."+key))
		return
	}
	w.line("    public: true # %s", w.say(Text{"没有患者标识：请核实确为公共表", "no column names a person: make sure that this table is public"}))
}

// through is the column by which a table's rows reach the person, and the table that it leads to; nil for a table of nobody's rows.
func (w *writer) through(t *Table) (*Column, *Table) {
	for i := range t.Columns {
		for _, o := range w.tables {
			if c := &t.Columns[i]; t.Person == "" && c.What == Reference && o.Name == c.keys && o.Person != "" {
				return c, o
			}
		}
	}
	return nil, nil
}

func (w *writer) reason(c *Column) string {
	why := w.say(c.Why)
	if c.Level >= 4 && c.What != Identifier {
		why += fmt.Sprintf(w.say(Text{"（%d 级）", " (level %d)"}), c.Level)
	}
	return why
}

// key writes a column's name as YAML; most need no quotes.
func key(name string) string {
	for i, r := range name {
		if plain := r >= 'a' && r <= 'z' || r == '_' || i > 0 && r >= '0' && r <= '9'; !plain {
			return strconv.Quote(name)
		}
	}
	switch name {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return strconv.Quote(name)
	}
	return name
}
