package plan_test

import (
	"math/big"
	"regexp"
	"sort"
	"strings"
	"time"

	"carrel/anonymize/plan"
)

// A slow evaluator of a wish over a tiny database. It shares no code with the planner: nested loops, three truth values, values as people
// write them (texts, fractions, dates) instead of stored integers.

type tuple map[string]*int64 // stored integers, nil is NULL; "carrel_rank" too

type database map[string][]tuple

// without deletes a person from every private table.
func (d database) without(s *plan.Schema, person int64) database {
	out := database{}
	for _, t := range s.Tables {
		for _, r := range d[t.Name] {
			if t.Public || *r[t.Unit] != person {
				out[t.Name] = append(out[t.Name], r)
			}
		}
	}
	return out
}

type evaluator struct {
	schema *plan.Schema
	spec   plan.Spec
	rows   map[string]int64 // options
	limit  int64            // rows of a person after the joins; 0: all
}

type truth int8

const (
	no truth = iota - 1
	unknown
	yes
)

func (e evaluator) table(scan int) *plan.Table {
	for i := range e.schema.Tables {
		if e.schema.Tables[i].Name == e.spec.Scans[scan].Table {
			return &e.schema.Tables[i]
		}
	}
	return nil
}

func (e evaluator) column(r plan.ColRef) *plan.Column {
	t := e.table(r.Scan)
	for i := range t.Columns {
		if t.Columns[i].Name == r.Column {
			return &t.Columns[i]
		}
	}
	return nil
}

// scan gives the rows of one occurrence, cut by rank.
func (e evaluator) scan(d database, i int) []tuple {
	t, s := e.table(i), e.spec.Scans[i]
	if t.Public {
		return d[t.Name]
	}
	m := t.MaxRows
	for _, name := range []string{"*", t.Name, s.Alias} {
		if v, ok := e.rows[name]; ok && name != "" {
			m = min(v, t.MaxRows)
		}
	}
	var out []tuple
	for _, r := range d[t.Name] {
		if *r["carrel_rank"] <= m {
			out = append(out, r)
		}
	}
	return out
}

// joined are the rows of FROM and WHERE, each a tuple a scan (nil on a null side), cut again when there is a limit.
func (e evaluator) joined(d database) [][]tuple {
	rows := [][]tuple{}
	for _, r := range e.scan(d, 0) {
		rows = append(rows, []tuple{r})
	}
	for i, j := range e.spec.Joins {
		var next [][]tuple
		for _, left := range rows {
			matched := false
			for _, right := range e.scan(d, i+1) {
				both := append(append([]tuple(nil), left...), right)
				if e.on(j, both) {
					matched = true
					next = append(next, both)
				}
			}
			if !matched && j.Kind == plan.JoinLeft {
				next = append(next, append(append([]tuple(nil), left...), nil))
			}
		}
		rows = next
	}
	var out [][]tuple
	for _, r := range rows {
		if e.spec.Where == nil || e.truth(e.spec.Where, r) == yes {
			out = append(out, r)
		}
	}
	return e.cut(out)
}

func (e evaluator) on(j plan.Join, r []tuple) bool {
	for _, q := range j.On {
		a, b := get(r, q.Left), get(r, q.Right)
		if a == nil || b == nil || *a != *b {
			return false
		}
	}
	return true
}

func get(r []tuple, c plan.ColRef) *int64 {
	if r[c.Scan] == nil {
		return nil
	}
	return r[c.Scan][c.Column]
}

// person is the unit of a joined row: that of any private scan that is there.
func (e evaluator) person(r []tuple) int64 {
	for i := range r {
		if t := e.table(i); !t.Public && r[i] != nil {
			return *r[i][t.Unit]
		}
	}
	return -1
}

// cut keeps the first rows of each person, in the order of ranks by table, then of public columns.
func (e evaluator) cut(rows [][]tuple) [][]tuple {
	if e.limit == 0 {
		return rows
	}
	order := e.canonical()
	sort.SliceStable(rows, func(i, j int) bool {
		for _, c := range order {
			a, b := get(rows[i], c), get(rows[j], c)
			switch {
			case (a == nil) != (b == nil):
				return b == nil
			case a != nil && *a != *b:
				return *a < *b
			}
		}
		return false
	})
	seen := map[int64]int64{}
	var out [][]tuple
	for _, r := range rows {
		p := e.person(r)
		if seen[p]++; seen[p] <= e.limit {
			out = append(out, r)
		}
	}
	return out
}

