package extract

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Integer is the set of stored types.
type Integer interface {
	~uint8 | ~uint16 | ~uint32 | ~int8 | ~int16 | ~int32 | ~int64
}

// Vector is one column of a batch in the type of its column. It is made by Of and read by the Writer.
type Vector struct {
	typ   arrow.DataType
	bytes []byte
	valid []byte // Arrow validity bitmap, nil when no value is missing
	n     int
	keep  any
}

// Of wraps values without copying them: they must not change until the Writer has returned. valid is an Arrow bitmap
// (bit i of byte i/8, 1 = present) or nil when nothing is missing.
func Of[T Integer](values []T, valid []byte) Vector {
	var zero T
	v := Vector{valid: valid, n: len(values), keep: values}
	switch any(zero).(type) {
	case uint8:
		v.typ = arrow.PrimitiveTypes.Uint8
	case uint16:
		v.typ = arrow.PrimitiveTypes.Uint16
	case uint32:
		v.typ = arrow.PrimitiveTypes.Uint32
	case int8:
		v.typ = arrow.PrimitiveTypes.Int8
	case int16:
		v.typ = arrow.PrimitiveTypes.Int16
	case int32:
		v.typ = arrow.PrimitiveTypes.Int32
	case int64:
		v.typ = arrow.PrimitiveTypes.Int64
	}
	if len(values) > 0 {
		// The plain bytes of a slice of fixed-width integers, as Arrow wants them on a little-endian machine.
		v.bytes = unsafe.Slice((*byte)(unsafe.Pointer(&values[0])), len(values)*int(unsafe.Sizeof(zero)))
	}
	return v
}

// Pack makes a Vector of the column's type from wide values; a value that does not fit the type is an error. It is the
// slow, simple way for tests and small tables.
func Pack(c Column, values []int64, missing []bool) (Vector, error) {
	lo, hi, ok := typeRange(c.ArrowType)
	if !ok {
		return Vector{}, fmt.Errorf("column %q has no known integer type", c.Name)
	}
	var valid []byte
	for i, m := range missing {
		if m {
			if valid == nil {
				valid = make([]byte, (len(values)+7)/8)
				bitutil.SetBitsTo(valid, 0, int64(len(values)), true)
			}
			bitutil.ClearBit(valid, i)
		}
	}
	for i, v := range values {
		if (v < lo || v > hi) && (i >= len(missing) || !missing[i]) {
			return Vector{}, fmt.Errorf("a value of column %q does not fit %s", c.Name, c.ArrowType)
		}
	}
	switch c.ArrowType {
	case "uint8":
		return Of(narrow[uint8](values), valid), nil
	case "uint16":
		return Of(narrow[uint16](values), valid), nil
	case "uint32":
		return Of(narrow[uint32](values), valid), nil
	case "int8":
		return Of(narrow[int8](values), valid), nil
	case "int16":
		return Of(narrow[int16](values), valid), nil
	case "int32":
		return Of(narrow[int32](values), valid), nil
	default:
		return Of(values, valid), nil
	}
}

func narrow[T Integer](values []int64) []T {
	out := make([]T, len(values))
	for i, v := range values {
		out[i] = T(v)
	}
	return out
}

// array gives the Arrow array over the same memory.
func (v Vector) array() arrow.Array {
	bufs := []*memory.Buffer{nil, memory.NewBufferBytes(v.bytes)}
	nulls := 0
	if v.valid != nil {
		nulls = v.n - bitutil.CountSetBits(v.valid, 0, v.n)
		if nulls > 0 {
			bufs[0] = memory.NewBufferBytes(v.valid)
		}
	}
	data := array.NewData(v.typ, v.n, bufs, nil, nulls, 0)
	defer data.Release()
	return array.MakeFromData(data)
}
