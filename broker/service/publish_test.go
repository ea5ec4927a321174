package service_test

import (
	"context"
	"errors"
	"testing"

	"carrel/anonymize/extract"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
)

// Sensitivity is computed from the catalogue's bounds: an extract whose files are whole and hold one value outside of them is not put forward.
func TestPublishReadsEveryValue(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	ctx := context.Background()
	var e *catalogue.Entry
	servicetest.Must(t, c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		e, _, err = c.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, "jinhe")
		return err
	}))
	schema, err := e.Schema()
	servicetest.Must(t, err)
	for name, over := range map[string]int64{"inside": 0, "outside": 1} {
		dir := c.Config.Data + "/extracts/jinhe/" + name
		w, err := extract.Create(dir, c.Sealer, extract.Manifest{Dataset: "jinhe", Universe: e.Dataset.Universe, Kind: extract.KindQuery,
			DPScope: extract.ScopeSource, Persons: schema.Persons, Recipe: "r"})
		servicetest.Must(t, err)
		for _, table := range schema.Tables {
			l, err := extract.Layout(table)
			servicetest.Must(t, err)
			tw, err := w.Table(l)
			servicetest.Must(t, err)
			if table.Name == "encounter" {
				servicetest.Must(t, tw.Write(oneRow(t, l, over)))
			}
			servicetest.Must(t, tw.Close())
		}
		_, err = w.Commit()
		servicetest.Must(t, err)
		_, err = extract.Open(ctx, dir, c.Sealer) // whole, both of them
		servicetest.Must(t, err)
		_, err = c.Propose(ctx, c.Who(t, "wu"), "jinhe", dir, nil)
		var found *extract.VerifyError
		if (over > 0) != errors.As(err, &found) || over == 0 && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// oneRow is a row at the lower end of everything but total_cost, which lies at its upper end or over it.
func oneRow(t *testing.T, l extract.Table, over int64) []extract.Vector {
	t.Helper()
	var out []extract.Vector
	for _, col := range l.Columns {
		v := int64(0)
		if col.Bounded {
			v = col.Lo
		}
		if col.Name == "total_cost" {
			v = col.Hi + over
		}
		x, err := extract.Pack(col, []int64{v}, []bool{false})
		servicetest.Must(t, err)
		out = append(out, x)
	}
	return out
}
