package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"carrel/sandbox"
)

// counts is a noised table by itself.
func counts(rows ...[]any) sandbox.ViewTable {
	return sandbox.ViewTable{Name: "step_1", Columns: []sandbox.ViewColumn{{Name: "c1", Type: sandbox.ViewText}, {Name: "c2", Type: sandbox.ViewReal}, {Name: "c3", Type: sandbox.ViewDay},
		{Name: "c4", Type: sandbox.ViewTruth}, {Name: "c5", Type: sandbox.ViewWhole}}, Rows: rows}
}

func view(t *testing.T, p *sandbox.Pool, sql string, tables ...sandbox.ViewTable) (sandbox.ViewTable, error) {
	t.Helper()
	tree, err := p.Parse(context.Background(), sql)
	if err != nil {
		t.Fatal(err)
	}
	return p.View(context.Background(), sandbox.View{Tree: tree, Tables: tables}, 1000)
}

func TestView(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	table := counts([]any{"a", 10.5, "2020-01-31", true, 7.0}, []any{nil, nil, nil, nil, nil}, []any{"汉'\"", -0.1, "1999-12-01", false, -3.0})
	for _, tt := range []struct {
		sql  string
		cols []sandbox.ViewColumn
		rows [][]any
	}{
		{"SELECT * FROM step_1", []sandbox.ViewColumn{{Name: "c1", Type: "VARCHAR"}, {Name: "c2", Type: "DOUBLE"}, {Name: "c3", Type: "DATE"}, {Name: "c4", Type: "BOOLEAN"}, {Name: "c5", Type: "BIGINT"}}, table.Rows},
		{"SELECT c1, rank() OVER (ORDER BY c2 DESC NULLS LAST) AS rang FROM step_1 ORDER BY 2", []sandbox.ViewColumn{{Name: "c1", Type: "VARCHAR"}, {Name: "rang", Type: "BIGINT"}},
			[][]any{{"a", 1.0}, {"汉'\"", 2.0}, {nil, 3.0}}},
		{"SELECT a.c1, b.c1, 'nan'::DOUBLE, [1, 2], c5 / 0 FROM step_1 a JOIN step_1 b USING (c5) WHERE c5 = 7",
			nil, [][]any{{"a", "a", nil, "[1, 2]", nil}}},
		{"WITH x AS (SELECT sum(c2) s FROM step_1) SELECT round(c2 / s, 3) AS part FROM step_1, x WHERE c2 > 0", nil, [][]any{{1.01}}},
	} {
		got, err := view(t, p, tt.sql, table)
		if err != nil {
			t.Errorf("%s: %v", tt.sql, err)
			continue
		}
		if tt.cols != nil && !reflect.DeepEqual(got.Columns, tt.cols) || !reflect.DeepEqual(got.Rows, tt.rows) {
			t.Errorf("%s: %v %v", tt.sql, got.Columns, got.Rows)
		}
	}
}

// What a view cannot do it says in the engine's words, and the next one is not touched by it: each has a child of its own.
func TestViewFails(t *testing.T) {
	t.Parallel()
	p := newPool(t, func(c *sandbox.Config) { c.ViewDeadline = 2 * time.Second })
	table := counts([]any{"a", 10.5, "2020-01-31", true, 7.0})
	for sql, want := range map[string]struct{ code, words string }{
		"SELECT nothing FROM step_1":             {"bind", `"nothing"`},
		"SELECT * FROM person":                   {"bind", "person"},
		"SELECT c1::INT FROM step_1":             {"engine", "Conversion"},
		"SELECT * FROM read_text('/etc/passwd')": {"bind", ""},
		"SELECT count(*) FROM range(3000000) a, range(1000000) b WHERE a.range * b.range = 7": {"deadline", ""},
		"SELECT a.range FROM step_1, range(2000) a":                                           {"shape", ""},
	} {
		t.Run(sql, func(t *testing.T) {
			t.Parallel()
			_, err := view(t, p, sql, table)
			var e *sandbox.ViewError
			if !errors.As(err, &e) || e.Code != want.code || !strings.Contains(e.Words, want.words) {
				t.Errorf("%+v %v", e, err)
			}
			if strings.Contains(err.Error(), "step") || e != nil && strings.ContainsAny(e.Words, "\n\r") {
				t.Errorf("words in the error, or lines in the words: %v", err)
			}
		})
	}
}

func TestViewIsChecked(t *testing.T) {
	t.Parallel()
	p := newPool(t, nil)
	good := counts([]any{"a", 1.0, nil, nil, nil})
	for name, change := range map[string]func(v *sandbox.View){
		"a name to break out of": func(v *sandbox.View) { v.Tables[0].Name = `x" AS SELECT 1; --` },
		"a column likewise":      func(v *sandbox.View) { v.Tables[0].Columns[0].Name = `c'` },
		"another type":           func(v *sandbox.View) { v.Tables[0].Columns[0].Type = "BLOB" },
		"a cell of another type": func(v *sandbox.View) { v.Tables[0].Rows = [][]any{{1.0, 1.0, nil, nil, nil}} },
		"a short row":            func(v *sandbox.View) { v.Tables[0].Rows = [][]any{{"a"}} },
		"no tree":                func(v *sandbox.View) { v.Tree = json.RawMessage(`{"error":false}`) },
		"no JSON":                func(v *sandbox.View) { v.Tree = json.RawMessage(`{`) },
	} {
		tree, err := p.Parse(context.Background(), "SELECT * FROM step_1")
		if err != nil {
			t.Fatal(err)
		}
		v := sandbox.View{Tree: tree, Tables: []sandbox.ViewTable{good}}
		v.Tables[0].Columns = append([]sandbox.ViewColumn(nil), good.Columns...)
		change(&v)
		var e *sandbox.ViewError
		if _, err := p.View(context.Background(), v, 10); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.View(ctx, sandbox.View{Tree: json.RawMessage(`{}`)}, 10); !errors.Is(err, context.Canceled) && !errors.Is(err, sandbox.ErrBeforeData) {
		t.Errorf("a cancelled view: %v", err)
	}
}