// canonical is the order of columns that number joined rows: tables of the inner joins before the first LEFT by name.
func (e evaluator) canonical() []plan.ColRef {
	prefix := 1
	for prefix <= len(e.spec.Joins) && e.spec.Joins[prefix-1].Kind == plan.JoinInner {
		prefix++
	}
	scans := make([]int, len(e.spec.Scans))
	for i := range scans {
		scans[i] = i
	}
	head := scans[:prefix]
	sort.SliceStable(head, func(i, j int) bool { return e.spec.Scans[head[i]].Table < e.spec.Scans[head[j]].Table })
	var private, public []plan.ColRef
	for _, i := range scans {
		t := e.table(i)
		if !t.Public {
			private = append(private, plan.ColRef{Scan: i, Column: "carrel_rank"})
			continue
		}
		for _, c := range t.Columns {
			public = append(public, plan.ColRef{Scan: i, Column: c.Name})
		}
	}
	return append(private, public...)
}

func (e evaluator) truth(p *plan.Pred, r []tuple) truth {
	switch p.Op {
	case plan.PredAnd:
		out := yes
		for i := range p.Args {
			out = min(out, e.truth(&p.Args[i], r))
		}
		return out
	case plan.PredOr:
		out := no
		for i := range p.Args {
			out = max(out, e.truth(&p.Args[i], r))
		}
		return out
	case plan.PredNot:
		return -e.truth(&p.Args[0], r)
	case plan.PredConst:
		return map[string]truth{"true": yes, "false": no, "": unknown}[p.Values[0].Text]
	case plan.PredIsNull:
		if get(r, p.Left) == nil {
			return yes
		}
		return no
	case plan.PredColumns:
		a, b := get(r, p.Left), get(r, p.Right)
		if a == nil || b == nil {
			return unknown
		}
		return holds(p.Cmp, big.NewInt(*a).Cmp(big.NewInt(*b)))
	}
	return e.literals(p, get(r, p.Left))
}

func (e evaluator) literals(p *plan.Pred, x *int64) truth {
	c := e.column(p.Left)
	switch p.Op {
	case plan.PredBetween:
		return min(compare(c, x, plan.CmpGe, p.Values[0]), compare(c, x, plan.CmpLe, p.Values[1]))
	case plan.PredIn:
		out := no
		for _, v := range p.Values {
			out = max(out, compare(c, x, plan.CmpEq, v))
		}
		return out
	case plan.PredLike, plan.PredILike:
		if x == nil || p.Values[0].Kind == plan.LitNull {
			return unknown
		}
		re := "^" + strings.NewReplacer("%", ".*", "_", ".").Replace(regexp.QuoteMeta(p.Values[0].Text)) + "$"
		if p.Op == plan.PredILike {
			re = "(?i)" + re
		}
		if regexp.MustCompile(re).MatchString(c.Values[*x]) {
			return yes
		}
		return no
	}
	return compare(c, x, p.Cmp, p.Values[0])
}

func compare(c *plan.Column, x *int64, cmp plan.Cmp, v plan.Literal) truth {
	if x == nil || v.Kind == plan.LitNull {
		return unknown
	}
	switch c.Kind {
	case plan.KindCode:
		return holds(cmp, strings.Compare(c.Values[*x], v.Text))
	case plan.KindDate:
		a := time.Date(1970, 1, 1+int(*x), 0, 0, 0, 0, time.UTC).Format("2006-01-02")
		return holds(cmp, strings.Compare(a, v.Text))
	}
	a := big.NewRat(*x, 1)
	for range c.Scale {
		a.Quo(a, big.NewRat(10, 1))
	}
	b, _ := new(big.Rat).SetString(v.Text)
	return holds(cmp, a.Cmp(b))
}

func holds(cmp plan.Cmp, sign int) truth {
	ok := map[plan.Cmp]bool{plan.CmpEq: sign == 0, plan.CmpNe: sign != 0, plan.CmpLt: sign < 0, plan.CmpLe: sign <= 0, plan.CmpGt: sign > 0, plan.CmpGe: sign >= 0}[cmp]
	if ok {
		return yes
	}
	return no
}

// cell holds, for one group, the rows and for every measure the count of rows where its column is known, its sum and its persons.
type cell struct {
	key     []*int64
	rows    int64
	count   []int64
	sum     []int64
	persons []map[int64]bool
}

func (e evaluator) cells(d database) map[string]*cell {
	out := map[string]*cell{}
	for _, r := range e.joined(d) {
		name := ""
		var key []*int64
		for _, k := range e.spec.Keys {
			v := get(r, k.Col)
			key = append(key, v)
			if v == nil {
				name += "NULL,"
			} else {
				name += big.NewInt(*v).String() + ","
			}
		}
		c := out[name]
		if c == nil {
			n := len(e.spec.Wanted)
			c = &cell{key: key, count: make([]int64, n), sum: make([]int64, n), persons: make([]map[int64]bool, n)}
			out[name] = c
		}
		c.rows++
		for i, w := range e.spec.Wanted {
			if w.Kind == plan.CountRows {
				continue
			}
			if x := get(r, w.Col); x != nil {
				c.count[i]++
				c.sum[i] += *x
				if c.persons[i] == nil {
					c.persons[i] = map[int64]bool{}
				}
				c.persons[i][*x] = true
			}
		}
	}
	return out
}
