package dummy

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"carrel/anonymize/formula"
	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
)

// Formats of the tables.
const (
	CSV     = "csv" // UTF-8, header, RFC 4180 quotes; an empty cell is NULL
	Parquet = "parquet"
)

// ErrOccupied says that there is something in the directory already: nothing is written over.
var ErrOccupied = errors.New("dummy: the directory is not empty; give a new one")

// ErrFormat says that the format is neither CSV nor Parquet.
var ErrFormat = errors.New("dummy: the format is csv or parquet")

// Write writes one file a table, labels.csv with what every code means, load.sql that makes the tables in DuckDB, and README.txt. The
// directory is made. When something fails, what was written is removed again.
func (d *Data) Write(dir, format string, entry *catalogue.Dataset) (err error) {
	if format != CSV && format != Parquet {
		return ErrFormat
	}
	if there, err := os.ReadDir(dir); err == nil && len(there) > 0 {
		return ErrOccupied
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("dummy: %w", err)
	}
	var made []string
	defer func() {
		if err != nil {
			for _, name := range made {
				_ = os.Remove(name)
			}
		}
	}()
	file := func(name string, write func(w io.Writer) error) error {
		name = filepath.Join(dir, name)
		f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("dummy: %w", err)
		}
		made = append(made, name)
		w := bufio.NewWriter(f)
		if err := errors.Join(write(w), w.Flush(), f.Close()); err != nil {
			return fmt.Errorf("dummy: write: %w", err)
		}
		return nil
	}
	names := namers(d)
	for i := range d.Tables {
		t := &d.Tables[i]
		write := func(w io.Writer) error { return t.csv(w, names) }
		if format == Parquet {
			write = func(w io.Writer) error { return t.parquet(w, names) }
		}
		if err := file(t.Table.Name+"."+format, write); err != nil {
			return err
		}
	}
	if err := file("labels.csv", func(w io.Writer) error { return labels(w, entry) }); err != nil {
		return err
	}
	if err := file("load.sql", func(w io.Writer) error { return d.load(w, format) }); err != nil {
		return err
	}
	return file("README.txt", func(w io.Writer) error { return readme(w, entry, d.Persons) })
}

// namer writes row keys so that no two persons share one; other keys (a doctor's) are shared.
type namer map[string]bool // names of columns that are some private table's row key

func namers(d *Data) namer {
	n := namer{}
	for i := range d.Tables {
		if t := d.Tables[i].Table; !t.Public && t.RowKey != "" {
			n[t.RowKey] = true
		}
	}
	return n
}

func person(n int) string { return fmt.Sprintf("d%06d", n) }

// text is a cell as a source table would have it: the dictionary's text, not the code.
func (n namer) text(col *plan.Column, r Row, c Cell) string {
	switch {
	case c.Null:
		return ""
	case col.Kind == plan.KindUnit:
		return person(r.Person)
	case col.Kind == plan.KindKey && r.Person > 0 && n[col.Name]:
		return person(r.Person) + "-" + strconv.FormatInt(c.N, 10)
	case col.Kind == plan.KindKey:
		return "k" + strconv.FormatInt(c.N, 10)
	case col.Kind == plan.KindCode:
		return col.Values[c.N]
	}
	f := catalogue.Field{Kind: col.Kind, Scale: col.Scale}
	return f.Format(c.N)
}

func (t *Table) csv(w io.Writer, names namer) error {
	out := csv.NewWriter(w)
	line := make([]string, len(t.Table.Columns))
	for i := range t.Table.Columns {
		line[i] = t.Table.Columns[i].Name
	}
	if err := out.Write(line); err != nil {
		return err
	}
	for _, r := range t.Rows {
		for i := range t.Table.Columns {
			line[i] = names.text(&t.Table.Columns[i], r, r.Cells[i])
		}
		if err := out.Write(line); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// labels writes what every member of every dictionary means. A label that a spreadsheet would run as a formula gets a leading apostrophe;
// a code stays as it stands in the tables, which join by it.
func labels(w io.Writer, entry *catalogue.Dataset) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"table", "column", "column_zh", "column_en", "code", "zh", "en"}); err != nil {
		return err
	}
	for i := range entry.Tables {
		t := &entry.Tables[i]
		for j := range t.Fields {
			f := &t.Fields[j]
			values := f.Values
			if len(values) == 0 {
				values = []catalogue.Value{{}}
			}
			for _, v := range values {
				if err := out.Write([]string{t.Name, f.Name, formula.Guard(f.Label.ZH), formula.Guard(f.Label.EN), v.Code, formula.Guard(v.Label.ZH), formula.Guard(v.Label.EN)}); err != nil {
					return err
				}
			}
		}
	}
	out.Flush()
	return out.Error()
}

// load writes the statements that make the tables in DuckDB, with their types: a district's code is no number.
func (d *Data) load(w io.Writer, format string) error {
	for i := range d.Tables {
		t := d.Tables[i].Table
		columns := make([]string, len(t.Columns))
		for j := range t.Columns {
			columns[j] = `"` + t.Columns[j].Name + `" ` + sqlType(&t.Columns[j])
		}
		options := ""
		if format == CSV {
			options = " (HEADER)"
		}
		if _, err := fmt.Fprintf(w, "CREATE TABLE \"%[1]s\" (%[2]s);\nCOPY \"%[1]s\" FROM '%[1]s.%[3]s'%[4]s;\n", t.Name, strings.Join(columns, ", "), format, options); err != nil {
			return err
		}
	}
	return nil
}

func sqlType(c *plan.Column) string {
	switch c.Kind {
	case plan.KindInt:
		return "BIGINT"
	case plan.KindDecimal:
		return fmt.Sprintf("DECIMAL(%d, %d)", digits(c), c.Scale)
	case plan.KindDate:
		return "DATE"
	default:
		return "VARCHAR"
	}
}

// digits is the precision of a decimal: 18 is the widest that engines keep in one machine word.
func digits(c *plan.Column) int {
	const word = 1_000_000_000_000_000_000
	if lo, hi := domain(c); lo > -word && hi < word && c.Scale <= 18 {
		return 18
	}
	return 38
}

func readme(w io.Writer, entry *catalogue.Dataset, persons int) error {
	_, err := fmt.Fprintf(w, `%[1]s（%[3]s）：虚拟数据，%[4]d 人

这里没有一行是真实的。全部取值只由公开目录（列、代码表、上下限、每人行数上限）和种子随机生成，
生成时没有读取任何真实数据，也不需要服务。各列之间互不相关，统计结果没有任何意义，只用于编写和试运行查询。
labels.csv 是各列和各代码的中英文含义；在本目录运行 duckdb < load.sql 可建表。空单元格为缺失值。

%[2]s (%[3]s): dummy data, %[4]d persons

No row here is real. All values are drawn by chance from the public catalogue (columns, dictionaries, bounds, caps of
rows a person) and a seed; no records were read and no service was asked. Columns are independent of each other and no
statistic of these tables means anything: they are for writing and trying queries.
labels.csv says what columns and codes mean in Chinese and English; duckdb < load.sql, run in this directory, makes the tables.
An empty cell is a missing value.
`, entry.Title.ZH, entry.Title.EN, entry.ID, persons)
	return err
}
