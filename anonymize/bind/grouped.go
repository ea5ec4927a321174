package bind

import (
	"encoding/json"
	"strconv"
	"strings"
)

// grouped cuts one SELECT … GROUP BY in two: a step that answers its keys and its aggregates, each once, and the SELECT list, HAVING,
// QUALIFY, DISTINCT, ORDER BY and LIMIT over their columns.
type grouped struct {
	viewer
	whole   map[string]any
	name    string // of the step in the SELECT above: the table's own where there is one
	single  bool   // FROM has one name, so that a column means the same with and without it
	items   []any  // the SELECT list
	keys    []any  // what GROUP BY means, item by item
	list    []any  // of the step
	made    map[string][]madeOf
	taken   map[string]bool
	aliases map[string]bool
}

// madeOf is a column of the step, under what it is made of without the names of tables.
type madeOf struct {
	written string // with them
	bare    bool   // there are none
	name    string
}

// outer is the SELECT above; inner is the step, once outer has been made.
func (g *grouped) outer(n map[string]any) map[string]any {
	g.made, g.taken, g.aliases = map[string][]madeOf{}, map[string]bool{}, map[string]bool{}
	g.whole, g.items, g.name = n, sliceOf(n["select_list"]), g.unusedName("carrel_rows")
	if from := asMap(n["from_table"]); from["type"] == "BASE_TABLE" || from["type"] == "SUBQUERY" {
		alias, _ := from["alias"].(string)
		table, _ := from["table_name"].(string)
		g.single, g.name = true, firstName(firstName(alias, table), g.name)
	}
	for _, it := range g.items {
		if a, _ := asMap(it)["alias"].(string); a != "" {
			g.aliases[fold(a)] = true
		}
	}
	g.readKeys(n)
	out := selectNode()
	list := []any{}
	for _, it := range g.items {
		list = append(list, g.item(asMap(it)))
	}
	out["select_list"], out["modifiers"] = list, g.clause(n["modifiers"])
	out["where_clause"], out["qualify"] = g.clause(n["having"]), g.clause(n["qualify"])
	if !empty(n["sample"]) {
		g.b.failWord("sample", located(n, 0), "using sample", "tablesample")
	}
	return out
}

func (g *grouped) inner(n map[string]any) map[string]any {
	in := copied(n)
	in["select_list"], in["group_expressions"], in["aggregate_handling"] = g.list, g.keys, "STANDARD_HANDLING"
	in["having"], in["qualify"], in["modifiers"] = nil, nil, []any{}
	if n["aggregate_handling"] == "FORCE_AGGREGATES" && len(g.keys) > 0 {
		all := make([]any, len(g.keys))
		for i := range all {
			all[i] = json.Number(strconv.Itoa(i))
		}
		in["group_sets"] = []any{all}
	}
	return in
}

// readKeys resolves positions and aliases of GROUP BY, and GROUP BY ALL.
func (g *grouped) readKeys(n map[string]any) {
	keys := sliceOf(n["group_expressions"])
	if n["aggregate_handling"] == "FORCE_AGGREGATES" {
		keys = nil
		for _, it := range g.items {
			if !anyAggregate(it, 0) && class(asMap(it)) != "CONSTANT" && class(asMap(it)) != "WINDOW" && class(asMap(it)) != "SUBQUERY" {
				keys = append(keys, it)
			}
		}
	}
	for _, k := range keys {
		m := asMap(k)
		if i, ok := g.b.position(m, len(g.items)); ok && class(m) == "CONSTANT" {
			m = asMap(g.items[i])
		}
		e := copied(m)
		e["alias"] = ""
		g.keys = append(g.keys, e)
		g.key(e)
	}
}

