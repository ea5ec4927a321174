package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"carrel/anonymize/bind"
	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
	"carrel/broker/dummy"
	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/broker/problem"
)

// dummyIn is what `dummy` is told.
type dummyIn struct {
	catalogue, sandbox, out, sql, format string
	persons                              int
	seed                                 uint64
}

// dummied is what `dummy` prints with --json.
type dummied struct {
	Dataset string           `json:"dataset"`
	Persons int              `json:"persons"`
	Found   *int             `json:"found,omitempty"` // persons for whom the question finds something
	Rows    map[string]int64 `json:"rows"`
	Out     string           `json:"out"`
}

func (a *app) dummyCommand() *cobra.Command {
	var in dummyIn
	cmd := &cobra.Command{
		Use: "dummy DATASET --out DIR", Short: "Make dummy data with the real schema and no real row, to write queries on",
		Long: `Make dummy data with the real schema and no real row, to write and try queries on your own machine. It takes the public
catalogue entry alone (columns, dictionaries, bounds, caps of rows a person) and asks neither a service nor any data. The
same options give the same bytes.

With --for-query it makes persons on whom that question finds something, spread over the groups of its answer, and others;
for a question of several statistics every other such person is one for all of them, the rest for one each.
How many there are is checked with an evaluator of its own and printed; for a question on which none could be made the data
are written all the same, and a sentence says so. A question that would be refused is refused here too. It needs Linux, where
questions are parsed.`,
		Example: `  carrel dummy jinhe --out dummy --for-query "SELECT department, COUNT(*) FROM encounter WHERE outcome = 'died' GROUP BY department"
  cd dummy && duckdb tables.db < load.sql`,
		Args: a.exact(1, "a dataset"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if in.out == "" {
				return a.usage("请用 --out 指明目录", "name the directory with --out")
			}
			if err := a.oneOf("format", in.format, dummy.CSV, dummy.Parquet); err != nil {
				return err
			}
			if in.persons < 0 || in.persons > dummy.MaxPersons {
				return a.usage("--persons 应为 1 到 %d", "--persons is 1 to %d", dummy.MaxPersons)
			}
			d, err := a.dummyEntry(in.catalogue, args[0])
			if err != nil {
				return err
			}
			return a.dummy(cmd.Context(), d, in)
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.out, "out", "", "directory, is made and must be empty")
	f.StringVar(&in.sql, "for-query", "", "make persons on whom this question finds something (SQL, @file or -)")
	f.IntVar(&in.persons, "persons", 0, fmt.Sprintf("persons (default %d; with --for-query more when HAVING asks for more)", dummy.DefaultPersons))
	f.Uint64Var(&in.seed, "seed", 1, "same seed, same bytes")
	f.StringVar(&in.format, "format", dummy.CSV, "csv or parquet")
	f.StringVar(&in.catalogue, "catalogue", "", "file of the catalogue entry (default: the demo city's)")
	f.StringVar(&in.sandbox, "sandbox", a.env["CARREL_SANDBOX"], "path of carrel-sandbox, for --for-query (default: beside carrel)")
	return cmd
}

// dummyEntry reads the catalogue entry, which must be of the dataset that was named.
func (a *app) dummyEntry(file, dataset string) (*catalogue.Dataset, error) {
	if file == "" && dataset != jinhe.Dataset && dataset != jinhe.Registry {
		return nil, a.usage("不知道数据集 %q；请用 --catalogue 指明其目录条目", "the dataset %q is not known here; name its catalogue entry with --catalogue", dataset)
	}
	d, err := entryFor(file, dataset)
	if err == nil && d.ID != dataset {
		return nil, a.usage("目录条目是数据集 %q 的，不是 %q 的", "the catalogue entry is of the dataset %q, not %q", d.ID, dataset)
	}
	return d, err
}

func (a *app) dummy(ctx context.Context, d *catalogue.Dataset, in dummyIn) error {
	o := dummy.Options{Persons: in.persons, Seed: in.seed, Progress: a.progress(a.say("生成虚拟数据", "making dummy data"))}
	if in.sql != "" {
		var err error
		if o.Wishes, err = a.wishes(ctx, d, in); err != nil {
			return err
		}
	}
	data, err := dummy.Generate(ctx, d, o)
	if err != nil {
		return err
	}
	if err := data.Write(in.out, in.format, d); err != nil {
		if errors.Is(err, dummy.ErrOccupied) {
			return a.usage("目录 %s 不是空的；请另指一个", "the directory %s is not empty; name another one", in.out)
		}
		return err
	}
	out := dummied{Dataset: d.ID, Persons: data.Persons, Rows: map[string]int64{}, Out: in.out}
	if o.Wishes != nil {
		out.Found = &data.Found
	}
	for i := range data.Tables {
		out.Rows[data.Tables[i].Table.Name] = int64(len(data.Tables[i].Rows))
	}
	return a.print(out, func(w io.Writer) { a.printDummied(w, out) })
}

func (a *app) printDummied(w io.Writer, out dummied) {
	fmt.Fprintf(w, a.say("已在 %s 写入 %d 人的虚拟数据，没有一行是真实的；说明见 README.txt\n", "dummy data of %[2]d persons in %[1]s; no row is real, see README.txt\n"), out.Out, out.Persons)
	switch {
	case out.Found == nil:
	case *out.Found == 0:
		fmt.Fprintln(w, a.say("未能造出使该查询有结果的人员；请放宽条件或自行修改数据", "no person could be made for whom the question finds something; loosen its conditions or edit the data"))
	default:
		fmt.Fprintf(w, a.say("该查询在其中 %d 人身上有结果\n", "the question finds something for %d of them\n"), *out.Found)
	}
}

// question is a text, or what a file (@F) or standard input (-) holds.
func (a *app) question(text string) (string, error) {
	name, ok := strings.CutPrefix(text, "@")
	if !ok && text != "-" {
		return text, nil
	}
	raw, err := a.readFile(name)
	return string(raw), err
}

// wishes reads a question as the service would: what it would refuse is refused.
func (a *app) wishes(ctx context.Context, d *catalogue.Dataset, in dummyIn) ([]dummy.Wish, error) {
	sql, err := a.question(in.sql)
	if err != nil {
		return nil, err
	}
	c, err := a.newChecker(ctx, d, dummy.MaxPersons, in.sandbox)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.pool.Close() }()
	p, err := job.Understand(ctx, c.pool, c.schema, sql, plan.Options{MaxDraws: c.draws})
	var r *plan.Refusal
	if errors.As(err, &r) {
		return nil, problem.Planner(r, r.Message.ZH, r.Message.EN)
	}
	if err != nil {
		return nil, err
	}
	tree, err := c.pool.Parse(ctx, sql)
	if err != nil {
		return nil, err
	}
	return wishesOf(c.schema, tree, sql, p)
}

// wishesOf are the measure steps of a question that was understood.
func wishesOf(schema *plan.Schema, tree json.RawMessage, sql string, p *plan.Plan) ([]dummy.Wish, error) {
	v := p.View()
	if v == nil {
		spec, err := bind.Bind(schema, tree, sql)
		return []dummy.Wish{{Spec: spec, Plan: p}}, err
	}
	q, _, err := bind.Cut(schema, tree, sql)
	if err != nil {
		return nil, err
	}
	var out []dummy.Wish
	for i, step := range v.Steps {
		out = append(out, dummy.Wish{Spec: q.Steps[i], Plan: step})
	}
	return out, nil
}
