package breakout

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"golang.org/x/sys/unix"
)

// tableRows is how many rows the report's extract has: made up, all zero.
const tableRows = 64

// table makes a sealed memory file of one column, as the service gives them to its children.
func table() (*os.File, int64, error) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "cost", Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(make([]int64, tableRows), nil)
	var out bytes.Buffer
	w, err := ipc.NewFileWriter(&out, ipc.WithSchema(schema))
	if err != nil {
		return nil, 0, fmt.Errorf("table: %w", err)
	}
	err = w.Write(array.NewRecordBatch(schema, []arrow.Array{b.NewArray()}, tableRows))
	if err := errors.Join(err, w.Close()); err != nil {
		return nil, 0, fmt.Errorf("table: %w", err)
	}
	fd, err := unix.MemfdCreate("carrel-report", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_NOEXEC_SEAL)
	if err != nil {
		return nil, 0, fmt.Errorf("memory file: %w", err)
	}
	f := os.NewFile(uintptr(fd), "carrel-report")
	_, err = f.Write(out.Bytes())
	if err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_SEAL)
	}
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("memory file: %w", err), f.Close())
	}
	return f, int64(out.Len()), nil
}
