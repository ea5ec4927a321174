package policy

import (
	"errors"
	"fmt"
	"slices"
)

// ErrCondition says that a condition cannot be evaluated: unknown operator or field, or values of different types. The
// row is then not admitted, and neither is any other: the caller stops.
var ErrCondition = errors.New("policy: condition cannot be evaluated")

// Scope says which rows and columns of a table may leave. The zero Scope denies, like Deny; exactly one of Deny, All
// and Cond is set in a scope that a Decider made. "No condition" is never read as "no rows" or "all rows": the two are
// named, because partial evaluation tells them apart only by nil against empty.
type Scope struct {
	Deny bool       `json:"deny"`
	All  bool       `json:"all"`
	Cond *Condition `json:"cond,omitempty"`

	// Linked narrows All: the rows of exactly those persons who have a row in another table's scope.
	Linked bool `json:"linked"`
	// Columns may leave; without them nothing leaves. Deny leaves them empty.
	Columns []string `json:"columns"`

	Reasons     []Reason `json:"reasons"`
	WouldChange []Change `json:"would_change,omitempty"`
	Bundle      string   `json:"bundle"`
	Input       string   `json:"input"`
}

// Admits reports whether the row may leave by the row filter. A Scope of a Linked table admits every row here; its
// persons are the caller's to check.
func (s Scope) Admits(row Row) (bool, error) {
	switch {
	case s.Deny:
		return false, nil
	case s.All && s.Cond == nil:
		return true, nil
	case s.Cond != nil && !s.All:
		return s.Cond.Holds(row)
	default:
		return false, nil
	}
}

// Op is an operator of a condition.
type Op string

// The operators. And, Or and Not combine Sub; the others compare the field with Value, In with Values.
const (
	And Op = "and"
	Or  Op = "or"
	Not Op = "not"
	Eq  Op = "eq"
	Ne  Op = "ne"
	Lt  Op = "lt"
	Le  Op = "le"
	Gt  Op = "gt"
	Ge  Op = "ge"
	In  Op = "in"
)

// Condition is a filter over one row.
type Condition struct {
	Op     Op          `json:"op"`
	Sub    []Condition `json:"sub,omitempty"`
	Field  string      `json:"field,omitempty"` // column name without the table
	Value  *Value      `json:"value,omitempty"`
	Values []Value     `json:"values,omitempty"`
}

// Kind is the type of a value.
type Kind uint8

// The kinds. The zero kind is invalid, so a value that nobody set compares with nothing.
const (
	KindInvalid Kind = iota
	KindNull
	KindString
	KindInt
	KindBool
)

// Value is a typed value of a row or a condition.
type Value struct {
	Kind   Kind   `json:"kind"`
	String string `json:"string,omitempty"`
	Int    int64  `json:"int,omitempty"`
	Bool   bool   `json:"bool,omitempty"`
}

// StringValue, IntValue, BoolValue and NullValue make values.
func StringValue(s string) Value { return Value{Kind: KindString, String: s} }

// IntValue is a whole number.
func IntValue(i int64) Value { return Value{Kind: KindInt, Int: i} }

// BoolValue is true or false.
func BoolValue(b bool) Value { return Value{Kind: KindBool, Bool: b} }

// NullValue is the missing value.
func NullValue() Value { return Value{Kind: KindNull} }

// Row gives the value of a column; false when the table has no such column.
type Row func(field string) (Value, bool)

// truth is the three-valued logic of SQL: what compares with NULL is unknown, and only true admits a row. Without it
// "not" over a missing value would let the row out.
type truth uint8

const (
	isFalse truth = iota
	isUnknown
	isTrue
)

// Holds reports whether the condition is true (not false, not unknown) of the row.
func (c *Condition) Holds(row Row) (bool, error) {
	if err := c.Valid(); err != nil {
		return false, err
	}
	t, err := c.eval(row)
	return err == nil && t == isTrue, err
}

func (c *Condition) eval(row Row) (truth, error) {
	switch c.Op {
	case And, Or:
		return c.combine(row)
	case Not:
		t, err := c.Sub[0].eval(row)
		return isTrue - t, err
	default: // a comparison
	}
	v, ok := row(c.Field)
	if !ok {
		return isFalse, fmt.Errorf("%w: no field %q", ErrCondition, c.Field)
	}
	if c.Op != In {
		return compare(c.Op, v, *c.Value)
	}
	// All members are compared even after a hit: a member of the wrong type is an error of the rules, not luck.
	best := isFalse
	for _, m := range c.Values {
		t, err := compare(Eq, v, m)
		if err != nil {
			return isFalse, err
		}
		best = max(best, t)
	}
	return best, nil
}

