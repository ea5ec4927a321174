package bind

import (
	"encoding/json"
	"slices"
	"strconv"

	"carrel/anonymize/plan"
)

// End asks for the ends of the intervals of a step's column in its table, as two more columns after those of its Output, named LowColumn and
// HighColumn: wide enough that Parts such intervals hold together.
type End struct{ Step, Column, Parts int }

// LowColumn and HighColumn name the columns that an End asks for.
func (e End) LowColumn() string  { return e.name("lo") }
func (e End) HighColumn() string { return e.name("hi") }

func (e End) name(side string) string {
	return StepColumn(e.Column) + "_" + side + strconv.Itoa(e.Parts)
}

// maxParts bounds the noised numbers that one interval is made of.
const maxParts = 16

// ender gives the numbers of a view their intervals where they follow from those of the steps: a number that is + - * / and some monotone
// functions of noised ones lies, for noise that lies inside its own ends, between ends that interval arithmetic finds. Ends are more columns
// of the SELECTs on the way, under names that the text has not; a view in which they would be seen has none.
type ender struct {
	steps  map[uintptr]int // SELECTs that read a step's table
	prefix string          // of their names
	noisy  [][]bool        // by step and column: it is noised
	ends   []End
	made   map[endsOf][2]string
	count  int // of names made
}

// endsOf is a column of a SELECT whose ends were added to it.
type endsOf struct {
	node          uintptr
	column, parts int
}

// leaf is one noised number of a row: a step's column behind a name of FROM.
type leaf struct {
	path   string
	step   int
	column int
}

// inSight is a SELECT's FROM: its names, and what they stand for, nil for what has no ends.
type inSight struct {
	alias   string
	node    map[string]any
	renamed []any
	up      *names
}

// within is what an expression may name.
type within struct {
	from  []inSight
	names *names
}

// names are the CTEs that a SELECT may name.
type names struct {
	up      *names
	name    string
	node    map[string]any
	renamed []any
}

// give adds the ends that can be had to the outermost SELECT, and says for each of its columns whether it has: Intervals of the Query.
func (d *ender) give(top map[string]any) []int {
	if top["type"] != "SELECT_NODE" || aggregates(top) || distinct(top) {
		return nil
	}
	scope := d.names(top, nil)
	from, ok := d.from(asMap(top["from_table"]), scope)
	in := within{from, scope}
	if !ok {
		return nil
	}
	d.unfold(top, in.from)
	if seen(top) {
		return nil
	}
	items := sliceOf(top["select_list"])
	var with []int
	for i, it := range items {
		lo, hi, ok := d.both(asMap(it), in)
		if !ok {
			continue
		}
		lo["alias"], hi["alias"] = d.fresh(), d.fresh()
		top["select_list"] = append(sliceOf(top["select_list"]), lo, hi)
		with = append(with, i)
	}
	return with
}

// distinct are the ends that were asked for, each once.
func (d *ender) distinct() []End {
	var out []End
	for _, e := range d.ends {
		if !slices.Contains(out, e) {
			out = append(out, e)
		}
	}
	return out
}

// measured says that a column of a step holds noised numbers.
func measured(e *plan.OutExpr) bool {
	if e.Op == plan.OutMeasure {
		return true
	}
	for i := range e.Args {
		if measured(&e.Args[i]) {
			return true
		}
	}
	return false
}

func (d *ender) fresh() string {
	d.count++
	return d.prefix + strconv.Itoa(d.count)
}

func distinct(n map[string]any) bool {
	for _, m := range sliceOf(n["modifiers"]) {
		if asMap(m)["type"] == "DISTINCT_MODIFIER" {
			return true
		}
	}
	return false
}

// unfold writes the star of SELECT * FROM one name out.
func (d *ender) unfold(top map[string]any, from []inSight) {
	items := sliceOf(top["select_list"])
	if len(items) != 1 || len(from) != 1 || from[0].node == nil {
		return
	}
	star := asMap(items[0])
	if class(star) != "STAR" || star["columns"] == true || star["expr"] != nil || !empty(star["relation_name"]) || !empty(star["exclude_list"]) ||
		!empty(star["replace_list"]) || !empty(star["qualified_exclude_list"]) || !empty(star["rename_list"]) {
		return
	}
	var list []any
	for j, it := range sliceOf(from[0].node["select_list"]) {
		name, ok := from[0].called(j, asMap(it))
		if !ok {
			return
		}
		list = append(list, columnNode(name, ""))
	}
	top["select_list"] = list
}

