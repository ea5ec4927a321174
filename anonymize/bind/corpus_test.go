package bind_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"carrel/anonymize/bind"
	"carrel/anonymize/plan"
	"carrel/anonymize/plan/plantest"
)

// corpusLine is one statement with the tree that DuckDB 1.5.5's json_serialize_sql made of it. The sandbox's parser child makes
// the trees again: run each "sql" through it and put what it returns into "ast".
type corpusLine struct {
	SQL  string          `json:"sql"`
	Code string          `json:"code"` // "accept" or the refusal's code
	AST  json.RawMessage `json:"ast"`
	At   string          `json:"at"` // the text at the refusal's position starts so; "" when there is no position to check
}

func corpus(t testing.TB) []corpusLine {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "corpus.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []corpusLine
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<22)
	for s.Scan() {
		var l corpusLine
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		out = append(out, l)
	}
	if s.Err() != nil || len(out) < 200 {
		t.Fatalf("corpus: %d lines, %v", len(out), s.Err())
	}
	return out
}

// city is made once: Build does not change a schema.
var city = sync.OnceValue(plantest.City)

func build(l corpusLine) (*plan.Plan, *plan.Refusal) {
	s := city()
	spec, err := bind.Bind(s, l.AST, l.SQL)
	var p *plan.Plan
	if err == nil {
		p, err = plan.Build(s, spec, plan.Options{})
	}
	if err == nil {
		return p, nil
	}
	var r *plan.Refusal
	if !errors.As(err, &r) {
		r = &plan.Refusal{Code: "not a refusal"}
	}
	return nil, r
}

func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, l := range corpus(t) {
		t.Run(l.SQL, func(t *testing.T) {
			t.Parallel()
			p, r := build(l)
			switch {
			case l.Code == "accept" && r != nil:
				t.Fatalf("refused: %s at %d", r.Error(), r.Offset)
			case l.Code == "accept":
				checkSQL(t, p.SQL())
			case r == nil:
				t.Fatalf("accepted, want %s: %s", l.Code, p.SQL())
			case r.Code != l.Code:
				t.Fatalf("code %s, want %s", r.Code, l.Code)
			default:
				checkRefusal(t, l, r)
			}
		})
	}
}

func checkRefusal(t *testing.T, l corpusLine, r *plan.Refusal) {
	t.Helper()
	for _, s := range []string{r.Message.ZH, r.Message.EN, r.Advice.ZH, r.Advice.EN, r.Class} {
		if s == "" {
			t.Fatalf("%s lacks a sentence", r.Code)
		}
	}
	if l.At == "" {
		return
	}
	if r.Offset < 0 || !strings.HasPrefix(l.SQL[r.Offset:], l.At) {
		t.Fatalf("%s at offset %d, want the place of %q", r.Code, r.Offset, l.At)
	}
	if before := l.SQL[:r.Offset]; r.Line != 1+strings.Count(before, "\n") {
		t.Fatalf("line %d", r.Line)
	}
}

// sqlToken is the whole vocabulary of generated SQL: no word or string of the query's text is in it.
var sqlToken = regexp.MustCompile(`^(?:(?:SELECT|DISTINCT|FROM|WHERE|AND|OR|NOT|AS|INNER|LEFT|ASOF|JOIN|ON|GROUP|BY|HAVING|QUALIFY|ORDER|DESC|NULLS|FIRST|LAST|UNION|ALL|` +
	`IN|IS|NULL|EXISTS|BETWEEN|CASE|WHEN|THEN|ELSE|END|CAST|BIGINT|INTEGER|DOUBLE|DATE|OVER|PARTITION|FILTER|ROWS|RANGE|IGNORE|NULLS|UNBOUNDED|PRECEDING|FOLLOWING|CURRENT|ROW|` +
	`count|sum|min|max|arg_min|arg_max|first|last|coalesce|least|greatest|nullif|round|sqrt|ln|log|log2|exp|row_number|rank|dense_rank|ntile|` +
	`percent_rank|cume_dist|mode|lag|lead|first_value|last_value|nth_value|date_diff|year|month|quarter|day|week|dayofweek|isodow|dayofyear|to_months|[tkcauvwoqrgb][0-9]*(?:_[0-9]+)*)\b|` +
	`(?:"[a-z_][a-z0-9_]*"|'(?:1970-01-01|day)'|-?[0-9]+(?:e[0-9]+)?|<=|>=|<>|//|[-+/=<>().,;*%\[\]]))`)

func checkSQL(t testing.TB, sql string) {
	t.Helper()
	for rest := sql; rest != ""; {
		if rest[0] == ' ' || rest[0] == '\n' {
			rest = rest[1:]
			continue
		}
		m := sqlToken.FindString(rest)
		if m == "" {
			t.Fatalf("generated SQL holds something else at %q", rest)
		}
		rest = rest[len(m):]
	}
}
