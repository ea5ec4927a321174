package main

import (
	"context"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"carrel/anonymize/dp"
)

//go:embed tpch.dataset.yaml
var tpchDataset []byte

//go:embed tpch.recipe.yaml
var tpchRecipe []byte

const (
	tpchScale = 1
	tpchCap   = 120  // rows of a customer in lineitem, as the catalogue says
	errorE    = 0.99 // the largest ε that policy lets through and that differs from one question to the next
	timeE     = 0.8
)

// tpchQuestion is one of TPC-H's, as its specification words it for bare DuckDB, and as a researcher asks it here: each customer's own sum
// first, cut at a stated amount, so that one customer changes the answer by that amount and no more. Question 1 has no such step: the
// grouping by customer would cost more than it gains. Its charge is rounded to cents, as money is.
type tpchQuestion struct {
	name, ours, base string
	keys             int
	target           float64
}

var tpchBare = [...]naturalTable{
	{"customer", "CAST(custkey AS INTEGER) AS custkey, CAST(nationkey AS INTEGER) AS nationkey"},
	{"orders", "CAST(orderkey AS BIGINT) AS orderkey, CAST(custkey AS INTEGER) AS custkey, CAST(orderdate AS DATE) AS orderdate"},
	{"lineitem", `CAST(custkey AS INTEGER) AS custkey, CAST(orderkey AS BIGINT) AS orderkey, CAST(partkey AS INTEGER) AS partkey, CAST(suppkey AS INTEGER) AS suppkey,
		CAST(quantity AS DECIMAL(12,2)) AS quantity, CAST(extendedprice AS DECIMAL(12,2)) AS extendedprice, CAST(discount AS DECIMAL(12,2)) AS discount, CAST(tax AS DECIMAL(12,2)) AS tax,
		returnflag, linestatus, CAST(shipdate AS DATE) AS shipdate, shipinstruct, shipmode`},
	{"part", "CAST(partkey AS INTEGER) AS partkey, brand, type, CAST(size AS INTEGER) AS size, container"},
	{"supplier", "CAST(suppkey AS INTEGER) AS suppkey, CAST(nationkey AS INTEGER) AS nationkey"},
	{"nation", "CAST(nationkey AS INTEGER) AS nationkey, name, CAST(regionkey AS INTEGER) AS regionkey"},
	{"region", "CAST(regionkey AS INTEGER) AS regionkey, name"},
}

// tpch compares five of TPC-H's questions with bare DuckDB over native tables, and each number with the exact one.
func (b *bench) tpch(ctx context.Context) error {
	c := city{
		entry: entry{dataset: "tpch", catalogue: tpchDataset, made: tpchRecipe, columns: []string{"customer.*", "orders.*", "lineitem.*"}},
		root:  filepath.Join(b.dir, "tpch-"+strconv.Itoa(tpchScale)),
	}
	if _, err := os.Stat(c.ready()); err != nil {
		b.tell("making TPC-H at scale %d in %s", tpchScale, c.root)
		if err := b.prepare(ctx, c, func(dir string) error { return generateTPCH(dir, tpchScale) }); err != nil {
			return err
		}
	}
	bare, err := b.startBareWith(ctx, c, tpchBare[:])
	if err != nil {
		return err
	}
	err = bare.use(overNative)
	var kept float64
	if err == nil {
		kept, err = c.kept(bare)
	}
	for _, q := range tpchQuestions {
		if err == nil && b.only.MatchString(q.name) {
			err = b.tpchOne(ctx, c, bare, q, kept)
		}
	}
	return errors.Join(err, bare.close())
}

