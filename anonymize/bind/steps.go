package bind

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// Query is a text cut where persons end and noise begins.
type Query struct {
	// Steps are the measure steps in the order of the text, each a wish of its own; there is at least one.
	Steps []plan.Spec
	// Tree is the SQL above them, a document as json_deserialize_sql reads it. Step i is the table StepTable(i), with a column StepColumn(j)
	// for the j-th of its Output; there are no other tables.
	Tree json.RawMessage
	// Ends are further columns of the steps' tables, after those of the Output and in this order, two each. What they become in the answer
	// stands behind the text's own columns: a pair for each of Intervals, which are columns from 0.
	Ends      []End
	Intervals []int
	nodes     []map[string]any
}

// Documents are the steps as documents of their own, with the CTEs that they see: over the same tables they give what the steps stand for in
// the text. Tests hold the cut against the whole with them.
func (q Query) Documents() ([]json.RawMessage, error) {
	var out []json.RawMessage
	for _, n := range q.nodes {
		b, err := document(n)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// document writes a SELECT as the parser would.
func document(n map[string]any) (json.RawMessage, error) {
	b, err := json.Marshal(map[string]any{"error": false, "statements": []any{map[string]any{"node": unlocated(n), "named_param_map": []any{}}}})
	if err != nil {
		return nil, fmt.Errorf("bind: %w", err)
	}
	return b, nil
}

// StepTable names the table of a step, from 0.
func StepTable(i int) string { return "carrel_step_" + strconv.Itoa(i+1) }

// StepColumn names a column of a step's table, from 0.
func StepColumn(j int) string { return "c" + strconv.Itoa(j+1) }

// maxSteps bounds the measure steps of one text.
const maxSteps = 16

// Cut reads a text that is more than one measure step with arithmetic above it, which Bind reads: each SELECT that aggregates persons' rows
// becomes a step, and what stands above them, free SQL, the tree. The cut is by text alone and trusted by nobody: the planner bounds each
// step again, and the tree is evaluated where there is no table but theirs. ok is false where there is nothing to cut: the text gives rows,
// or does not parse.
func Cut(s *plan.Schema, ast json.RawMessage, sql string) (q Query, ok bool, err error) {
	root, bad := decodeTree(ast)
	if bad != nil || len(sql) > maxText {
		return Query{}, false, nil //nolint:nilerr // Bind says what is wrong with it
	}
	p := &splitter{b: &binder{schema: s, sql: sql}, text: strings.ToLower(string(ast)), sights: map[uintptr]*env{}, readers: map[uintptr]int{}, kinds: map[*env]kind{}, used: map[*env]bool{}}
	statements := sliceOf(root["statements"])
	if root["error"] == true || len(statements) != 1 || !empty(asMap(statements[0])["named_param_map"]) {
		return Query{}, false, nil
	}
	node := asMap(asMap(statements[0])["node"])
	switch k := p.kind(node, nil, 0); {
	case p.b.err != nil:
		return Query{}, true, p.b.err
	case k == kindRows:
		return Query{}, false, nil
	}
	tree := p.place(node, nil)
	if p.b.err != nil {
		return Query{}, true, p.b.err
	}
	if len(p.steps) == 0 {
		return Query{}, false, nil
	}
	p.inText()
	q, err = p.query(tree)
	return q, true, err
}

// inText numbers the steps as the text has them: they were found from the outside in.
func (p *splitter) inText() {
	order := make([]int, len(p.steps))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return located(p.nodes[order[a]], 0) < located(p.nodes[order[b]], 0) })
	steps, nodes := slices.Clone(p.steps), slices.Clone(p.nodes)
	for i, old := range order {
		p.steps[i], p.nodes[i] = steps[old], nodes[old]
		p.readers[id(p.reads[old])] = i
		asMap(p.reads[old]["from_table"])["table_name"] = StepTable(i)
	}
}

