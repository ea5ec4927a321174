package plan

// Spec is what a researcher wishes, as the binder understood it: rows, which never leave one person, then one measure step over
// them, then arithmetic over what was noised. It is untrusted: Build checks every name, kind and reference again, and a Spec made
// by hand is as safe as one made by the binder.
type Spec struct {
	SQL string // the text, used for positions in refusals and for nothing else
	From
	Keys   []KeySpec
	Sets   [][]int // GROUPING SETS, as indices into Keys; nil: one set that holds every key
	Wanted []MeasureSpec
	Output []OutputSpec
	Having *OutCond // nil: every noised row
	Order  []OrderSpec
	Limit  int64 // -1: all
	Skip   int64
}

// From is FROM and WHERE.
type From struct {
	Scans []Scan
	Joins []Join // Joins[i] brings Scans[i+1] to what stands before it; len(Scans)-1 of them
	Where *Expr  // nil: all rows
}

// Scan is one occurrence of a table, or of a relation in its place.
type Scan struct {
	Table  string    // name in the schema, "" when Sub is set
	Sub    *Relation // a subquery, a CTE's use or a view of them
	Alias  string    // the researcher's name for it, may be ""
	Offset int
}

// Relation is a SELECT that stays inside one person's rows, or inside public tables. In every expression of it a ColRef with Up 0
// names a scan of the relation itself, with Up 1 one of the SELECT around it (only in subqueries of conditions), and so on.
type Relation struct {
	// Union, when set, are the branches of a UNION ALL, columns by place; then only Distinct (UNION) and Offset count besides.
	Union []Relation
	From
	Grouped    bool // GROUP BY, or aggregates without one
	Group      []Expr
	Having     *Expr
	Columns    []ColumnSpec
	Qualify    *Expr
	Distinct   bool
	DistinctOn []Expr
	Order      []SortSpec // of DISTINCT ON; elsewhere it has no meaning and the binder leaves it out
	Offset     int
}

// ColumnSpec is one column of a relation. Names are folded and unique inside it.
type ColumnSpec struct {
	Name   string
	Expr   Expr
	Offset int
}

// SortSpec is one ORDER BY item inside a window, an aggregate or DISTINCT ON.
type SortSpec struct {
	Expr       Expr
	Descending bool
	NullsFirst bool // as written or by DuckDB's default, which is last
}

// JoinKind is the kind of a join. The zero value is refused.
type JoinKind uint8

// The joins that have a stability bound here.
const (
	_ JoinKind = iota
	JoinInner
	JoinLeft
	JoinAsof     // ASOF JOIN: the nearest row by the one inequality in On
	JoinAsofLeft // ASOF LEFT JOIN
)

// Join brings one more scan. On is a condition over the scans so far and the new one; USING is written out as equalities.
type Join struct {
	Kind   JoinKind
	On     *Expr
	Offset int
}

// ColRef names a column of a scan by the scan's index and the column's name: in the schema, or in the relation's Columns.
type ColRef struct {
	Scan   int
	Column string
	Up     int // SELECTs outwards
	Offset int
}

// Expr makes an expression of a column.
func (c ColRef) Expr() Expr { return Expr{Op: ExprColumn, Col: c, Offset: c.Offset} }

// ExprOp is the kind of an expression. The zero value is refused.
type ExprOp uint8

// The expressions inside one person's rows. Truth is SQL's: true, false or NULL.
const (
	_             ExprOp = iota
	ExprColumn           // Col
	ExprLiteral          // Lit
	ExprAnd              // Args
	ExprOr               // Args
	ExprNot              // Args[0]
	ExprCompare          // Args[0] Cmp Args[1]
	ExprDistinct         // Args[0] IS DISTINCT FROM Args[1]
	ExprBetween          // Args[0] BETWEEN Args[1] AND Args[2]
	ExprIn               // Args[0] IN (Args[1:])
	ExprInSub            // Args[0] IN (Sub), Sub of one column
	ExprExists           // EXISTS (Sub)
	ExprScalar           // (Sub): one column, at most one row a person, the unit equated to the one outside
	ExprIsNull           // Args[0] IS NULL
	ExprLike             // Args[0] LIKE Args[1]
	ExprILike            // Args[0] ILIKE Args[1]
	ExprCase             // CASE WHEN Args[0] THEN Args[1] WHEN Args[2] THEN Args[3] … ELSE Args[last]; the ELSE is always there
	ExprCall             // Name(Args): functions and the operators + - * / // %, and "-" of one argument
	ExprCast             // CAST(Args[0] AS To)
	ExprAggregate        // Name(Args) in a grouped relation
	ExprWindow           // Name(Args) OVER Over
)