// tpchOne has a desk of its own: the books are empty, so that one question can take the largest ε. They are kept by basic composition,
// where ε = 1 means what it means elsewhere; zCDP gives many small answers for the same limit and fewer digits to one large one.
func (b *bench) tpchOne(ctx context.Context, c city, bare *bareDuckDB, q tpchQuestion, kept float64) error {
	dir, err := os.MkdirTemp(b.dir, "rules-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := rulesWith(dir, `"accounting": "zcdp"`, `"accounting": "basic"`); err != nil {
		return err
	}
	d, err := b.sit(ctx, c, os.DirFS(dir))
	if err != nil {
		return err
	}
	d.rule = dp.Basic
	l, err := b.tpchTimes(ctx, d, bare, q)
	if err == nil {
		var off []float64
		if off, err = c.errorsOf(ctx, d, bare, q); err == nil {
			l.Error, l.Kept = round(median(off)), round(kept)
			l.Note = fmt.Sprintf("relative error at ε %g: median %.3g %%, worst %.3g %% of %d numbers", errorE, 100*median(off), 100*quantile(off, 1), len(off))
		}
	}
	if err == nil {
		err = d.settle(ctx)
	}
	if err = errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("%s: %w", q.name, err)
	}
	return b.print(l)
}

func (b *bench) tpchTimes(ctx context.Context, d *desk, bare *bareDuckDB, q tpchQuestion) (line, error) {
	var ours, base []float64
	for i := range b.repeat + 1 {
		took, _, err := d.ask(ctx, q.ours, timeE)
		if err != nil {
			return line{}, err
		}
		r, err := bare.ask(q.base)
		if err != nil {
			return line{}, err
		}
		if i > 0 {
			ours, base = append(ours, ms(took)), append(base, r.MS)
		}
	}
	l := line{Bench: "tpch", Case: q.name, Rows: tpchScale * 6_000_000, Ours: median(ours), Base: median(base), Target: q.target, Better: "lower"}
	l.Ratio = l.Ours / l.Base
	return l, nil
}

// errorsOf are the relative errors of all numbers of one answer, by group.
func (c city) errorsOf(ctx context.Context, d *desk, bare *bareDuckDB, q tpchQuestion) ([]float64, error) {
	rows, err := c.exact(bare, q.name, q.base)
	if err != nil {
		return nil, err
	}
	truth := map[string][]string{}
	for _, r := range rows {
		truth[strings.Join(r[:q.keys], "|")] = r[q.keys:]
	}
	_, a, err := d.ask(ctx, q.ours, errorE)
	if err != nil {
		return nil, err
	}
	var out []float64
	found := 0
	for _, r := range a.Result.Rows {
		var key []string
		for _, k := range r[:q.keys] {
			key = append(key, fmt.Sprint(k.Value))
		}
		want, there := truth[strings.Join(key, "|")]
		if !there {
			continue // a group without rows: it is drawn for and has no relative error
		}
		found++
		for i, cell := range r[q.keys:] {
			x, err := strconv.ParseFloat(want[i], 64)
			got, ok := cell.Value.(float64)
			if err != nil || !ok {
				return nil, errors.New("a number is missing on one side")
			}
			out = append(out, math.Abs(got-x)/math.Abs(x))
		}
	}
	if found != len(truth) {
		return nil, fmt.Errorf("%d of %d groups were answered", found, len(truth))
	}
	return out, nil
}

// exact asks bare DuckDB and reads the values from a file that it writes.
func (c city) exact(bare *bareDuckDB, name, sql string) ([][]string, error) {
	file := c.path("exact-" + name + ".csv")
	if _, err := bare.ask("COPY (" + sql + ") TO " + quoted(file) + " (FORMAT csv, HEADER false)"); err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return csv.NewReader(f).ReadAll()
}

// kept is the share of lineitem's rows that the cap leaves in the extract.
func (c city) kept(bare *bareDuckDB) (float64, error) {
	rows, err := c.exact(bare, "kept", fmt.Sprintf("SELECT CAST(sum(least(n, %d)) AS DOUBLE) / sum(n) FROM (SELECT count(*) AS n FROM lineitem GROUP BY custkey)", tpchCap))
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(rows[0][0], 64)
}
