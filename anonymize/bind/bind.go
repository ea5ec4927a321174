// Package bind turns the syntax tree that DuckDB's json_serialize_sql makes of a query into a plan.Spec.
//
// It promises an allow-list on every node: each object of the tree is read field by field, and a field that is not known
// here and is not empty refuses the query with its position; nothing is ever ignored. It promises never to panic, whatever
// the tree (fuzzed).
//
// Names mean what they mean to DuckDB: a column before an alias of the select list, an alias before a column in a bare ORDER BY, an
// alias after the keys in HAVING; CTEs are written out at each use; a join in parentheses keeps the names of its tables. Where DuckDB
// would take a name from a place that has no meaning inside one person's rows, the query is refused rather than read otherwise.
//
// The statement's own SELECT is the measure step, or arithmetic and conditions over exactly one measure step beneath it, which fold
// into one wish; every other SELECT becomes a plan.Relation.
//
// It does not promise privacy: it is untrusted. What it returns is checked again by plan.Build, which bounds it or refuses it.
package bind

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"carrel/anonymize/plan"
)

// Limits on the text and its tree. They bound the binder's work; the parser's child has limits of its own.
const (
	maxText   = 64 << 10
	maxDepth  = 200    // levels of one expression or one FROM
	maxNested = 48     // SELECTs inside one another, CTEs written out
	maxNodes  = 20_000 // objects read, CTEs written out at each use
	maxItems  = 256
	maxSets   = 64
)

// Bind reads the tree of one SELECT over the schema. The error is a *plan.Refusal with position and advice. Names are
// matched without regard to ASCII case and to nothing else, so that look-alike letters are unknown names.
func Bind(s *plan.Schema, ast json.RawMessage, sql string) (plan.Spec, error) {
	b := &binder{schema: s, sql: sql}
	if len(sql) > maxText || !utf8.ValidString(sql) || bytes.IndexByte([]byte(sql), 0) >= 0 {
		return plan.Spec{}, plan.Refuse("text-too-large", "", -1)
	}
	root, err := decodeTree(ast)
	if err != nil {
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
	nested int
	spare  [][]string // lists of fields that were read, of objects that are done
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
		b.spec = b.statement(node, nil)
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
	message, _ := o.m["error_message"].(string)
	if t, _ := o.m["error_type"].(string); t == "not implemented" {
		code := "not-supported"
		if strings.HasPrefix(message, "Only SELECT") {
			code = "select-only"
		}
		b.fail(code, max(0, offset))
		return
	}
	b.fail("syntax-error", offset)
}