// query adds the intervals to what was cut and writes it down.
func (p *splitter) query(tree map[string]any) (q Query, err error) {
	d := &ender{steps: p.readers, prefix: p.unusedName("carrel_end_"), made: map[endsOf][2]string{}}
	for _, s := range p.steps {
		var noisy []bool
		for i := range s.Output {
			noisy = append(noisy, measured(&s.Output[i].Expr))
		}
		d.noisy = append(d.noisy, noisy)
	}
	q.Intervals = d.give(tree)
	q.Steps, q.Ends = p.steps, d.distinct()
	q.nodes = p.nodes
	q.Tree, err = document(tree)
	return q, err
}

// id tells nodes apart; the tree outlives whoever asks.
func id(n map[string]any) uintptr { return reflect.ValueOf(n).Pointer() }

// splitter cuts one tree. Its binder reads CTEs and holds the first refusal.
type splitter struct {
	b       *binder
	text    string // the document, in small letters
	steps   []plan.Spec
	nodes   []map[string]any // of the steps, with what they see
	reads   []map[string]any // the SELECTs that read their tables
	sights  map[uintptr]*env // by SELECT: what it has in sight
	kinds   map[*env]kind
	used    map[*env]bool   // CTEs that the view names
	readers map[uintptr]int // SELECTs that read a step's table
	nested  int
}

// kind is what a SELECT's rows are.
type kind uint8

const (
	_         kind = iota
	kindRows       // of persons, or of public tables
	kindNoise      // statistics, or what is made of them or of constants
	kindMixed      // a join of both
)

// sight is what a SELECT has in sight, its own CTEs included. Each knows whether it is noise.
func (p *splitter) sight(n map[string]any, above *env, depth int) *env {
	at := id(n) // one node is always seen from one place
	if s, ok := p.sights[at]; ok {
		return s
	}
	s := p.b.with(&object{b: p.b, m: n, at: located(n, -1)}, above)
	p.sights[at] = s
	for e := s; e != above && p.b.err == nil; e = e.up {
		e.noise = p.cte(e, depth) != kindRows
	}
	return s
}

func (p *splitter) cte(e *env, depth int) kind {
	if k, ok := p.kinds[e]; ok {
		return k
	}
	k := p.kind(e.node, e.up, depth+1)
	p.kinds[e] = k
	return k
}

// kind says by the text alone what a SELECT's rows are.
func (p *splitter) kind(n map[string]any, above *env, depth int) kind {
	if p.b.nodes++; depth > maxNested || p.b.nodes > maxNodes {
		p.b.fail("query-too-large", 0)
	}
	if p.b.err != nil {
		return kindRows
	}
	sight := p.sight(n, above, depth)
	switch n["type"] {
	case "SELECT_NODE":
		switch k := p.from(asMap(n["from_table"]), sight, depth+1); {
		case k != kindRows:
			return k
		case aggregates(n) && !p.byPerson(n, above):
			return kindNoise
		}
	case "SET_OPERATION_NODE":
		l, r := p.kind(asMap(n["left"]), sight, depth+1), p.kind(asMap(n["right"]), sight, depth+1)
		if l == r {
			return l
		}
		return kindMixed
	case "RECURSIVE_CTE_NODE":
		p.b.failWord("recursive-cte", 0, "with recursive")
	}
	return kindRows
}

// byPerson says whether a SELECT groups by the person, under whatever name.
func (p *splitter) byPerson(n map[string]any, above *env) bool {
	if p.b.byPerson(n) || empty(n["group_expressions"]) {
		return p.b.byPerson(n)
	}
	b := &binder{schema: p.b.schema, sql: p.b.sql, nodes: p.b.nodes}
	q := b.query(n, &frame{env: above}, -1)
	p.b.nodes = b.nodes
	return b.err == nil && slices.ContainsFunc(q.fr.group, q.fr.unit)
}