// seen says whether anything in a tree means all columns of a table, or one by its place.
func seen(v any) bool {
	switch x := v.(type) {
	case []any:
		return slices.ContainsFunc(x, seen)
	case map[string]any:
		if class(x) == "STAR" || class(x) == "POSITIONAL_REFERENCE" || x["ref_type"] == "NATURAL" {
			return true
		}
		for _, c := range x {
			if seen(c) {
				return true
			}
		}
	}
	return false
}

func (d *ender) names(n map[string]any, up *names) *names {
	for _, e := range sliceOf(asMap(n["cte_map"])["map"]) {
		name, _ := asMap(e)["key"].(string)
		value := asMap(asMap(e)["value"])
		up = &names{up: up, name: fold(name), node: asMap(asMap(value["query"])["node"]), renamed: sliceOf(value["aliases"])}
	}
	return up
}

// from lists the names of FROM; ok is false where two are the same.
func (d *ender) from(n map[string]any, scope *names) ([]inSight, bool) {
	alias, _ := n["alias"].(string)
	switch n["type"] {
	case "JOIN":
		l, lok := d.from(asMap(n["left"]), scope)
		r, rok := d.from(asMap(n["right"]), scope)
		for _, a := range l {
			for _, b := range r {
				if fold(a.alias) == fold(b.alias) {
					return nil, false
				}
			}
		}
		return append(l, r...), lok && rok
	case "BASE_TABLE":
		name, _ := n["table_name"].(string)
		for s := scope; s != nil; s = s.up {
			if s.name == fold(name) && empty(n["schema_name"]) {
				renamed := sliceOf(n["column_name_alias"])
				if len(renamed) == 0 {
					renamed = s.renamed
				}
				return []inSight{{alias: firstName(alias, name), node: s.node, renamed: renamed, up: s.up}}, true
			}
		}
	case "SUBQUERY":
		return []inSight{{alias: alias, node: asMap(asMap(n["subquery"])["node"]), renamed: sliceOf(n["column_name_alias"]), up: scope}}, true
	}
	return []inSight{{alias: alias}}, true
}

// called is the name of a column of a SELECT behind a name of FROM.
func (s inSight) called(j int, item map[string]any) (string, bool) {
	if j < len(s.renamed) {
		name, ok := s.renamed[j].(string)
		return name, ok
	}
	if a, _ := item["alias"].(string); a != "" {
		return a, true
	}
	if names := sliceOf(item["column_names"]); class(item) == "COLUMN_REF" && len(names) > 0 {
		name, ok := names[len(names)-1].(string)
		return name, ok
	}
	return "", false
}

// find is the only column that a name can mean. A bare name that several have, which USING may have merged, has no ends: one side's would do
// for an inner join alone.
func find(from []inSight, ref map[string]any) (s inSight, column int, ok bool) {
	names := sliceOf(ref["column_names"])
	if len(names) == 0 || len(names) > 2 {
		return s, 0, false
	}
	last, _ := names[len(names)-1].(string)
	found := 0
	for _, f := range from {
		if len(names) == 2 && names[0] != f.alias {
			continue
		}
		if f.node == nil || f.node["type"] != "SELECT_NODE" {
			return s, 0, false
		}
		for j, it := range sliceOf(f.node["select_list"]) {
			if name, ok := f.called(j, asMap(it)); ok && fold(name) == fold(last) {
				s, column = f, j
				found++
			}
		}
	}
	return s, column, found == 1
}

// both gives the ends of an expression over FROM.
func (d *ender) both(e map[string]any, in within) (lo, hi map[string]any, ok bool) {
	leaves := map[leaf]bool{}
	if !d.leaves(e, in, "", leaves) || len(leaves) == 0 || len(leaves) > maxParts {
		return nil, nil, false
	}
	lo, hi = d.reach(e, in, len(leaves))
	return lo, hi, true
}

