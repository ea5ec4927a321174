package result_test

import (
	"errors"
	"testing"

	"carrel/anonymize/plan"
	"carrel/anonymize/result"
)

// TestJointly: of several intervals that are to hold together each misses with its share, so it is as wide as that of a sum of as many numbers.
func TestJointly(t *testing.T) {
	t.Parallel()
	sum := plan.OutExpr{Op: plan.OutAdd, Args: []plan.OutExpr{measure(0), measure(0)}}
	p := query(t, func(s *plan.Spec) {
		s.Output = []plan.OutputSpec{out("n", measure(0)), out("twice", sum)}
	})
	var widths []float64
	for _, together := range []int{0, 1, 2, 3} {
		r, err := result.Jointly(together, p, standard(p), result.Raw)
		if err != nil {
			t.Fatal(err)
		}
		c := r.Rows[2][0]
		widths = append(widths, *c.Hi-*c.Lo)
	}
	if widths[0] != widths[1] || widths[1] >= widths[2] || widths[2] >= widths[3] {
		t.Errorf("%v", widths)
	}
}

// TestStepOf: a step's rows are as its types say, with the ends that are asked for behind them.
func TestStepOf(t *testing.T) {
	t.Parallel()
	p := query(t, nil)
	ends := []plan.Ends{{Column: 1, Parts: 1, Low: "lo", High: "hi"}, {Column: 1, Parts: 4, Low: "lo4", High: "hi4"}}
	s, err := result.StepOf(p, standard(p), ends, result.Agreeing)
	if err != nil {
		t.Fatal(err)
	}
	own, err := result.Table(p, standard(p))
	if err != nil {
		t.Fatal(err)
	}
	n := len(own.Columns)
	if len(s.Types) != n+4 || len(s.Rows) != len(own.Rows) || s.Types[0].Type != "VARCHAR" || s.Types[1].Type != "DOUBLE" || s.Types[n] != (result.Typed{Name: "lo", Type: "DOUBLE"}) {
		t.Fatalf("%+v", s.Types)
	}
	for i, row := range s.Rows {
		v := row[1].(float64)
		if row[0] != own.Rows[i][0].Value || v != own.Rows[i][1].Value || row[n].(float64) > v || row[n+1].(float64) < v ||
			row[n+2].(float64) > row[n].(float64) || row[n+3].(float64) < row[n+1].(float64) {
			t.Errorf("%v, by itself %v", row, own.Rows[i])
		}
	}
}

// TestViewed: pairs of ends leave the answer's columns and become intervals; ends that do not hold their number are no interval.
func TestViewed(t *testing.T) {
	t.Parallel()
	columns := []result.Typed{{Name: "k", Type: "VARCHAR"}, {Name: "n", Type: "DOUBLE"}, {Name: "yes", Type: "BOOLEAN"}, {Name: "carrel_end_1", Type: "DOUBLE"}, {Name: "carrel_end_2", Type: "DOUBLE"}}
	rows := [][]any{{"a", 3.0, true, 2.0, 4.0}, {nil, 3.0, nil, nil, 4.0}, {"c", 3.0, false, 3.5, 2.5}, {"d", nil, true, 1.0, 2.0}}
	r, err := result.Viewed(columns, rows, []int{1})
	if err != nil || len(r.Columns) != 3 || len(r.Rows) != 4 {
		t.Fatalf("%v %+v", err, r)
	}
	if r.Columns[1].Interval != result.IntervalNoise || r.Columns[0].Interval != result.IntervalNone || r.Columns[0].Kind != "key" || r.Columns[2].Kind != "key" {
		t.Errorf("%+v", r.Columns)
	}
	c := []result.Cell{r.Rows[0][1], r.Rows[1][1], r.Rows[2][1], r.Rows[3][1]}
	if *c[0].Lo != 2 || *c[0].Hi != 4 || c[1].Lo != nil || *c[1].Hi != 4 || c[2].Lo != nil || c[2].Hi != nil || c[3].Lo != nil || c[3].Value != nil {
		t.Errorf("%+v", c)
	}
	for _, intervals := range [][]int{{0, 1}, {3}, {0, 0, 0}} {
		if _, err := result.Viewed(columns, rows, intervals); !errors.Is(err, result.ErrMismatch) {
			t.Errorf("%v: %v", intervals, err)
		}
	}
}
