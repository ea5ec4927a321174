package dp

// Accounting names how charges add up. The zero value is refused.
type Accounting string

// The two accountings of a person universe, fixed when its budget is made.
const (
	ZCDP  Accounting = "zcdp"  // concentrated: units are nano-ρ
	Basic Accounting = "basic" // pure composition: units are nano-ε
)

// Kind is a mechanism's kind. The zero value is an error.
type Kind uint8

// The mechanisms.
const (
	_         Kind = iota
	Laplace        // discrete Laplace of Google's library on every cell
	Gaussian       // Google's binomial Gaussian on every cell
	Threshold      // Laplace row counts, cells released above Threshold (private selection)
)

// Want is what a plan needs noised: Cells numbers which together change by at most Sensitivity (L1, and hence L2) when one
// person is deleted. Rows is the row bound m, used by selection.
type Want struct {
	Measure     string // canonical name, e.g. "count(*)", "sum(encounter.total_cost)"
	Sensitivity int64  // m·B in stored integers, 1 ≤ Sensitivity ≤ 2^53
	Rows        int64  // m
	Cells       int64  // draws at most
	Select      bool   // private selection by row count

	// What the shares of the budget go by (shares.go). Groups are those of the grouping set (0: Cells), Levels those of the tree of counts that
	// this is one level of (0: of none). Spare: no number of the answer is made of this one.
	Groups int64 `json:",omitempty"`
	Levels int64 `json:",omitempty"`
	Spare  bool  `json:",omitempty"`
}

// Mechanism is one calibrated mechanism of a fixed list. It is immutable, recorded with the reservation and sampled once.
type Mechanism struct {
	Measure     string  `json:"measure"`
	Kind        Kind    `json:"kind"`
	Sensitivity int64   `json:"sensitivity"`
	Rows        int64   `json:"rows"`
	Cells       int64   `json:"cells"`
	Epsilon     float64 `json:"epsilon"`         // Laplace, Threshold: ε of the whole vector; Gaussian: the library's ε
	Delta       float64 `json:"delta,omitempty"` // Gaussian: the library's δ; Threshold: the δ of selection
	Sigma       float64 `json:"sigma,omitempty"` // Gaussian: the σ that the library uses for (Sensitivity, Epsilon, Delta)
	Cut         int64   `json:"cut,omitempty"`   // Threshold: τ
}

// Cost is what a list costs, in integers, each charge rounded up: Units in nano-ρ or nano-ε, Delta in 2^-60.
type Cost struct {
	Units int64 `json:"units"`
	Delta int64 `json:"delta"`
}