// key puts a key into the step. A bare name that is an alias of the SELECT list, and of no column, brings what it stands for along.
func (g *grouped) key(e map[string]any) {
	if g.known(e) != "" {
		return
	}
	item, name := copied(e), "key"
	if names := sliceOf(e["column_names"]); class(e) == "COLUMN_REF" && len(names) > 0 {
		last, _ := names[len(names)-1].(string)
		name = g.fresh(last)
		for _, it := range g.items {
			if a, _ := asMap(it)["alias"].(string); len(names) == 1 && fold(a) == fold(last) && !g.equal(asMap(it), e) && !anyAggregate(it, 0) && !g.column(e) {
				item = copied(asMap(it))
				g.add(item, name)
				break
			}
		}
	} else {
		for _, it := range g.items {
			if a, _ := asMap(it)["alias"].(string); a != "" && g.equal(asMap(it), e) {
				name = a
			}
		}
		name = g.fresh(name)
	}
	g.add(e, name)
	item["alias"] = name
	g.list = append(g.list, item)
}

// column says that a name of GROUP BY is one of FROM, which comes before an alias.
func (g *grouped) column(ref map[string]any) bool {
	n := copied(g.whole)
	n["select_list"], n["group_expressions"], n["group_sets"] = []any{ref, invoke("count_star")}, []any{ref}, []any{[]any{json.Number("0")}}
	n["aggregate_handling"], n["having"], n["qualify"], n["modifiers"] = "STANDARD_HANDLING", nil, nil, []any{}
	_, r := g.bound(n, g.sight)
	return r == nil || r.Code != "unknown-column"
}

// add notes what a column of the step is made of.
func (g *grouped) add(e map[string]any, name string) {
	short := canonical(e, false)
	written := canonical(e, true)
	g.made[short] = append(g.made[short], madeOf{written, short == written, name})
}

// known is the step's column for an expression, "" when there is none. Where FROM has several names, a column with the name of its table is
// the one without, unless there is another.
func (g *grouped) known(e map[string]any) string {
	short, written := canonical(e, false), canonical(e, true)
	all := g.made[short]
	for _, m := range all {
		if m.written == written || g.single {
			return m.name
		}
	}
	if len(all) == 1 && (all[0].bare || short == written) {
		return all[0].name
	}
	return ""
}

func (g *grouped) equal(a, b map[string]any) bool {
	return canonical(a, !g.single) == canonical(b, !g.single)
}

// ref names a column of the step. Bare it stays where the text has a bare column, so that an alias of the same name comes before it where
// it does in the text: in ORDER BY.
func (g *grouped) ref(e map[string]any, name, alias string) map[string]any {
	out := columnNode(name, alias)
	if len(sliceOf(e["column_names"])) != 1 {
		out["column_names"] = []any{g.name, name}
	}
	return out
}

// fresh makes a name that no other column of the step has.
func (g *grouped) fresh(name string) string {
	out := name
	for i := 2; g.taken[fold(out)]; i++ {
		out = name + "_" + strconv.Itoa(i)
	}
	g.taken[fold(out)] = true
	return out
}

// item is one column of the SELECT list, under the name that it has in the text or would have had.
func (g *grouped) item(n map[string]any) any {
	out := g.expr(n)
	if out == nil || class(n) == "STAR" {
		g.b.fail("select-star", located(n, 0))
		return nil
	}
	return out
}

// clause copies HAVING, QUALIFY and modifiers.
func (g *grouped) clause(x any) any {
	switch x := x.(type) {
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = g.clause(x[i])
		}
		return out
	case map[string]any:
		if class(x) != "" {
			return g.expr(x)
		}
		out := make(map[string]any, len(x))
		for k, c := range x {
			out[k] = g.clause(c)
		}
		return out
	}
	return x
}

