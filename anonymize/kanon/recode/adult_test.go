package recode_test

import (
	"bufio"
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"carrel/anonymize/kanon/hierarchy"
	"carrel/anonymize/kanon/model"
	"carrel/anonymize/kanon/recode"
)

// adultDir finds the folder of real data: beside the repository, or where CARREL_SHARED says.
func adultDir(t testing.TB) string {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "data", "adult_arx")
	if dir := os.Getenv("CARREL_SHARED"); dir != "" {
		path = filepath.Join(dir, "data", "adult_arx")
	}
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CARREL_DATA") == "required" {
			t.Fatalf("the real data are not there: %v", err)
		}
		t.Skipf("the real data are not there (CARREL_DATA=required makes this a failure): %v", err)
	}
	return path
}

// adult reads the table, the columns named sensitive as such.
func adult(t testing.TB, sensitive ...string) *recode.Table {
	t.Helper()
	dir := adultDir(t)
	raw, err := os.ReadFile(filepath.Join(dir, "adult.csv"))
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Scan()
	var columns []recode.Column
	var quasi []int
	var other []int
	for i, name := range strings.Split(lines.Text(), ";") {
		if slices.Contains(sensitive, name) {
			other = append(other, i)
			continue
		}
		f, err := os.Open(filepath.Join(dir, "adult_hierarchy_"+name+".csv"))
		if err != nil {
			t.Fatal(err)
		}
		h, err := hierarchy.Parse(name, f)
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		columns, quasi = append(columns, recode.Column{Name: name, Hierarchy: h}), append(quasi, i)
	}
	b, err := recode.NewBuilder(columns, sensitive, false)
	if err != nil {
		t.Fatal(err)
	}
	q, s := make([][]byte, len(quasi)), make([][]byte, len(other))
	for lines.Scan() {
		cells := bytes.Split(lines.Bytes(), []byte(";"))
		for j, i := range quasi {
			q[j] = cells[i]
		}
		for j, i := range other {
			s[j] = cells[i]
		}
		if err := b.Add(q, s, nil); err != nil {
			t.Fatal(err)
		}
	}
	table, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func kOf(k int) model.Set { return model.Set{Classes: []model.Criterion{must(model.K(k))}} }

// TestAdultAsARX: the optima and losses that ARX 3.9.2 states for the same file and hierarchies.
func TestAdultAsARX(t *testing.T) {
	t.Parallel()
	diverse := kOf(5)
	diverse.Classes = append(diverse.Classes, must(model.Distinct(0, 5)))
	for name, c := range map[string]struct {
		table       *recode.Table
		models      model.Set
		suppression float64
		levels      []int
		loss        float64
	}{
		"k=5 0%":          {adult(t), kOf(5), 0, []int{0, 4, 1, 1, 3, 2, 2, 1, 0}, 0.635544},
		"k=5 2%":          {adult(t), kOf(5), 0.02, []int{0, 3, 0, 2, 2, 1, 1, 2, 0}, 0.357482},
		"k=5 5%":          {adult(t), kOf(5), 0.05, []int{0, 3, 0, 0, 2, 1, 1, 2, 0}, 0.269635},
		"k=11 5%":         {adult(t), kOf(11), 0.05, []int{0, 4, 0, 1, 2, 1, 1, 1, 0}, 0.329523},
		"k=5, 5 of 14 5%": {adult(t, "occupation"), diverse, 0.05, []int{0, 3, 0, 1, 2, 1, 1, 0}, 0.231716},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := recode.Search(context.Background(), c.table, recode.Options{Models: c.models, Suppression: c.suppression})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(r.Levels, c.levels) || math.Abs(r.Loss-c.loss) > 5e-7 || !r.Proof.Optimal {
				t.Errorf("levels %v loss %.6f, ARX has %v and %.6f; %+v", r.Levels, r.Loss, c.levels, c.loss, r.Proof)
			}
			t.Logf("%v %.6f %d suppressed %d classes %+v", r.Levels, r.Loss, r.Suppressed, r.Classes, r.Proof)
		})
	}
}

func BenchmarkAdult(b *testing.B) {
	t := adult(b)
	for b.Loop() {
		if _, err := recode.Search(b.Context(), t, recode.Options{Models: kOf(5), Suppression: 0.05}); err != nil {
			b.Fatal(err)
		}
	}
}
