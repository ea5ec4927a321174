package dummy

import (
	"reflect"
	"strconv"
	"strings"

	"carrel/anonymize/plan"
)

// wish is a measure step and what is known of how to meet it.
type wish struct {
	spec      *plan.Spec
	keys      [][]value // members of the answer's groups by key, nil where they are not known or too many
	threshold int       // the largest number that HAVING compares with
	used      map[string]bool
}

const (
	maxMembers = 400
	attempts   = 14
)

func newWish(o *Wish) *wish {
	spec, p := &o.Spec, o.Plan
	w := &wish{spec: spec, used: map[string]bool{}}
	eachOf(reflect.ValueOf(*spec), func(s plan.Scan) { w.used[s.Table] = true })
	if spec.Having != nil {
		eachOf(reflect.ValueOf(*spec.Having), func(l plan.Literal) {
			if n, err := strconv.ParseFloat(l.Text, 64); err == nil && n < MaxPersons {
				w.threshold = max(w.threshold, int(n)+1)
			}
		})
	}
	w.keys = make([][]value, len(spec.Keys))
	if p == nil || len(p.Keys()) != len(spec.Keys) {
		return w
	}
	for i, k := range p.Keys() {
		w.keys[i] = members(k)
	}
	return w
}

// members are the values that a key can have by text and catalogue.
func members(k plan.Key) []value {
	lo, hi := domain(&k.Column)
	step := max(1, k.Step)
	if k.Column.Kind == plan.KindKey || k.Column.Kind == plan.KindUnit || uint64(hi)-uint64(lo) > uint64(maxMembers*step) {
		return nil
	}
	var out []value
	for n := lo; n <= hi && len(out) < maxMembers; n++ {
		if k.Lets(n) && (n-k.Base)%step == 0 {
			out = append(out, (&cell{col: &k.Column, n: n}).value())
		}
	}
	return out
}

// aim wants the person in one group of the answer; the groups take turns. For a HAVING that asks for many, a few groups get all.
func (h *wish) aim(w *world, f *frame, turn int) {
	if h.threshold > 0 {
		turn %= 2
	}
	for i := range h.spec.Keys {
		list := h.keys[i]
		if len(list) == 0 {
			continue
		}
		target := list[turn%len(list)]
		turn /= len(list)
		e := &h.spec.Keys[i].Expr
		w.prepare(e, f)
		w.need(func() float64 { return same(f.eval(e), target) })
	}
}

// measure wants the person to count in one of the measures.
func (h *wish) measure(w *world, f *frame) {
	if len(h.spec.Wanted) == 0 {
		return
	}
	m := &h.spec.Wanted[w.rng.IntN(len(h.spec.Wanted))]
	if m.Filter != nil {
		w.demand(m.Filter, f, true)
	}
	zero := w.rng.IntN(3) == 0
	for i := range m.Args {
		e := &m.Args[i]
		w.prepare(e, f)
		if !zero {
			w.branch(e, f)
		}
		w.need(func() float64 {
			switch v := f.eval(e); {
			case v.kind == isNull:
				return 1
			case v.isFalse() && !zero:
				return 0.5
			}
			return 0
		})
	}
}

// branch wants one of the conditions of a CASE to hold, so that a share of rare things is not always 0.
func (w *world) branch(e *plan.Expr, f *frame) {
	switch e.Op {
	case plan.ExprCase:
		w.demand(&e.Args[2*w.choose((len(e.Args)-1)/2)], f, true)
	case plan.ExprCast:
		w.branch(&e.Args[0], f)
	case plan.ExprAnd, plan.ExprOr, plan.ExprNot, plan.ExprCompare, plan.ExprBetween, plan.ExprIn, plan.ExprInSub, plan.ExprExists:
		w.demand(e, f, true)
	default: // its value is searched for as it is
	}
}

// meets says whether the step finds a row for the person. What we cannot evaluate does not count.
func (w *world) meets(h *wish) bool {
	known, ok := w.met[h]
	if !ok {
		rows, told := w.joined(&h.spec.From, nil)
		known = told && len(rows) > 0
		w.met[h] = known
	}
	return known
}

// text is what the words of a question say about good values to try.
type text struct {
	counts  []int
	numbers []float64
	days    []int64
	windows map[*plan.Relation]bool
	lists   map[string]*plan.CodeList
}

func read(wishes []Wish, schema *plan.Schema) text {
	t := text{counts: []int{1, 1, 1, 1, 2, 2, 3}, windows: map[*plan.Relation]bool{}, lists: map[string]*plan.CodeList{}}
	seen, specs := map[string]bool{}, reflect.ValueOf(wishes)
	eachOf(specs, func(l plan.Literal) {
		if l.Kind == 0 || seen[l.Text] {
			return
		}
		seen[l.Text] = true
		amount, _, _ := strings.Cut(l.Text, " ") // of an interval
		if f, err := strconv.ParseFloat(amount, 64); err == nil && len(t.numbers) < 40 {
			t.numbers = append(t.numbers, f)
			if k := int(f); float64(k) == f && k >= 0 && k <= 45 {
				t.counts = append(t.counts, k, k+1)
			}
		}
		if d := parseDay(l.Text); d.kind == isDate && len(t.days) < 40 {
			t.days = append(t.days, int64(d.f))
		}
	})
	eachOf(specs, func(s plan.Scan) { t.mark(s.Sub) })
	eachOf(specs, func(e plan.Expr) { t.mark(e.Sub) })
	for i := range schema.Lists {
		t.lists[schema.Lists[i].Name] = &schema.Lists[i]
	}
	return t
}

// mark notes which SELECTs have window functions.
func (t *text) mark(r *plan.Relation) {
	if r == nil {
		return
	}
	for i := range r.Union {
		t.mark(&r.Union[i])
	}
	has := r.Qualify != nil
	for i := range r.Columns {
		has = has || windowed(&r.Columns[i].Expr)
	}
	t.windows[r] = has
}

func windowed(e *plan.Expr) bool {
	if e.Op == plan.ExprWindow {
		return true
	}
	for i := range e.Args {
		if windowed(&e.Args[i]) {
			return true
		}
	}
	return false
}

// listed says whether a code list holds a code.
func (t *text) listed(list, code string) bool {
	l := t.lists[list]
	if l == nil {
		return false
	}
	for _, m := range l.Members {
		if prefix, ok := strings.CutSuffix(m, "%"); m == code || ok && strings.HasPrefix(code, prefix) {
			return true
		}
	}
	return false
}

// eachOf visits every value of one type inside another.
func eachOf[T any](v reflect.Value, visit func(T)) {
	if !v.IsValid() {
		return
	}
	if x, ok := v.Interface().(T); ok {
		visit(x)
	}
	switch v.Kind() {
	case reflect.Pointer:
		eachOf(v.Elem(), visit)
	case reflect.Slice:
		for i := range v.Len() {
			eachOf(v.Index(i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachOf(v.Field(i), visit)
			}
		}
	default: // holds nothing further
	}
}