// from says what a part of FROM brings.
func (p *splitter) from(n map[string]any, sight *env, depth int) kind {
	if depth > maxDepth {
		return kindRows
	}
	switch n["type"] {
	case "BASE_TABLE":
		name, _ := n["table_name"].(string)
		if e := sight.find(name); e != nil && empty(n["schema_name"]) {
			return p.cte(e, depth)
		}
		return kindRows
	case "SUBQUERY":
		return p.kind(asMap(asMap(n["subquery"])["node"]), sight, depth+1)
	case "JOIN":
		l, r := p.from(asMap(n["left"]), sight, depth+1), p.from(asMap(n["right"]), sight, depth+1)
		if l == r {
			return l
		}
		return kindMixed
	}
	return kindNoise // constants
}

// place gives what stands for a SELECT in the view.
func (p *splitter) place(n map[string]any, above *env) map[string]any {
	if p.nested++; p.nested > maxNested {
		p.b.fail("query-too-large", 0)
	}
	defer func() { p.nested-- }()
	k := p.kind(n, above, 0)
	switch {
	case p.b.err != nil:
		return nil
	case k == kindMixed:
		p.mixed(n, p.sight(n, above, 0))
		return nil
	case k == kindRows:
		p.b.fail("no-aggregate", located(n, 0))
		return nil
	}
	sight := p.sight(n, above, 0)
	v := &viewer{splitter: p, sight: sight}
	switch {
	case n["type"] == "SET_OPERATION_NODE":
		out := v.fields(n, "left", "right", "cte_map")
		out["left"], out["right"] = p.place(asMap(n["left"]), sight), p.place(asMap(n["right"]), sight)
		out["cte_map"] = p.ctes(n, sight)
		return out
	case p.from(asMap(n["from_table"]), sight, 0) == kindRows:
		return p.step(n, sight)
	}
	if !empty(n["sample"]) {
		p.b.failWord("sample", located(n, 0), "using sample", "tablesample")
	}
	out := v.fields(n, "from_table", "cte_map", "sample")
	out["from_table"] = v.table(asMap(n["from_table"]), 0)
	out["cte_map"] = p.ctes(n, sight)
	return out
}

// mixed refuses a join of statistics with rows, at the first of the rows.
func (p *splitter) mixed(n map[string]any, sight *env) {
	at := located(n, 0)
	if n["type"] == "SELECT_NODE" {
		n = asMap(n["from_table"])
		for n["type"] == "JOIN" {
			if left := asMap(n["left"]); p.from(left, sight, 0) != kindNoise {
				n = left
			} else {
				n = asMap(n["right"])
			}
		}
		at = located(n, at)
		name, _ := n["table_name"].(string)
		switch {
		case n["type"] != "BASE_TABLE":
		case !empty(n["schema_name"]) || !empty(n["catalog_name"]):
			p.b.fail("qualified-table", at)
		case p.b.table(name) == nil && sight.find(name) == nil:
			p.b.failNear("unknown-table", at, nearest(name, p.b.tablesInSight(&frame{env: sight})))
		}
	}
	p.b.fail("measure-joined", at)
}

// unusedName makes a name that nothing in the text has.
func (p *splitter) unusedName(name string) string {
	for strings.Contains(p.text, name) {
		name += "_"
	}
	return name
}

// ctes keeps those CTEs of a SELECT that the view names, the last first: it may name those before it.
func (p *splitter) ctes(n map[string]any, sight *env) map[string]any {
	entries := sliceOf(asMap(n["cte_map"])["map"])
	kept := []any{}
	for i, e := len(entries)-1, sight; i >= 0 && e != nil && p.b.err == nil; i, e = i-1, e.up {
		if !p.used[e] {
			continue
		}
		entry := copied(asMap(entries[i]))
		value := copied(asMap(entry["value"]))
		query := copied(asMap(value["query"]))
		query["node"] = p.place(e.node, e.up)
		value["query"], entry["value"] = query, value
		kept = append([]any{entry}, kept...)
	}
	return map[string]any{"map": kept}
}