// combine evaluates every part, so that an error hides behind no shortcut.
func (c *Condition) combine(row Row) (truth, error) {
	parts := make([]truth, 0, len(c.Sub))
	for i := range c.Sub {
		t, err := c.Sub[i].eval(row)
		if err != nil {
			return isFalse, err
		}
		parts = append(parts, t)
	}
	if c.Op == And {
		return slices.Min(parts), nil
	}
	return slices.Max(parts), nil
}

func compare(op Op, a, b Value) (truth, error) {
	if a.Kind == KindInvalid || b.Kind == KindInvalid {
		return isFalse, fmt.Errorf("%w: a value without a type", ErrCondition)
	}
	if a.Kind == KindNull || b.Kind == KindNull {
		return isUnknown, nil
	}
	if a.Kind != b.Kind {
		return isFalse, fmt.Errorf("%w: values of two types", ErrCondition)
	}
	var order int
	switch a.Kind {
	case KindString:
		order = cmpOf(a.String < b.String, a.String == b.String)
	case KindInt:
		order = cmpOf(a.Int < b.Int, a.Int == b.Int)
	case KindBool:
		if op != Eq && op != Ne {
			return isFalse, fmt.Errorf("%w: booleans have no order", ErrCondition)
		}
		order = cmpOf(false, a.Bool == b.Bool)
	default:
		return isFalse, fmt.Errorf("%w: unknown type", ErrCondition)
	}
	return decide(op, order)
}

func cmpOf(less, equal bool) int {
	switch {
	case equal:
		return 0
	case less:
		return -1
	default:
		return 1
	}
}

func decide(op Op, order int) (truth, error) {
	var yes bool
	switch op {
	case Eq:
		yes = order == 0
	case Ne:
		yes = order != 0
	case Lt:
		yes = order < 0
	case Le:
		yes = order <= 0
	case Gt:
		yes = order > 0
	case Ge:
		yes = order >= 0
	default:
		return isFalse, fmt.Errorf("%w: operator %q", ErrCondition, op)
	}
	if yes {
		return isTrue, nil
	}
	return isFalse, nil
}

// maxDepth bounds nesting; rules make trees of depth three or four.
const maxDepth = 32

// Valid reports whether the tree is well formed: known operators, parts where parts belong, values with types.
func (c *Condition) Valid() error { return c.valid(0) }

func (c *Condition) valid(depth int) error {
	if c == nil || depth > maxDepth {
		return fmt.Errorf("%w: missing or nested too deep", ErrCondition)
	}
	switch c.Op {
	case And, Or, Not:
		return c.validCompound(depth)
	case In:
		if c.Field == "" || c.Value != nil || len(c.Sub) != 0 || len(c.Values) == 0 {
			return fmt.Errorf("%w: malformed %q", ErrCondition, c.Op)
		}
		for _, v := range c.Values {
			if v.Kind == KindInvalid || v.Kind == KindNull {
				return fmt.Errorf("%w: list with a missing value", ErrCondition)
			}
		}
		return nil
	case Eq, Ne, Lt, Le, Gt, Ge:
		if c.Field == "" || c.Value == nil || len(c.Values) != 0 || len(c.Sub) != 0 || c.Value.Kind == KindInvalid {
			return fmt.Errorf("%w: malformed %q", ErrCondition, c.Op)
		}
		return nil
	default:
		return fmt.Errorf("%w: operator %q", ErrCondition, c.Op)
	}
}

func (c *Condition) validCompound(depth int) error {
	if len(c.Sub) == 0 || (c.Op == Not && len(c.Sub) != 1) || c.Field != "" || c.Value != nil || len(c.Values) != 0 {
		return fmt.Errorf("%w: malformed %q", ErrCondition, c.Op)
	}
	for i := range c.Sub {
		if err := c.Sub[i].valid(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// Fields lists the columns that the condition reads, sorted and without repetition.
func (c *Condition) Fields() []string {
	if c == nil {
		return nil
	}
	out := []string{}
	if c.Field != "" {
		out = append(out, c.Field)
	}
	for i := range c.Sub {
		out = append(out, c.Sub[i].Fields()...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