// Expr is one node of an expression; which fields count depends on Op.
type Expr struct {
	Op   ExprOp
	Args []Expr
	Col  ColRef
	Lit  Literal
	Cmp  Cmp
	Name string // folded: count_star, count, sum, avg, min, max, row_number, lag, year, date_trunc, …
	To   Cast
	Sub  *Relation
	Over *Window
	// Of an ExprAggregate or ExprWindow.
	IsDistinct  bool
	IgnoreNulls bool // of lag, lead, first_value, last_value and nth_value: rows where Args[0] is NULL do not count
	Filter      *Expr
	Sort        []SortSpec // ORDER BY inside an aggregate's parentheses
	Offset      int
}

// Window is OVER (PARTITION BY … ORDER BY … frame).
type Window struct {
	Partition []Expr
	Order     []SortSpec
	Frame     Frame
}

// Frame is a window's frame. The zero value is SQL's default: RANGE from the start of the partition to the current row's last peer
// when there is an ORDER BY, else the whole partition.
type Frame struct {
	Rows       bool // ROWS; Start and End are numbers of rows
	Range      bool // RANGE with offsets; Start and End are distances in the one ORDER BY item, 0 with all rows that are equal in it
	Days       bool // the distances were written as INTERVAL, in days
	Start, End int64
}

// Ends of a frame: offsets from the current row, or unbounded.
const (
	FrameUnboundedStart int64 = -1 << 31
	FrameUnboundedEnd   int64 = 1 << 31
)

// CastKind is the target of a cast. The zero value is refused.
type CastKind uint8

// The casts.
const (
	_           CastKind = iota
	CastInteger          // any integer type: rounds half away from zero
	CastDecimal          // DECIMAL(p, Scale)
	CastReal             // FLOAT, DOUBLE: fixed point here, see package doc
	CastDate
	CastBoolean
	CastText
)

// Cast is a target type. Try is TRY_CAST.
type Cast struct {
	Kind  CastKind
	Scale int
	// Width is the bits of an integer type, negative for an unsigned one; 0 is 64.
	Width int
	Try   bool
}

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

// LitKind is the kind of a literal. The zero value is refused.
type LitKind uint8

// The literals.
const (
	_           LitKind = iota
	LitNull             // NULL
	LitString           // Text as written between quotes
	LitNumber           // Text is a decimal number, with or without exponent
	LitDate             // Text is YYYY-MM-DD
	LitBool             // Text is "true" or "false"
	LitInterval         // Text is "N day", "N month" or "N year", N an integer; weeks are days, quarters months
)

// Literal is a constant of the query text. Its bytes never reach the engine: the planner turns it into stored integers.
type Literal struct {
	Kind   LitKind
	Text   string
	Offset int
}

// KeySpec is one GROUP BY item of the measure step.
type KeySpec struct {
	Expr   Expr
	Offset int
}

// MeasureKind is the kind of a measure. The zero value is refused.
type MeasureKind uint8

// The measures.
const (
	_             MeasureKind = iota
	CountRows                 // COUNT(*)
	CountColumn               // COUNT(x): rows where x is not NULL
	CountPersons              // COUNT(DISTINCT unit)
	Sum                       // SUM(x)
	Avg                       // AVG(x)
	CountValues               // COUNT(DISTINCT x)
	VarPop                    // VAR_POP(x)
	VarSamp                   // VAR_SAMP(x), VARIANCE(x)
	StddevPop                 // STDDEV_POP(x)
	StddevSamp                // STDDEV_SAMP(x), STDDEV(x)
	CovarPop                  // COVAR_POP(y, x)
	CovarSamp                 // COVAR_SAMP(y, x)
	Corr                      // CORR(y, x)
	RegrSlope                 // REGR_SLOPE(y, x)
	RegrIntercept             // REGR_INTERCEPT(y, x)
	Quantile                  // QUANTILE_CONT(x, Fraction), MEDIAN(x), MIN(x) as 0, MAX(x) as 1
)

// MeasureSpec is one aggregate of the measure step, over the rows where Filter is true.
type MeasureSpec struct {
	Kind     MeasureKind
	Args     []Expr
	Filter   *Expr   // nil: all rows
	Fraction float64 // of a Quantile, 0..1
	Offset   int
}

// OutOp is the kind of an output expression. The zero value is refused.
type OutOp uint8

// The output expressions: arithmetic over noised measures, keys and numbers.
const (
	_           OutOp = iota
	OutKey            // Spec.Keys[Index]
	OutMeasure        // Spec.Wanted[Index]
	OutNumber         // Number
	OutAdd            // Args[0] + Args[1]
	OutSub            // Args[0] - Args[1]
	OutMul            // Args[0] * Args[1]
	OutDiv            // Args[0] / Args[1], of real numbers
	OutNeg            // - Args[0]
	OutRound          // Args[0] rounded to Digits decimals
	OutGrouping       // GROUPING(key): 1 where the set leaves Spec.Keys[Index] out
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

// OutCond is a condition over what has been noised (HAVING); it costs nothing. Exactly one of And, Or, Not and Cmp is set.
type OutCond struct {
	And, Or     []OutCond
	Not         *OutCond
	Cmp         Cmp
	Left, Right OutExpr
	Offset      int
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
