package policy

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func row(m map[string]Value) Row {
	return func(f string) (Value, bool) { v, ok := m[f]; return v, ok }
}

func cmpCond(op Op, field string, v Value) Condition {
	return Condition{Op: op, Field: field, Value: &v}
}

func TestConditionHolds(t *testing.T) {
	t.Parallel()
	r := row(map[string]Value{"s": StringValue("b"), "i": IntValue(5), "b": BoolValue(true), "n": NullValue()})
	s := func(op Op, v string) Condition { return cmpCond(op, "s", StringValue(v)) }
	i := func(op Op, v int64) Condition { return cmpCond(op, "i", IntValue(v)) }
	null := cmpCond(Eq, "n", IntValue(1))
	yes, no := i(Eq, 5), i(Eq, 6)
	for name, c := range map[string]struct {
		cond Condition
		want bool
	}{
		"eq":                     {s(Eq, "b"), true},
		"eq not":                 {s(Eq, "B"), false},
		"ne":                     {s(Ne, "a"), true},
		"lt":                     {i(Lt, 6), true},
		"lt equal":               {i(Lt, 5), false},
		"le equal":               {i(Le, 5), true},
		"gt":                     {i(Gt, 4), true},
		"gt equal":               {i(Gt, 5), false},
		"ge equal":               {i(Ge, 5), true},
		"ge less":                {i(Ge, 6), false},
		"strings by bytes":       {s(Gt, "a"), true},
		"bool":                   {cmpCond(Eq, "b", BoolValue(true)), true},
		"in":                     {Condition{Op: In, Field: "s", Values: []Value{StringValue("a"), StringValue("b")}}, true},
		"in not":                 {Condition{Op: In, Field: "s", Values: []Value{StringValue("a")}}, false},
		"null is not equal":      {null, false},
		"null is not unequal":    {cmpCond(Ne, "n", IntValue(1)), false},
		"null is in nothing":     {Condition{Op: In, Field: "n", Values: []Value{IntValue(1)}}, false},
		"not null is unknown":    {Condition{Op: Not, Sub: []Condition{null}}, false},
		"unknown or true":        {Condition{Op: Or, Sub: []Condition{null, yes}}, true},
		"unknown or false":       {Condition{Op: Or, Sub: []Condition{null, no}}, false},
		"unknown and true":       {Condition{Op: And, Sub: []Condition{null, yes}}, false},
		"not (unknown and no)":   {Condition{Op: Not, Sub: []Condition{{Op: And, Sub: []Condition{null, no}}}}, true},
		"not (unknown and true)": {Condition{Op: Not, Sub: []Condition{{Op: And, Sub: []Condition{null, yes}}}}, false},
		"not":                    {Condition{Op: Not, Sub: []Condition{no}}, true},
		"and":                    {Condition{Op: And, Sub: []Condition{yes, s(Eq, "b")}}, true},
	} {
		if got, err := c.cond.Holds(r); err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

func TestConditionErrorsAdmitNothing(t *testing.T) {
	t.Parallel()
	r := row(map[string]Value{"s": StringValue("b"), "i": IntValue(5), "b": BoolValue(true), "x": {}})
	yes := cmpCond(Eq, "i", IntValue(5))
	deep := yes
	for range 40 {
		deep = Condition{Op: Not, Sub: []Condition{deep}}
	}
	for name, c := range map[string]Condition{
		"zero":                       {},
		"unknown operator":           cmpCond("like", "s", StringValue("b")),
		"unknown field":              cmpCond(Eq, "nosuch", StringValue("b")),
		"two types":                  cmpCond(Eq, "s", IntValue(5)),
		"unequal types":              cmpCond(Ne, "s", IntValue(5)),
		"a type nobody set":          cmpCond(Eq, "x", IntValue(5)),
		"a value nobody set":         cmpCond(Eq, "i", Value{}),
		"no value":                   {Op: Eq, Field: "i"},
		"no field":                   cmpCond(Eq, "", IntValue(5)),
		"order of booleans":          cmpCond(Lt, "b", BoolValue(true)),
		"in nothing":                 {Op: In, Field: "i"},
		"in with null":               {Op: In, Field: "i", Values: []Value{IntValue(5), NullValue()}},
		"in of two types":            {Op: In, Field: "i", Values: []Value{IntValue(5), StringValue("5")}},
		"empty and":                  {Op: And},
		"empty or":                   {Op: Or},
		"not of two":                 {Op: Not, Sub: []Condition{yes, yes}},
		"a compound with a field":    {Op: And, Field: "i", Sub: []Condition{yes}},
		"a comparison with parts":    {Op: Eq, Field: "i", Value: yes.Value, Sub: []Condition{yes}},
		"an error behind a shortcut": {Op: Or, Sub: []Condition{yes, cmpCond(Eq, "nosuch", IntValue(1))}},
		"deep":                       deep,
	} {
		if got, err := c.Holds(r); got || !errors.Is(err, ErrCondition) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if got, err := (*Condition)(nil).Holds(r); got || err == nil {
		t.Errorf("nil: %v, %v", got, err)
	}
}

func TestZeroScopeDenies(t *testing.T) {
	t.Parallel()
	yes := cmpCond(Eq, "i", IntValue(5))
	r := row(map[string]Value{"i": IntValue(5)})
	for name, c := range map[string]struct {
		s    Scope
		want bool
	}{
		"zero":           {Scope{}, false},
		"deny":           {Scope{Deny: true}, false},
		"all":            {Scope{All: true}, true},
		"condition":      {Scope{Cond: &yes}, true},
		"deny and all":   {Scope{Deny: true, All: true}, false},
		"deny and cond":  {Scope{Deny: true, Cond: &yes}, false},
		"all and cond":   {Scope{All: true, Cond: &yes}, false},
		"linked is none": {Scope{Linked: true}, false},
	} {
		if got, err := c.s.Admits(r); err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if d := (Decision{}); d.Allow {
		t.Error("the zero decision allows")
	}
}

func conditions() *rapid.Generator[Condition] {
	value := rapid.Custom(func(t *rapid.T) Value {
		return rapid.SampledFrom([]Value{{}, NullValue(), IntValue(1), IntValue(2), StringValue("a"), BoolValue(true)}).Draw(t, "value")
	})
	var tree func(depth int) *rapid.Generator[Condition]
	tree = func(depth int) *rapid.Generator[Condition] {
		return rapid.Custom(func(t *rapid.T) Condition {
			ops := []Op{Eq, Ne, Lt, Le, Gt, Ge, In}
			if depth > 0 {
				ops = append(ops, And, Or, Not)
			}
			c := Condition{Op: rapid.SampledFrom(ops).Draw(t, "op")}
			switch c.Op {
			case And, Or:
				c.Sub = rapid.SliceOfN(tree(depth-1), 1, 3).Draw(t, "sub")
			case Not:
				c.Sub = []Condition{tree(depth-1).Draw(t, "sub")}
			case In:
				c.Field, c.Values = "f", rapid.SliceOfN(value, 0, 3).Draw(t, "values")
			default:
				v := value.Draw(t, "value")
				c.Field, c.Value = "f", &v
			}
			return c
		})
	}
	return tree(3)
}

// TestConditionAndItsNegation: a row is never admitted by a condition and by its negation, and a row whose value is
// missing is admitted by no single comparison nor its negation.
func TestConditionAndItsNegation(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := conditions().Draw(t, "condition")
		v := rapid.SampledFrom([]Value{NullValue(), IntValue(1), IntValue(2), StringValue("a")}).Draw(t, "value")
		r := row(map[string]Value{"f": v})
		yes, err := c.Holds(r)
		not := Condition{Op: Not, Sub: []Condition{c}}
		no, nerr := not.Holds(r)
		if (err == nil) != (nerr == nil) {
			t.Fatalf("one is an error: %v, %v", err, nerr)
		}
		if yes && no {
			t.Fatal("both hold")
		}
		if err != nil && (yes || no) {
			t.Fatal("an error admits")
		}
		if v.Kind == KindNull && len(c.Sub) == 0 && (yes || no) {
			t.Fatal("a missing value is admitted")
		}
		raw, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back Condition
		if err := json.Unmarshal(raw, &back); err != nil {
			t.Fatal(err)
		}
		again, err2 := back.Holds(r)
		if again != yes || (err2 == nil) != (nerr == nil) {
			t.Fatal("JSON changes the condition")
		}
	})
}

func FuzzConditionJSON(f *testing.F) {
	f.Add(`{"op":"and","sub":[{"op":"in","field":"f","values":[{"kind":2,"string":"a"}]}]}`)
	f.Add(`{"op":"not","sub":[{"op":"eq","field":"f","value":{"kind":1}}]}`)
	f.Fuzz(func(t *testing.T, s string) {
		var c Condition
		if json.Unmarshal([]byte(s), &c) != nil {
			return
		}
		got, err := c.Holds(row(map[string]Value{"f": StringValue("a")}))
		if err != nil && got {
			t.Fatal("an error admits")
		}
		if c.Valid() != nil && err == nil {
			t.Fatal("an ill-formed condition was evaluated")
		}
	})
}

func TestMomentIsChinas(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 16, 30, 0, 0, time.UTC)
	if At(at) != "2026-11-21T00:30:00+08:00" || DateOf(at) != "2026-11-21" {
		t.Errorf("%s %s", At(at), DateOf(at))
	}
	if err := At(at).valid(); err != nil {
		t.Error(err)
	}
	for _, m := range []Moment{"", "2026-11-21", "2026-11-21T00:30:00Z", "2026-11-21T00:30:00+09:00", "2026-11-21T00:30:00.5+08:00", "2026-13-21T00:30:00+08:00"} {
		if m.valid() == nil {
			t.Errorf("%q is valid", m)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "a"), 0)
		b := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "b"), 0)
		if (At(a) < At(b)) != a.Before(b) {
			t.Fatal("moments do not compare as strings")
		}
		if string(At(a))[:10] != string(DateOf(a)) {
			t.Fatal("the day of a moment is not its date")
		}
	})
}

