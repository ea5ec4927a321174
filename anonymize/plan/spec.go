package plan

// Spec is what a researcher wishes, as the binder understood it. It is untrusted: Build checks every name, kind and
// reference again, and a Spec made by hand is as safe as one made by the binder.
type Spec struct {
	SQL    string // the text, used for positions in refusals and for nothing else
	Scans  []Scan
	Joins  []Join // Joins[i] brings Scans[i+1] to what stands before it; len(Scans)-1 of them
	Where  *Pred  // nil: all rows
	Keys   []KeySpec
	Wanted []MeasureSpec
	Output []OutputSpec
	Order  []OrderSpec
	Limit  int64 // -1: all
	Skip   int64
}

// Scan is one occurrence of a table.
type Scan struct {
	Table  string // name in the schema
	Alias  string // the researcher's name for it, may be ""
	Offset int
}

// JoinKind is the kind of a join. The zero value is refused.
type JoinKind uint8

// The joins that have a stability bound here.
const (
	_ JoinKind = iota
	JoinInner
	JoinLeft
)

// Join brings one more scan. On is a conjunction of equalities.
type Join struct {
	Kind   JoinKind
	On     []Equality
	Offset int
}

// Equality equates two columns.
type Equality struct {
	Left, Right ColRef
	Offset      int
}

// ColRef names a column of a scan by the scan's index and the column's name in the schema.
type ColRef struct {
	Scan   int
	Column string
	Offset int
}

// PredOp is the kind of a predicate. The zero value is refused.
type PredOp uint8

// The predicates. Their truth is SQL's: true, false or NULL.
const (
	_           PredOp = iota
	PredAnd            // Args
	PredOr             // Args
	PredNot            // Args[0]
	PredCompare        // Left Cmp Values[0]
	PredColumns        // Left Cmp Right
	PredIn             // Left IN Values
	PredBetween        // Left BETWEEN Values[0] AND Values[1]
	PredLike           // Left LIKE Values[0]
	PredILike          // Left ILIKE Values[0]
	PredIsNull         // Left IS NULL
	PredConst          // Values[0] as a truth value: LitBool or LitNull
)

// Cmp is a comparison. The zero value is refused.
type Cmp uint8

// The comparisons.
const (
	_ Cmp = iota
	CmpEq
	CmpNe
	CmpLt
	CmpLe
	CmpGt
	CmpGe
)

// Pred is one node of a predicate; which fields count depends on Op.
type Pred struct {
	Op     PredOp
	Args   []Pred
	Left   ColRef
	Cmp    Cmp
	Right  ColRef
	Values []Literal
	Offset int
}

// LitKind is the kind of a literal. The zero value is refused.
type LitKind uint8

// The literals.
const (
	_         LitKind = iota
	LitNull           // NULL
	LitString         // Text as written between quotes
	LitNumber         // Text is a decimal number, with or without exponent
	LitDate           // Text is YYYY-MM-DD
	LitBool           // Text is "true" or "false"
)

// Literal is a constant of the query text. Its bytes never reach the engine: the planner turns it into stored integers.
type Literal struct {
	Kind   LitKind
	Text   string
	Offset int
}

// KeySpec is one GROUP BY column.
type KeySpec struct {
	Col    ColRef
	Offset int
}

// MeasureKind is the kind of a measure. The zero value is refused.
type MeasureKind uint8

// The measures.
const (
	_            MeasureKind = iota
	CountRows                // COUNT(*)
	CountColumn              // COUNT(x): rows where x is not NULL
	CountPersons             // COUNT(DISTINCT unit)
	Sum                      // SUM(x)
	Avg                      // AVG(x)
)

// MeasureSpec is one aggregate of the query.
type MeasureSpec struct {
	Kind   MeasureKind
	Col    ColRef // not for CountRows
	Offset int
}

// OutOp is the kind of an output expression. The zero value is refused.
type OutOp uint8

// The output expressions: arithmetic over noised measures, keys and numbers.
const (
	_          OutOp = iota
	OutKey           // Spec.Keys[Index]
	OutMeasure       // Spec.Wanted[Index]
	OutNumber        // Number
	OutAdd           // Args[0] + Args[1]
	OutSub           // Args[0] - Args[1]
	OutMul           // Args[0] * Args[1]
	OutDiv           // Args[0] / Args[1], of real numbers
	OutNeg           // - Args[0]
	OutRound         // Args[0] rounded to Digits decimals
)

// OutExpr is an expression over what has been noised; it costs nothing.
type OutExpr struct {
	Op     OutOp
	Index  int
	Number Literal
	Args   []OutExpr
	Digits int
	Offset int
}

// OutputSpec is one column of the answer.
type OutputSpec struct {
	Name string // the alias or the name that SQL would give
	Expr OutExpr
}

// OrderSpec is one ORDER BY item.
type OrderSpec struct {
	Expr       OutExpr
	Descending bool
	NullsFirst bool
}