// step reads a SELECT over persons' rows: as it stands where its columns are keys, measures and arithmetic; else as a step that answers its
// keys and measures, and a view that makes its columns of them.
func (p *splitter) step(n map[string]any, sight *env) map[string]any {
	whole := copied(n)
	whole["cte_map"] = map[string]any{"map": []any{}} // they are in sight
	if spec, r := p.bound(whole, sight); r == nil {
		return p.add(spec, whole, sight)
	}
	g := &grouped{viewer: viewer{splitter: p, sight: sight}}
	outer := g.outer(whole)
	if p.b.err != nil {
		return nil
	}
	inner := g.inner(whole)
	spec, r := p.bound(inner, sight)
	if r != nil {
		p.b.err = r
		return nil
	}
	from := subqueryNode()
	from["subquery"] = map[string]any{"node": p.add(spec, inner, sight), "named_param_map": []any{}}
	from["alias"] = g.name
	outer["from_table"], outer["cte_map"] = from, p.ctes(n, sight)
	return outer
}

// bound reads a measure step with a binder of its own.
func (p *splitter) bound(n map[string]any, sight *env) (plan.Spec, *plan.Refusal) {
	b := &binder{schema: p.b.schema, sql: p.b.sql, nodes: p.b.nodes}
	spec := b.statement(n, sight)
	p.b.nodes = b.nodes
	return spec, b.err
}

// standing is a step with the CTEs that it sees: those of rows.
func standing(step map[string]any, sight *env) map[string]any {
	out, seen, list := copied(step), map[string]bool{}, []any{}
	for e := sight; e != nil; e = e.up {
		if !e.noise && !seen[e.name] {
			var aliases []any
			for _, a := range e.aliases {
				aliases = append(aliases, a)
			}
			list = append([]any{map[string]any{"key": e.name, "value": map[string]any{"aliases": append([]any{}, aliases...), "query": map[string]any{"node": e.node, "named_param_map": []any{}},
				"materialized": "CTE_MATERIALIZE_DEFAULT", "key_targets": []any{}}}}, list...)
		}
		seen[e.name] = true
	}
	out["cte_map"] = map[string]any{"map": list}
	return out
}

// add keeps a step and gives the SELECT that reads its table under the names that the text gave to its columns.
func (p *splitter) add(spec plan.Spec, step map[string]any, sight *env) map[string]any {
	if len(p.steps) == maxSteps {
		p.b.fail("query-too-large", 0)
		return nil
	}
	i := len(p.steps)
	p.steps, p.nodes = append(p.steps, spec), append(p.nodes, standing(step, sight))
	n := selectNode()
	var list []any
	for j, o := range spec.Output {
		list = append(list, columnNode(StepColumn(j), o.Name))
	}
	n["select_list"] = list
	asMap(n["from_table"])["schema_name"] = "main" // no CTE of the text has a schema
	p.reads = append(p.reads, n)
	p.readers[id(n)] = i
	return n
}

func copied(m map[string]any) map[string]any {
	out := make(map[string]any, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// unlocated writes positions as the parser does.
func unlocated(v any) any {
	switch x := v.(type) {
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = unlocated(x[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(x))
		for k, c := range x {
			if s, ok := c.(spot); ok {
				if s.own >= 0 {
					out[k] = s.own
				}
				continue
			}
			out[k] = unlocated(c)
		}
		return out
	}
	return v
}

// The nodes that a cut needs, as the parser writes them.
func selectNode() map[string]any {
	return map[string]any{"type": "SELECT_NODE", "modifiers": []any{}, "cte_map": map[string]any{"map": []any{}}, "select_list": []any{},
		"from_table": map[string]any{"type": "BASE_TABLE", "alias": "", "sample": nil, "schema_name": "", "table_name": "", "column_name_alias": []any{},
			"catalog_name": "", "at_clause": nil},
		"where_clause": nil, "group_expressions": []any{}, "group_sets": []any{}, "aggregate_handling": "STANDARD_HANDLING", "having": nil, "sample": nil, "qualify": nil}
}

func subqueryNode() map[string]any {
	return map[string]any{"type": "SUBQUERY", "alias": "", "sample": nil, "subquery": nil, "column_name_alias": []any{}}
}

func columnNode(name, alias string) map[string]any {
	return map[string]any{"class": "COLUMN_REF", "type": "COLUMN_REF", "alias": alias, "column_names": []any{name}}
}
