package sandbox_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"carrel/sandbox"
	"carrel/sandbox/sandboxtest"
)

// TestMain builds the real child once: nothing in these tests stands in for it.
func TestMain(m *testing.M) { os.Exit(withChild(m)) }

func withChild(m *testing.M) int {
	dir, err := os.MkdirTemp("", "carrel-sandbox-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "carrel-sandbox")
	build := exec.Command("go", "build", "-o", path, "carrel/cmd/carrel-sandbox")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build carrel-sandbox:", err)
		return 1
	}
	if err := os.Setenv("CARREL_TEST_CHILD", path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func config() sandbox.Config {
	return sandbox.Config{
		Binary: os.Getenv("CARREL_TEST_CHILD"), MemoryLimit: 512 << 20, Deadline: 20 * time.Second, Grace: 300 * time.Millisecond,
		Parsers: 1, Spares: 1,
	}
}

func newPool(t testing.TB, change func(*sandbox.Config)) *sandbox.Pool {
	t.Helper()
	c := config()
	if change != nil {
		change(&c)
	}
	p, err := sandbox.New(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// clinic is a small extract: visits of persons, their tests, and a public table.
func clinic(t testing.TB, id string, visits int) *sandboxtest.Source {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	col := func(name, kind string, n int, f func(i int) int64) sandboxtest.Column {
		c := sandboxtest.Column{Name: name, Type: kind, Values: make([]int64, n)}
		for i := range c.Values {
			c.Values[i] = f(i)
		}
		return c
	}
	cut := func(n int) []int {
		var out []int
		for ; n > 0; n -= min(n, 122_880) {
			out = append(out, min(n, 122_880))
		}
		return out
	}
	visit := sandboxtest.Table{Name: "visit", Batches: cut(visits), Columns: []sandboxtest.Column{
		col("person", "uint32", visits, func(i int) int64 { return int64(i / 4) }),
		col("dept", "uint8", visits, func(int) int64 { return r.Int64N(51) }),
		col("cost", "int32", visits, func(int) int64 { return r.Int64N(100_000) }),
		col("carrel_rank", "uint8", visits, func(i int) int64 { return int64(i%4) + 1 }),
	}}
	for i := range visit.Columns[2].Values {
		visit.Columns[2].Null = append(visit.Columns[2].Null, i%10 == 3)
	}
	labs := visits / 2
	lab := sandboxtest.Table{Name: "lab", Batches: cut(labs), Columns: []sandboxtest.Column{
		col("person", "uint32", labs, func(i int) int64 { return int64(i / 2) }),
		col("value", "int16", labs, func(int) int64 { return r.Int64N(2000) - 1000 }),
	}}
	dept := sandboxtest.Table{Name: "dept", Batches: []int{51}, Columns: []sandboxtest.Column{
		col("dept", "uint8", 51, func(i int) int64 { return int64(i) }),
		col("grade", "uint8", 51, func(i int) int64 { return int64(i % 3) }),
	}}
	s, err := sandboxtest.NewSource(id, visit, lab, dept)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func session(t testing.TB, p *sandbox.Pool, key string, src sandbox.Source) *sandbox.Session {
	t.Helper()
	s, err := p.Session(context.Background(), key, src)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
