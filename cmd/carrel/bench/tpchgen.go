package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pingcap/go-tpc/tpch/dbgen"
)

// tpchTables are the source tables with the columns that the questions read. A line of an order names the customer: who prepares the
// sources of an extract joins the person in, because in TPC-H's own tables only the order does.
var tpchTables = map[string]string{
	"customer": "custkey,nationkey", "orders": "orderkey,custkey,orderdate",
	"lineitem": "custkey,orderkey,partkey,suppkey,quantity,extendedprice,discount,tax,returnflag,linestatus,shipdate,shipinstruct,shipmode",
	"part":     "partkey,brand,type,size,container", "supplier": "suppkey,nationkey", "nation": "nationkey,name,regionkey", "region": "regionkey,name",
}

// table is one file under way; the first error sticks.
type sourceTable struct {
	file *os.File
	out  *bufio.Writer
	load func(w *bufio.Writer, item any) error
}

// Load takes one row of the generator.
func (t *sourceTable) Load(item any) error { return t.load(t.out, item) }

// Flush is called after each table.
func (t *sourceTable) Flush() error { return t.out.Flush() }

func create(dir, name string) (*sourceTable, error) {
	f, err := os.OpenFile(filepath.Join(dir, name+".csv"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	t := &sourceTable{file: f, out: bufio.NewWriterSize(f, 1<<20)}
	_, err = t.out.WriteString(tpchTables[name] + "\n")
	return t, err
}

// generateTPCH writes TPC-H at a scale factor with PingCAP's port of the council's generator.
func generateTPCH(dir string, scale int64) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	all := map[string]*sourceTable{}
	for name := range tpchTables {
		if all[name], err = create(dir, name); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, all[name].out.Flush(), all[name].file.Close()) }()
	}
	tpchLoads(all)
	keep := os.Stdout // the generator tells there what it does; ours holds figures alone
	os.Stdout = os.Stderr
	defer func() { os.Stdout = keep }()
	dbgen.InitDbGen(scale)
	return dbgen.DbGen(map[dbgen.Table]dbgen.Loader{
		dbgen.TCust: all["customer"], dbgen.TOrderLine: all["orders"], dbgen.TPart: all["part"], dbgen.TSupp: all["supplier"], dbgen.TNation: all["nation"], dbgen.TRegion: all["region"],
	}, []dbgen.Table{dbgen.TCust, dbgen.TOrderLine, dbgen.TPart, dbgen.TSupp, dbgen.TNation, dbgen.TRegion})
}

func tpchLoads(all map[string]*sourceTable) {
	lines := all["lineitem"].out
	all["customer"].load = func(w *bufio.Writer, item any) error {
		c := item.(*dbgen.Cust)
		_, err := fmt.Fprintf(w, "%d,%d\n", c.CustKey, c.NationCode)
		return err
	}
	all["orders"].load = func(w *bufio.Writer, item any) error {
		o := item.(*dbgen.Order)
		if _, err := fmt.Fprintf(w, "%d,%d,%s\n", o.OKey, o.CustKey, o.Date); err != nil {
			return err
		}
		for i := range o.Lines {
			l := &o.Lines[i]
			_, err := fmt.Fprintf(lines, "%d,%d,%d,%d,%d,%s,%s,%s,%s,%s,%s,%s,%s\n", o.CustKey, l.OKey, l.PartKey, l.SuppKey, l.Quantity, dbgen.FmtMoney(l.EPrice),
				dbgen.FmtMoney(l.Discount), dbgen.FmtMoney(l.Tax), l.RFlag, l.LStatus, l.SDate, l.ShipInstruct, l.ShipMode)
			if err != nil {
				return err
			}
		}
		return nil
	}
	all["part"].load = func(w *bufio.Writer, item any) error {
		p := item.(*dbgen.Part)
		_, err := fmt.Fprintf(w, "%d,%s,%s,%d,%s\n", p.PartKey, p.Brand, p.Type, p.Size, p.Container)
		return err
	}
	all["supplier"].load = func(w *bufio.Writer, item any) error {
		s := item.(*dbgen.Supp)
		_, err := fmt.Fprintf(w, "%d,%d\n", s.SuppKey, s.NationCode)
		return err
	}
	all["nation"].load = func(w *bufio.Writer, item any) error {
		n := item.(*dbgen.Nation)
		_, err := fmt.Fprintf(w, "%d,%s,%d\n", n.Code, n.Text, n.Join)
		return err
	}
	all["region"].load = func(w *bufio.Writer, item any) error {
		r := item.(*dbgen.Region)
		_, err := fmt.Fprintf(w, "%d,%s\n", r.Code, r.Text)
		return err
	}
}
