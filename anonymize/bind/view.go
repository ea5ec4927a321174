package bind

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// viewer copies the part of a tree above the steps, which is free SQL, and refuses what could make two evaluations of it differ (time, chance,
// settings) or could reach anything but the steps' tables. It keeps no promise of privacy: the child that evaluates the copy has no data.
type viewer struct {
	*splitter
	sight *env
}

// viewFunctions lists what a view may call, one name a line: functions of their arguments alone. A test holds it against the engine's own
// list.
//
//go:embed functions.txt
var viewFunctions string

var viewNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for line := range strings.Lines(viewFunctions) {
		names[strings.TrimSpace(line)] = true
	}
	return names
})

// ViewFunctions are the functions and operators that a view may call, in order.
func ViewFunctions() []string {
	var out []string
	for n := range viewNames() {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// fields copies a node's fields, but for those that the caller fills in.
func (v *viewer) fields(n map[string]any, but ...string) map[string]any {
	out := make(map[string]any, len(n))
	for k, x := range n {
		if !slices.Contains(but, k) {
			out[k] = v.copy(x)
		}
	}
	return out
}

// copy copies whatever stands in an expression or a clause.
func (v *viewer) copy(x any) any {
	switch x := x.(type) {
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = v.copy(x[i])
		}
		return out
	case map[string]any:
		if class(x) != "" {
			return v.expr(x)
		}
		return v.fields(x)
	}
	return x
}

func (v *viewer) expr(n map[string]any) map[string]any {
	if v.b.nodes++; v.b.nodes > maxNodes {
		v.b.fail("query-too-large", 0)
	}
	if v.b.err != nil {
		return nil
	}
	at := located(n, 0)
	switch class(n) {
	case "SUBQUERY":
		return v.subquery(n)
	case "FUNCTION", "WINDOW":
		name, _ := n["function_name"].(string)
		if s, _ := n["schema"].(string); s != "" && s != "main" || !empty(n["catalog"]) || !v.callable(n, fold(name)) {
			v.b.fail("view-function", at)
		}
	case "COLUMN_REF":
		names := sliceOf(n["column_names"])
		switch s, _ := names[len(names)-1].(string); {
		case len(names) != 1:
		case now(s):
			v.b.fail("now-not-allowed", at)
		case settings(s):
			v.b.fail("view-function", at)
		}
	case "PARAMETER", "DEFAULT":
		v.b.fail("parameter", at)
	}
	return v.fields(n)
}

func (v *viewer) callable(n map[string]any, name string) bool {
	if class(n) == "WINDOW" {
		switch name {
		case "row_number", "rank", "rank_dense", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value", "nth_value":
			return true
		}
	}
	return viewNames()[name]
}

// settings says that a bare name means something of the session's.
func settings(name string) bool {
	switch fold(name) {
	case "current_user", "session_user", "user", "current_role", "current_catalog", "current_schema", "current_database":
		return true
	}
	return false
}

func (v *viewer) subquery(n map[string]any) map[string]any {
	out := v.fields(n, "subquery")
	q := asMap(n["subquery"])
	if !empty(q["named_param_map"]) {
		v.b.fail("parameter", located(n, 0))
	}
	out["subquery"] = map[string]any{"node": v.place(asMap(q["node"]), v.sight), "named_param_map": []any{}}
	return out
}

// table copies a part of FROM.
func (v *viewer) table(n map[string]any, depth int) map[string]any {
	at := located(n, 0)
	if depth > maxDepth {
		v.b.fail("query-too-large", at)
	}
	if v.b.err != nil {
		return nil
	}
	if !empty(n["sample"]) {
		v.b.failWord("sample", at, "tablesample", "using sample")
	}
	switch n["type"] {
	case "BASE_TABLE":
		name, _ := n["table_name"].(string)
		e := v.sight.find(name)
		if e == nil || !empty(n["schema_name"]) || !empty(n["catalog_name"]) || !empty(n["at_clause"]) {
			v.b.fail("measure-joined", at)
			return nil
		}
		v.used[e] = true
		return v.fields(n)
	case "SUBQUERY":
		out := v.subquery(n)
		return out
	case "JOIN":
		out := v.fields(n, "left", "right")
		out["left"], out["right"] = v.table(asMap(n["left"]), depth+1), v.table(asMap(n["right"]), depth+1)
		return out
	case "TABLE_FUNCTION":
		name, _ := asMap(n["function"])["function_name"].(string)
		switch fold(name) {
		case "unnest", "range", "generate_series":
			out := v.fields(n, "function")
			out["function"] = v.fields(asMap(n["function"]))
			return out
		}
		v.b.fail("table-function", at)
	case "EMPTY", "EXPRESSION_LIST":
		return v.fields(n)
	default:
		v.b.fail("not-supported", at)
	}
	return nil
}