// leaves collects the noised numbers of an expression; false where it is not one that has ends.
func (d *ender) leaves(e map[string]any, in within, path string, into map[leaf]bool) bool {
	switch class(e) {
	case "CONSTANT":
		_, ok := asMap(e["value"])["value"].(json.Number)
		return ok
	case "COLUMN_REF":
		s, j, ok := find(in.from, e)
		if !ok {
			return false
		}
		path += "/" + s.alias
		if i, ok := d.steps[id(s.node)]; ok {
			if !d.noisy[i][j] {
				return false
			}
			into[leaf{path, i, j}] = true
			return true
		}
		inner, ok := d.inside(s)
		return ok && d.leaves(asMap(sliceOf(s.node["select_list"])[j]), inner, path, into)
	case "FUNCTION":
		name, _ := e["function_name"].(string)
		children := sliceOf(e["children"])
		switch name {
		case "+", "*", "/", "-":
			if len(children) != 2 && (name != "-" || len(children) != 1) {
				return false
			}
		case "round":
			if len(children) == 2 {
				children = children[:1]
			}
			fallthrough
		case "floor", "ceil", "ceiling", "sqrt":
			if len(children) != 1 {
				return false
			}
		default:
			return false
		}
		for _, c := range children {
			if !d.leaves(asMap(c), in, path, into) {
				return false
			}
		}
		return true
	case "SUBQUERY":
		s, ok := scalar(e, in)
		if !ok {
			return false
		}
		path += "/" + strconv.FormatUint(uint64(id(s.node)), 16)
		if i, ok := d.steps[id(s.node)]; ok {
			into[leaf{path, i, 0}] = true
			return d.noisy[i][0]
		}
		inner, ok := d.inside(s)
		return ok && d.leaves(asMap(sliceOf(s.node["select_list"])[0]), inner, path, into)
	case "CAST":
		return real(e) && d.leaves(asMap(e["child"]), in, path, into)
	}
	return false
}

// scalar is a subquery of one column in the place of a number.
func scalar(e map[string]any, in within) (inSight, bool) {
	node := asMap(asMap(e["subquery"])["node"])
	return inSight{node: node, up: in.names}, e["subquery_type"] == "SCALAR" && node["type"] == "SELECT_NODE" && len(sliceOf(node["select_list"])) == 1 &&
		empty(node["modifiers"]) // ORDER BY could name the column
}

func real(cast map[string]any) bool {
	id, _ := asMap(cast["cast_type"])["id"].(string)
	return id == "DOUBLE"
}

// inside is the FROM of a SELECT behind a name, when its rows have ends: a SELECT of rows, each made of one of its FROM.
func (d *ender) inside(s inSight) (within, bool) {
	if aggregates(s.node) || distinct(s.node) || s.node["type"] != "SELECT_NODE" {
		return within{}, false
	}
	in := within{names: d.names(s.node, s.up)}
	var ok bool
	in.from, ok = d.from(asMap(s.node["from_table"]), in.names)
	return in, ok
}

// reach writes the ends of an expression that has leaves. A NULL end is none on that side.
func (d *ender) reach(e map[string]any, in within, parts int) (lo, hi map[string]any) {
	switch class(e) {
	case "COLUMN_REF":
		return d.column(e, in, parts)
	case "SUBQUERY":
		return d.subquery(e, in, parts)
	case "CAST":
		return d.reach(asMap(e["child"]), in, parts)
	case "FUNCTION":
	default:
		return bareOf(e), bareOf(e)
	}
	name, _ := e["function_name"].(string)
	children := sliceOf(e["children"])
	lo, hi = d.reach(asMap(children[0]), in, parts)
	if len(children) == 1 || name == "round" {
		return d.single(e, name, children, lo, hi)
	}
	lo2, hi2 := d.reach(asMap(children[1]), in, parts)
	switch name {
	case "+":
		return operator("+", lo, lo2), operator("+", hi, hi2)
	case "-":
		return operator("-", lo, hi2), operator("-", hi, lo2)
	}
	var corners []any
	for _, a := range []map[string]any{lo, hi} {
		for _, b := range []map[string]any{lo2, hi2} {
			corners = append(corners, operator(name, a, b))
		}
	}
	var known []any
	for _, end := range []map[string]any{lo, hi, lo2, hi2} {
		if class(end) != "CONSTANT" {
			known = append(known, present(end))
		}
	}
	if name == "/" { // a divisor that may be zero bounds nothing
		known = append(known, connect("CONJUNCTION_OR", compare("COMPARE_GREATERTHAN", lo2, zero()), compare("COMPARE_LESSTHAN", hi2, zero())))
	}
	sure := connect("CONJUNCTION_AND", known...)
	return when(sure, invoke("least", corners...)), when(sure, invoke("greatest", corners...))
}