// expr copies an expression: keys and aggregates become columns of the step.
func (g *grouped) expr(n map[string]any) map[string]any {
	if g.b.nodes++; g.b.nodes > maxNodes {
		g.b.fail("query-too-large", 0)
	}
	if g.b.err != nil {
		return nil
	}
	alias, _ := n["alias"].(string)
	if name := g.known(n); name != "" {
		return g.ref(n, name, alias)
	}
	name, _ := n["function_name"].(string)
	switch {
	case n["type"] == "GROUPING_FUNCTION" || class(n) == "FUNCTION" && n["is_operator"] != true && aggregate(fold(name)):
		return g.measure(n, alias)
	case class(n) == "POSITIONAL_REFERENCE":
		g.b.fail("position", located(n, 0))
		return nil
	case class(n) == "SUBQUERY":
		out := g.subquery(n)
		out["child"] = g.clause(n["child"])
		return out
	case class(n) == "COLUMN_REF":
		names := sliceOf(n["column_names"])
		last, _ := names[len(names)-1].(string)
		if len(names) != 1 || !g.aliases[fold(last)] {
			g.b.fail("column-not-grouped", located(n, 0))
			return nil
		}
		return copied(n)
	}
	shallow := make(map[string]any, len(n))
	for k, x := range n { // whether the node may stand at all is for the viewer to say
		if _, deep := x.(map[string]any); !deep {
			if _, deep = x.([]any); !deep {
				shallow[k] = x
			}
		}
	}
	out := g.viewer.expr(shallow)
	if out == nil {
		return nil
	}
	for k, x := range n {
		if _, done := shallow[k]; !done {
			out[k] = g.clause(x)
		}
	}
	return out
}

// several reads quantile_cont(x, [a, b, …]) as a list of as many quantiles.
func (g *grouped) several(n map[string]any, alias string) map[string]any {
	children := sliceOf(n["children"])
	name, _ := n["function_name"].(string)
	if len(children) != 2 || !strings.HasPrefix(fold(name), "quantile") && fold(name) != "approx_quantile" {
		return nil
	}
	list := asMap(children[1])
	if list["function_name"] != "list_value" || len(sliceOf(list["children"])) == 0 {
		return nil
	}
	out := copied(list)
	var all []any
	for _, f := range sliceOf(list["children"]) {
		one := copied(n)
		one["children"] = []any{children[0], f}
		all = append(all, g.measure(one, ""))
	}
	if out["children"], out["alias"], out["schema"] = all, alias, ""; alias == "" {
		out["alias"] = fold(name)
	}
	return out
}

func (g *grouped) measure(n map[string]any, alias string) map[string]any {
	if out := g.several(n, alias); out != nil {
		return out
	}
	if e := derived(n, called(n)); e != nil {
		out := g.expr(e)
		if out != nil && out["alias"] == "" {
			out["alias"] = firstName(alias, called(n))
		}
		return out
	}
	if name := g.known(n); name != "" {
		return g.ref(n, name, alias)
	}
	name, _ := n["function_name"].(string)
	name = strings.TrimSuffix(fold(name), "_star")
	if name == "" {
		name = "grouping"
	}
	column := g.fresh(name)
	g.add(n, column)
	item := copied(n)
	item["alias"] = column
	g.list = append(g.list, item)
	return g.ref(n, column, alias)
}

// canonical writes an expression without names given to it and positions; tables says whether columns keep the names of theirs.
func canonical(n map[string]any, tables bool) string {
	b, err := json.Marshal(bare(n, tables, true))
	if err != nil {
		return ""
	}
	return string(b)
}

func bare(v any, tables, top bool) any {
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = bare(x[i], tables, false)
		}
		return out
	case map[string]any:
		tables = tables || class(x) == "SUBQUERY" // it has names of its own
		out := make(map[string]any, len(x))
		for k, c := range x {
			switch {
			case k == locationField || top && k == "alias":
			case k == "column_names":
				names := sliceOf(c)
				if !tables && len(names) > 1 {
					names = names[len(names)-1:]
				}
				var folded []string
				for _, n := range names {
					s, _ := n.(string)
					folded = append(folded, fold(s))
				}
				out[k] = folded
			default:
				out[k] = bare(c, tables, false)
			}
		}
		return out
	}
	return v
}

// called is the name of a function that is called.
func called(n map[string]any) string {
	name, _ := n["function_name"].(string)
	return fold(name)
}
