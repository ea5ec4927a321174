package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// naturalTable is a table and its columns as DuckDB reads them from the text.
type naturalTable struct{ name, columns string }

// Natural types of the tables of bare DuckDB: what a researcher would choose, kind to him where one can choose. The person's
// number is a BIGINT although the sources hold text, because a join on text would flatter us; dates are DATE, money is DECIMAL.
var naturalTables = [...]naturalTable{
	{"person", `CAST(substr(person_no, 2) AS BIGINT) AS person_id, sex, CAST(birth_date AS DATE) AS birth_date,
		CAST(year(CAST(birth_date AS DATE)) AS INTEGER) AS birth_year, district_code AS district, insurance_type`},
	{"encounter", `encounter_id, CAST(substr(person_no, 2) AS BIGINT) AS person_id, hospital_id, CAST(admitted AS DATE) AS admitted, CAST(discharged AS DATE) AS discharged,
		department, icd10, outcome, CAST(total_cost AS DECIMAL(12,2)) AS total_cost, CAST(drug_cost AS DECIMAL(12,2)) AS drug_cost, prescriber_id`},
	{"hospital", `*`},
}

// The forms in which bare DuckDB has the tables; each is a schema of its database.
const (
	overParquet = "parquet"
	overNative  = "native"
)

// bareReady marks tables that are complete; it changes its name with naturalTables.
const bareReady = "bare.db.ready-2"

// bareDuckDB is the running process.
type bareDuckDB struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
	form string
}

type bareReply struct {
	MS    float64 `json:"ms"`
	Rows  int64   `json:"rows"`
	Error string  `json:"error"`
}

// startBare starts bare DuckDB on the city's tables, which it makes from the same sources when they are not there.
func (b *bench) startBare(ctx context.Context, c city) (*bareDuckDB, error) {
	return b.startBareWith(ctx, c, naturalTables[:])
}

func (b *bench) startBareWith(ctx context.Context, c city, tables []naturalTable) (*bareDuckDB, error) {
	program, err := b.bare(ctx)
	if err != nil {
		return nil, err
	}
	_, missing := os.Stat(c.path(bareReady))
	d := &bareDuckDB{cmd: exec.CommandContext(ctx, program, "-db", c.path("bare.db"))}
	d.cmd.Stderr = os.Stderr
	if d.in, err = d.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	d.out = bufio.NewScanner(out)
	if err := d.cmd.Start(); err != nil {
		return nil, err
	}
	if missing == nil {
		return d, nil
	}
	b.tell("making the tables of bare DuckDB")
	if err := d.fill(c, tables); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return d, os.WriteFile(c.path(bareReady), nil, 0o600)
}

// fill writes Parquet files by DuckDB's own COPY, and native tables from the same rows.
func (d *bareDuckDB) fill(c city, tables []naturalTable) error {
	sql := []string{"CREATE SCHEMA IF NOT EXISTS parquet", "CREATE SCHEMA IF NOT EXISTS native"}
	for _, t := range tables {
		file := quoted(c.path(t.name + ".parquet"))
		sql = append(sql,
			fmt.Sprintf("COPY (SELECT %s FROM read_csv(%s, header=true, all_varchar=true)) TO %s (FORMAT parquet)", t.columns, quoted(c.path("source", t.name+".csv")), file),
			fmt.Sprintf("CREATE OR REPLACE VIEW parquet.%s AS SELECT * FROM read_parquet(%s)", t.name, file),
			fmt.Sprintf("CREATE OR REPLACE TABLE native.%s AS SELECT * FROM read_parquet(%s)", t.name, file))
	}
	for _, q := range append(sql, "CHECKPOINT") {
		if _, err := d.ask(q); err != nil {
			return err
		}
	}
	return nil
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// use chooses the form of the tables for the questions that follow.
func (d *bareDuckDB) use(form string) error {
	if d.form == form {
		return nil
	}
	d.form = form
	_, err := d.ask("USE " + form)
	return err
}

func (d *bareDuckDB) ask(sql string) (bareReply, error) {
	var r bareReply
	if err := json.NewEncoder(d.in).Encode(map[string]string{"sql": sql}); err != nil {
		return r, fmt.Errorf("ask bare DuckDB: %w", err)
	}
	if !d.out.Scan() {
		return r, errors.Join(errors.New("bare DuckDB has ended"), d.out.Err())
	}
	if err := json.Unmarshal(d.out.Bytes(), &r); err != nil {
		return r, fmt.Errorf("read bare DuckDB: %w", err)
	}
	if r.Error != "" {
		return r, fmt.Errorf("bare DuckDB: %s", r.Error)
	}
	return r, nil
}

func (d *bareDuckDB) close() error { return errors.Join(d.in.Close(), d.cmd.Wait()) }