func TestListsAreNeverNull(t *testing.T) {
	t.Parallel()
	raw, err := json.Marshal(QueryQuestion{})
	if err != nil || strings.Contains(string(raw), "null") {
		t.Errorf("%s, %v", raw, err)
	}
	raw, err = json.Marshal(SubmissionQuestion{Application: Application{Wishes: []Wish{{}}}, Datasets: []Dataset{{Columns: map[string]int{}}}})
	if err != nil || strings.Contains(string(raw), "null") {
		t.Errorf("%s, %v", raw, err)
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	obligations := []Obligation{
		{Kind: ObligeCommand, Value: "review/ethics/approve/", Text: Text{ZH: "审", EN: "review"}},
		{Kind: ObligeCommand, Value: "sign///owner"},
		{Kind: ObligeCommand, Value: "bad"},
		{Kind: ObligeCommand, Value: "///"},
		{Kind: ObligeWarning, Value: "x"},
	}
	got := Decision{Allow: true, Obligations: obligations}.Commands()
	want := []Move{{Command: "review", Review: "ethics", Choice: "approve"}, {Command: "sign", Side: "owner"}}
	if len(got) != 2 || got[0].Move != want[0] || got[1].Move != want[1] || got[0].Label.In("zh") != "审" {
		t.Errorf("%+v", got)
	}
	if got := (Decision{Obligations: obligations}).Commands(); got != nil {
		t.Errorf("a denial offers %+v", got)
	}
	state := []Obligation{{Kind: ObligeState, Value: "approved"}}
	if s, ok := (Decision{Allow: true, Obligations: state}).State(); !ok || s != "approved" {
		t.Error(s, ok)
	}
	if _, ok := (Decision{Obligations: state}).State(); ok {
		t.Error("a denial moves")
	}
	if _, ok := (Decision{Allow: true, Obligations: slices.Repeat(state, 2)}).State(); ok {
		t.Error("two states")
	}
}

func TestQuestionsAreChecked(t *testing.T) {
	t.Parallel()
	at := Moment("2026-11-21T10:00:00+08:00")
	long := strings.Repeat("x", MaxText+1)
	many := make(List[string], MaxItems+1)
	columns := map[string]int{"a.b": 1}
	for name, q := range map[string]Question{
		"route":              RouteQuestion{At: at},
		"action":             AccessQuestion{At: at},
		"moment":             AccessQuestion{Action: "x"},
		"roles of nobody":    AccessQuestion{At: at, Action: "x", Subject: Subject{Roles: []string{"authority"}}},
		"house of nobody":    AccessQuestion{At: at, Action: "x", Subject: Subject{Institution: "c"}},
		"long text":          AccessQuestion{At: at, Action: "x", Object: Object{Owner: long}},
		"long list":          AccessQuestion{At: at, Action: "x", Object: Object{Team: many}},
		"not UTF-8":          AccessQuestion{At: at, Action: "\xff"},
		"date":               SubmissionQuestion{At: at, Application: Application{From: "tomorrow"}},
		"month":              SubmissionQuestion{At: at, Application: Application{Remit: Remit{From: "2024"}}},
		"NaN":                SubmissionQuestion{At: at, Application: Application{Epsilon: math.NaN()}},
		"negative length":    SubmissionQuestion{At: at, Application: Application{Reason: -1}},
		"dataset no fields":  SubmissionQuestion{At: at, Datasets: []Dataset{{ID: "d"}}},
		"dataset no id":      SubmissionQuestion{At: at, Datasets: []Dataset{{Columns: columns}}},
		"field no table":     SubmissionQuestion{At: at, Datasets: []Dataset{{ID: "d", Columns: map[string]int{"b": 1}}}},
		"field no level":     SubmissionQuestion{At: at, Datasets: []Dataset{{ID: "d", Columns: map[string]int{"a.b": 0}}}},
		"field level 6":      SubmissionQuestion{At: at, Datasets: []Dataset{{ID: "d", Columns: map[string]int{"a.b": 6}}}},
		"machine":            TransitionQuestion{At: at, Move: Move{Command: "submit"}},
		"command":            TransitionQuestion{At: at, Machine: "application"},
		"machine of list":    CommandsQuestion{At: at},
		"permit moment":      PermitQuestion{},
		"grant date":         PermitQuestion{At: at, Grant: Grant{To: "2027-02-30"}},
		"infinite epsilon":   QueryQuestion{At: at, Plan: Plan{Epsilon: math.Inf(1)}},
		"negative draws":     QueryQuestion{At: at, Plan: Plan{Draws: -1}},
		"step":               HandoverQuestion{At: at},
		"negative class":     HandoverQuestion{At: at, Step: "pull", Smallest: -1},
		"certificate's date": HandoverQuestion{At: at, Step: "pull", Receiver: Receiver{Expires: "soon"}},
		"table":              ScopeQuestion{At: at},
		"column":             ScopeQuestion{At: at, Table: "t", Columns: []Column{{}}},
		"negative level":     ScopeQuestion{At: at, Table: "t", Columns: []Column{{Name: "c", Level: -1}}},
	} {
		if err := q.Valid(); !errors.Is(err, ErrQuestion) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, q := range map[string]Question{
		"route":      RouteQuestion{At: at, Route: "GET /"},
		"access":     AccessQuestion{At: at, Action: "x", Subject: Subject{Account: "li", Roles: []string{"researcher"}}},
		"submission": SubmissionQuestion{At: at, Datasets: []Dataset{{ID: "d", Columns: columns}}},
		"transition": TransitionQuestion{At: at, Machine: "application", Move: Move{Command: "submit"}},
		"commands":   CommandsQuestion{At: at, Machine: "application"},
		"permit":     PermitQuestion{At: at},
		"query":      QueryQuestion{At: at},
		"handover":   HandoverQuestion{At: at, Step: "pull"},
		"scope":      ScopeQuestion{At: at, Table: "t", Columns: []Column{{Name: "c"}}},
	} {
		if err := q.Valid(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasPrefix(q.Decision(), "carrel.") {
			t.Errorf("%s: %s", name, q.Decision())
		}
	}
}