func (d *ender) single(e map[string]any, name string, children []any, lo, hi map[string]any) (map[string]any, map[string]any) {
	switch name {
	case "-":
		return operator("-", hi), operator("-", lo)
	case "sqrt": // of what may be below zero the root is at least 0
		return invoke("sqrt", invoke("greatest", lo, zero())), when(present(hi), invoke("sqrt", invoke("greatest", hi, zero())))
	}
	rest := children[1:]
	return invoke(name, append([]any{lo}, rest...)...), invoke(name, append([]any{hi}, rest...)...)
}

// subquery is a scalar subquery with the ends in the place of its column.
func (d *ender) subquery(e map[string]any, in within, parts int) (lo, hi map[string]any) {
	s, _ := scalar(e, in)
	a, b := d.item(s, 0, parts)
	with := func(end map[string]any) map[string]any {
		node := copied(s.node)
		node["select_list"] = []any{end}
		out := bareOf(e)
		out["subquery"] = map[string]any{"node": node, "named_param_map": []any{}}
		return out
	}
	return with(a), with(b)
}

// item writes the ends of a column of a SELECT behind a name, as columns of it.
func (d *ender) item(s inSight, j, parts int) (lo, hi map[string]any) {
	if i, ok := d.steps[id(s.node)]; ok {
		end := End{i, j, parts}
		d.ends = append(d.ends, end)
		return columnNode(end.LowColumn(), ""), columnNode(end.HighColumn(), "")
	}
	inner, _ := d.inside(s)
	return d.reach(asMap(sliceOf(s.node["select_list"])[j]), inner, parts)
}

// column asks for a column's ends where its value comes from, and names them.
func (d *ender) column(e map[string]any, in within, parts int) (lo, hi map[string]any) {
	s, j, _ := find(in.from, e)
	at := endsOf{id(s.node), j, parts}
	if _, ok := d.made[at]; !ok {
		a, b := d.item(s, j, parts)
		pair := [2]string{d.fresh(), d.fresh()}
		a["alias"], b["alias"] = pair[0], pair[1]
		s.node["select_list"] = append(sliceOf(s.node["select_list"]), a, b)
		d.made[at] = pair
	}
	ref := func(name string) map[string]any {
		out := columnNode(name, "")
		if s.alias != "" {
			out["column_names"] = []any{s.alias, name}
		}
		return out
	}
	return ref(d.made[at][0]), ref(d.made[at][1])
}

func bareOf(e map[string]any) map[string]any {
	out := copied(e)
	out["alias"] = ""
	return out
}

// The expressions that ends are made of.
func invoke(name string, args ...any) map[string]any {
	return map[string]any{"class": "FUNCTION", "type": "FUNCTION", "alias": "", "function_name": name, "schema": "", "children": args, "filter": nil,
		"order_bys": map[string]any{"type": "ORDER_MODIFIER", "orders": []any{}}, "distinct": false, "is_operator": false, "export_state": false, "catalog": ""}
}

func operator(name string, args ...any) map[string]any {
	out := invoke(name, args...)
	out["is_operator"] = true
	return out
}

func zero() map[string]any {
	return map[string]any{"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": "",
		"value": map[string]any{"type": map[string]any{"id": "INTEGER", "type_info": nil}, "is_null": false, "value": json.Number("0")}}
}

func present(e map[string]any) map[string]any {
	return map[string]any{"class": "OPERATOR", "type": "OPERATOR_IS_NOT_NULL", "alias": "", "children": []any{e}}
}

func compare(kind string, a, b map[string]any) map[string]any {
	return map[string]any{"class": "COMPARISON", "type": kind, "alias": "", "left": a, "right": b}
}

func connect(kind string, args ...any) map[string]any {
	return map[string]any{"class": "CONJUNCTION", "type": kind, "alias": "", "children": args}
}

// when is NULL where a condition does not hold.
func when(condition, then map[string]any) map[string]any {
	null := zero()
	asMap(null["value"])["is_null"] = true
	delete(asMap(null["value"]), "value")
	return map[string]any{"class": "CASE", "type": "CASE_EXPR", "alias": "", "case_checks": []any{map[string]any{"when_expr": condition, "then_expr": then}}, "else_expr": null}
}
