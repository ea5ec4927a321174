package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"carrel/anonymize/dp"
	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/policies"
	"carrel/policy"
	"carrel/policy/opa"
	"carrel/sandbox"
)

func (a *app) sqlCommand() *cobra.Command {
	return a.group("sql", "SQL: what can be answered, without a service and without data", a.sqlCheck())
}

// asked is one line that `sql check` reads.
type asked struct {
	ID  string `json:"id"`
	SQL string `json:"sql"`
}

// verdict is one line that it writes.
type verdict struct {
	ID            string               `json:"id"`
	Verdict       string               `json:"verdict"` // accept or refuse
	Code          string               `json:"code,omitempty"`
	Message       string               `json:"message,omitempty"`
	Line          int                  `json:"line,omitempty"`
	Column        int                  `json:"column,omitempty"`
	Suggestion    string               `json:"suggestion,omitempty"` // a text that would be accepted where there is one, else advice
	Cost          *dp.Cost             `json:"cost,omitempty"`
	ExpectedError []plan.ExpectedError `json:"expected_error,omitempty"`
	GeneratedSQL  string               `json:"generated_sql,omitempty"`
}

// checker judges privacy alone: parser, binder, planner and price, as the service has them.
type checker struct {
	pool                            *sandbox.Pool
	schema                          *plan.Schema
	epsilon, rootDelta, selectDelta float64
	draws                           int64
	lang                            string
}

func (a *app) sqlCheck() *cobra.Command {
	var in struct {
		catalogue, sandbox string
		persons            int64
		epsilon            float64
	}
	cmd := &cobra.Command{
		Use: "check [FILE]", Short: "Say of each question whether it can be answered, at what cost and with what error",
		Long: `Say of each question whether it can be answered privately, at what cost and with what error. Reads lines
{"id","sql"} from FILE or standard input and writes a line each: {"id","verdict":"accept"|"refuse","code","message",
"line","column","suggestion","cost","expected_error","generated_sql"}. Of a text that is cut into several measure steps the
cost is that of all, and each expected error has its "step", from 1 as the text has them; "measure" counts from 0 in the
step. It judges privacy alone, not who may ask; it needs neither a service nor data.`,
		Example: `  echo '{"id":"1","sql":"SELECT department, count(*) FROM encounter GROUP BY department"}' | carrel sql check`,
		Args:    a.upTo(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("epsilon") && !(in.epsilon >= dp.MinEpsilon && in.epsilon <= dp.MaxEpsilon) { // NaN is neither
				return a.usage("--epsilon 应为 %g 到 %g 之间的数", "--epsilon is a number from %g to %g", float64(dp.MinEpsilon), float64(dp.MaxEpsilon))
			}
			d, err := entryFor(in.catalogue, jinhe.Dataset)
			if err != nil {
				return err
			}
			c, err := a.newChecker(cmd.Context(), d, in.persons, in.sandbox)
			if err != nil {
				return err
			}
			defer func() { _ = c.pool.Close() }()
			if cmd.Flags().Changed("epsilon") {
				c.epsilon = in.epsilon
			}
			source := io.Reader(os.Stdin)
			if len(args) == 1 && args[0] != "-" {
				f, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer func() { _ = f.Close() }()
				source = f
			}
			return a.checkLines(cmd.Context(), c, source)
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.catalogue, "catalogue", "", "catalogue entry of the dataset (default: Jinhe's)")
	f.StringVar(&in.sandbox, "sandbox", a.env["CARREL_SANDBOX"], "path of carrel-sandbox (default: beside carrel)")
	f.Int64Var(&in.persons, "persons", 200_000, "persons in the register")
	f.Float64Var(&in.epsilon, "epsilon", 0, "epsilon of a question (default: the service's)")
	return cmd
}

func (a *app) newChecker(ctx context.Context, d *catalogue.Dataset, persons int64, binary string) (*checker, error) {
	schema, err := d.Schema(persons)
	if err != nil {
		return nil, err
	}
	rules, err := opa.New(policies.FS())
	if err != nil {
		return nil, err
	}
	defaults, err := policy.ReadDefaults(ctx, rules)
	if err != nil {
		return nil, err
	}
	if binary == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		binary = filepath.Join(filepath.Dir(self), "carrel-sandbox")
	}
	pool, err := sandbox.New(ctx, sandbox.Config{Binary: binary})
	if err != nil {
		return nil, err
	}
	c := &checker{pool: pool, schema: schema, lang: a.language(), draws: defaults.Query.Draws,
		epsilon: defaults.Query.Epsilon, rootDelta: defaults.Universe.Delta, selectDelta: defaults.Selection.Delta}
	return c, nil
}

func (a *app) checkLines(ctx context.Context, c *checker, source io.Reader) error {
	lines := bufio.NewScanner(source)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(a.out)
	out.SetEscapeHTML(false)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var q asked
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			return a.usage("第 %d 行不是 {\"id\",\"sql\"} 形式的 JSON", "line %d is not JSON of the form {\"id\",\"sql\"}", n)
		}
		v, err := c.judge(ctx, q)
		if err != nil {
			return err
		}
		if err := out.Encode(v); err != nil {
			return err
		}
	}
	return lines.Err()
}

// judge gives one verdict; an error is a fault of the parser's child, not of the question.
func (c *checker) judge(ctx context.Context, q asked) (verdict, error) {
	p, err := job.Understand(ctx, c.pool, c.schema, q.SQL, plan.Options{MaxDraws: c.draws})
	var r *plan.Refusal
	if errors.As(err, &r) {
		return c.refused(q, r), nil
	}
	if err != nil {
		return verdict{}, err
	}
	list, err := dp.Design(dp.ZCDP, c.epsilon, c.rootDelta, c.selectDelta, p.Wants())
	if err != nil {
		return c.refused(q, plan.Refuse("sum-too-large", q.SQL, 0)), nil //nolint:nilerr // so much noise that it could not be drawn exactly is a verdict
	}
	cost, err := dp.Price(dp.ZCDP, c.rootDelta, list)
	if err != nil {
		return verdict{}, err
	}
	return verdict{ID: q.ID, Verdict: "accept", Cost: &cost, ExpectedError: p.ExpectedErrors(list), GeneratedSQL: p.SQL()}, nil
}

func (c *checker) refused(q asked, r *plan.Refusal) verdict {
	v := verdict{ID: q.ID, Verdict: "refuse", Code: r.Code, Message: r.Message.In(c.lang), Line: r.Line, Column: r.Column, Suggestion: r.Advice.In(c.lang)}
	if r.Words != "" {
		v.Message += ": " + r.Words
	}
	if r.Suggestion != "" {
		v.Suggestion = r.Suggestion
	}
	if r.Rewrite != "" {
		v.Suggestion = r.Rewrite
	}
	return v
}
