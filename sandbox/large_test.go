package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"carrel/sandbox"
)

// wide is an extract of one table, one batch repeated, that is written as it is read.
type wide struct {
	batch   []int64
	batches int
}

func (w wide) ID() string { return fmt.Sprint("wide-", w.batches) }

func (w wide) Choice() sandbox.Choice { return sandbox.Choice{} }

func (w wide) Tables() []sandbox.SourceTable {
	return []sandbox.SourceTable{{
		Name: "visit", Rows: int64(len(w.batch) * w.batches), Columns: []sandbox.SourceColumn{{Name: "cost", Type: "int64"}},
		Plain: func() (io.ReadCloser, int64, error) {
			n := &counted{}
			if err := w.write(n); err != nil {
				return nil, 0, err
			}
			r, out := io.Pipe()
			go func() { _ = out.CloseWithError(w.write(out)) }()
			return r, n.n, nil
		},
	}}
}

// counted counts and forgets.
type counted struct{ n int64 }

func (c *counted) Write(p []byte) (int, error) { c.n += int64(len(p)); return len(p), nil }

func (w wide) write(out io.Writer) error {
	schema := arrow.NewSchema([]arrow.Field{{Name: "cost", Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues(w.batch, nil)
	rec := array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, int64(len(w.batch)))
	f, err := ipc.NewFileWriter(out, ipc.WithSchema(schema))
	if err != nil {
		return err
	}
	for range w.batches {
		if err := f.Write(rec); err != nil {
			return err
		}
	}
	return f.Close()
}

// An extract may be larger than a child's memory: the child maps it and pays nothing for what it shares.
func TestExtractOfTwiceTheChildsMemory(t *testing.T) {
	t.Parallel()
	src := wide{batch: make([]int64, 1<<20), batches: 140} // 1.1 GiB
	for i := range src.batch {
		src.batch[i] = int64(i % 7)
	}
	p := newPool(t, func(c *sandbox.Config) { c.MemoryLimit = 512 << 20; c.Spares = 0 })
	s := session(t, p, "g", src)
	a, err := s.RunUncharged(context.Background(), `SELECT cost::BIGINT, count(*)::BIGINT, sum(cost)::BIGINT FROM "visit" GROUP BY cost ORDER BY cost`, []string{"visit"}, 3)
	if err != nil {
		t.Fatal(err)
	}
	var rows int64
	for i, n := range a.Columns[1] {
		rows += n
		if a.Columns[2][i] != n*int64(i) {
			t.Errorf("group %d: %d rows, sum %d", i, n, a.Columns[2][i])
		}
	}
	if rows != 140<<20 {
		t.Errorf("%d rows", rows)
	}
}

// An extract larger than what the machine has is refused before a byte of it is copied, with the reason; nothing was charged for.
func TestExtractLargerThanTheMachine(t *testing.T) {
	t.Parallel()
	src := wide{batch: make([]int64, 1<<20), batches: 16} // 128 MiB
	var broken error
	free := int64(190 << 20) // with what is left to the rest of the machine: not enough
	p := newPool(t, func(c *sandbox.Config) { c.Spares = 0; c.Free = func() (int64, error) { return free, broken } })
	_, err := p.Session(context.Background(), "g", src)
	if !errors.Is(err, sandbox.ErrBeforeData) || !errors.Is(err, sandbox.ErrTooLarge) || !strings.Contains(err.Error(), "128 MiB needed, 126 MiB free") {
		t.Errorf("refused as: %v", err)
	}
	broken = errors.New("no number")
	if _, err := p.Session(context.Background(), "g", src); !errors.Is(err, sandbox.ErrBeforeData) {
		t.Errorf("without a number: %v", err)
	}
	if st := p.Stats(); st.Files != 0 {
		t.Errorf("left over: %+v", st)
	}
	free, broken = 200<<20, nil
	if _, err := session(t, p, "g", src).RunUncharged(context.Background(), count, []string{"visit"}, 1); err != nil {
		t.Errorf("with enough memory: %v", err)
	}
}
