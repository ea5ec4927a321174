// Package bind turns the syntax tree that DuckDB's json_serialize_sql makes of a query into a plan.Spec.
//
// It promises an allow-list on every node: each object of the tree is read field by field, and a field that is not known
// here and is not empty refuses the query with its position; nothing is ever ignored. It promises never to panic, whatever
// the tree (fuzzed).
//
// It does not promise privacy: it is untrusted. What it returns is checked again by plan.Build, which bounds it or refuses it.
package bind

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"

	"carrel/anonymize/plan"
)

// Limits on the text and its tree. They bound the binder's work; the parser's child has limits of its own.
const (
	maxText  = 64 << 10
	maxDepth = 64
	maxNodes = 20_000
)

// Bind reads the tree of one SELECT over the schema. The error is a *plan.Refusal with position and advice. Names are
// matched without regard to ASCII case and to nothing else, so that look-alike letters are unknown names.
func Bind(s *plan.Schema, ast json.RawMessage, sql string) (plan.Spec, error) {
	b := &binder{schema: s, sql: sql}
	if len(sql) > maxText || !utf8.ValidString(sql) || bytes.IndexByte([]byte(sql), 0) >= 0 {
		return plan.Spec{}, plan.Refuse("text-too-large", "", -1)
	}
	d := json.NewDecoder(bytes.NewReader(ast))
	d.UseNumber()
	var root map[string]any
	if err := d.Decode(&root); err != nil {
		return plan.Spec{}, plan.Refuse("syntax-error", sql, -1)
	}
	if _, err := d.Token(); err != io.EOF {
		return plan.Spec{}, plan.Refuse("syntax-error", sql, -1)
	}
	b.document(root)
	if b.err != nil {
		return plan.Spec{}, b.err
	}
	return b.spec, nil
}

// binder holds one binding. The first refusal sticks: later steps see err and do nothing.
type binder struct {
	schema *plan.Schema
	sql    string
	spec   plan.Spec
	err    *plan.Refusal
	nodes  int

	scope scope
	items []item // the select list
}

type item struct {
	alias string
	node  map[string]any
}

func (b *binder) fail(code string, offset int) {
	if b.err == nil {
		b.err = plan.Refuse(code, b.sql, max(0, offset))
	}
}

func (b *binder) failNear(code string, offset int, suggestion string) {
	if b.err == nil {
		b.err = plan.Refuse(code, b.sql, offset).Suggest(suggestion)
	}
}

func (b *binder) document(root map[string]any) {
	o := b.object(root, -1)
	if o.boolean("error") {
		b.parserError(o)
		return
	}
	statements := o.list("statements")
	o.end()
	if b.err != nil {
		return
	}
	if len(statements) != 1 {
		code := "one-statement"
		if len(statements) == 0 {
			code = "empty-text"
		}
		b.fail(code, 0)
		return
	}
	st := b.object(statements[0], -1)
	node := st.node("node")
	parameters := st.raw("named_param_map")
	st.end()
	if b.err == nil {
		b.selectNode(node)
	}
	if !empty(parameters) {
		b.fail("parameter", 0)
	}
}

// parserError turns the parser's own refusal into ours. Its message may repeat the text, so only the position is kept.
func (b *binder) parserError(o *object) {
	offset := -1
	if s, ok := o.m["position"].(string); ok {
		if n, err := strconv.Atoi(s); err == nil {
			offset = n
		}
	}
	if t, _ := o.m["error_type"].(string); t == "not implemented" {
		b.fail("select-only", 0)
		return
	}
	b.fail("syntax-error", offset)
}

func (b *binder) selectNode(n map[string]any) {
	o := b.object(n, -1)
	switch t := o.text("type"); t {
	case "SELECT_NODE":
	case "SET_OPERATION_NODE":
		b.failWord("set-operation", 0, "union", "intersect", "except")
	case "CTE_NODE", "RECURSIVE_CTE_NODE":
		b.fail("cte", 0)
	default:
		b.fail("not-supported", 0)
	}
	if m, ok := o.raw("cte_map").(map[string]any); !ok || !empty(m["map"]) || len(m) > 1 {
		b.fail("cte", 0)
	}
	modifiers := o.list("modifiers")
	list := o.list("select_list")
	from := o.node("from_table")
	where := o.optional("where_clause")
	keys, sets := o.list("group_expressions"), o.list("group_sets")
	if o.text("aggregate_handling") != "STANDARD_HANDLING" {
		b.failWord("group-by-all", 0, "group by all", "group by *")
	}
	if h := o.optional("having"); h != nil {
		b.fail("having", location(h))
	}
	if !empty(o.raw("sample")) {
		b.failWord("sample", 0, "using sample", "tablesample")
	}
	if !empty(o.raw("qualify")) {
		b.failWord("window", 0, "qualify")
	}
	o.end()
	if b.err != nil {
		return
	}
	b.spec = plan.Spec{SQL: b.sql, Limit: -1}
	b.from(from, 0)
	b.selectItems(list)
	if where != nil && b.err == nil {
		p := b.predicate(where, 0)
		b.spec.Where = &p
	}
	b.groupBy(keys, sets)
	b.outputs()
	b.modifiers(modifiers)
}
