package deid

import (
	"bytes"
	"encoding/binary"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// What a Parquet source may have at most.
const (
	maxFooter       = 64 << 20
	maxColumns      = 1 << 14
	maxRowsPerByte  = 1 << 10 // of the whole file: more is no table of records
	maxFixed        = 32      // bytes of a decimal
	maxDigits       = 76      // of a decimal
	footerTail      = 8       // the footer's length and the magic number
	schemaPath      = 0x02
	childrenPath    = 0x0205
	parquetEnd      = "PAR1"
	mebibyte        = 1 << 20
	maxPacked       = 64 * mebibyte  // of a page; as the library's own limit
	maxPage         = 256 * mebibyte // of a page, unpacked; as the library's own limit
	maxAllocated    = 1 << 30        // by one column at a time
	maxIndexBits    = 24             // of an index into a dictionary
	maxEmptyPacked  = 64             // bytes that a compressor may need to say that there is nothing
	maxPageHeader   = 4 * mebibyte   // as the library's own limit
	startPageHeader = 16 << 10
)

// checkFooter walks over the footer before the library does, which would believe every length in it.
func (p *parquetReader) checkFooter(f io.ReaderAt) error {
	var tail [footerTail]byte
	if _, err := f.ReadAt(tail[:], p.size-footerTail); err != nil || !bytes.HasSuffix(tail[:], []byte(parquetEnd)) {
		return p.damaged()
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > maxFooter || n > p.size-footerTail {
		return p.damaged()
	}
	footer := make([]byte, n)
	if _, err := f.ReadAt(footer, p.size-footerTail-n); err != nil {
		return p.damaged()
	}
	elements := int64(0)
	scan := thriftScan{data: footer, see: func(path uint64, wire byte, v int64) error {
		switch {
		case wire == wireList && v>>4 > 0 && !fitsFooter(path, byte(v&0x0f)),
			path == schemaPath && wire == wireList && v>>4 > maxColumns,
			path == childrenPath && (v < 0 || v > elements):
			return errThrift
		case path == schemaPath && wire == wireList:
			elements = v >> 4
		}
		return nil
	}}
	if err := scan.structure(0, thriftDepth); err != nil {
		return p.damaged()
	}
	return nil
}

// fitsFooter says whether the elements of a list have the type that its reader takes for granted: the library does not look, and would
// read on out of step with what was checked here. Lists that it does not know it walks over as thriftScan does.
func fitsFooter(path uint64, of byte) bool {
	switch path {
	case schemaPath, 0x04, 0x05, 0x07, 0x0401, 0x0404, 0x04010308, 0x0401030d: // schema, row groups, keys, orders, chunks, sorting, keys, statistics
		return of == wireStruct
	case 0x04010302, 0x0401031102: // encodings, shapes
		return of == wireInt
	case 0x04010303, 0x0401080201: // paths of a column and of an encrypted one
		return of == wireBinary
	case 0x0401031002, 0x0401031003: // histograms of levels
		return of == wireLong
	default:
		return true
	}
}

// checkGroups holds the footer's numbers against each other and against the file.
func (p *parquetReader) checkGroups(meta *metadata.FileMetaData) error {
	sum := int64(0)
	for _, g := range meta.RowGroups {
		if g.NumRows < 0 || len(g.Columns) != meta.Schema.NumColumns() {
			return p.damaged()
		}
		if sum += g.NumRows; sum < 0 || sum/maxRowsPerByte > p.size {
			return p.damaged()
		}
		for _, c := range g.Columns {
			if c.MetaData == nil || c.CryptoMetadata != nil {
				return p.damaged()
			}
			start, length := chunkStart(c.MetaData.DataPageOffset, c.MetaData.DictionaryPageOffset), c.MetaData.TotalCompressedSize
			if start < 0 || length < 0 || start > p.size-length || c.MetaData.TotalUncompressedSize < 0 {
				return p.damaged()
			}
		}
	}
	if sum != meta.NumRows {
		return p.damaged()
	}
	return nil
}

// chunkStart is where the library starts to read a column of a row group.
func chunkStart(data int64, dictionary *int64) int64 {
	if dictionary != nil && *dictionary > 0 && *dictionary < data {
		return *dictionary
	}
	return data
}

// sane refuses types whose values the library could not hold, or could only write as texts without end.
func sane(t arrow.DataType, column *schema.Column) bool {
	if d, is := t.(arrow.DecimalType); is && (d.GetScale() < 0 || d.GetScale() > maxDigits || d.GetPrecision() > maxDigits) {
		return false
	}
	return column.PhysicalType() != parquet.Types.FixedLenByteArray || column.TypeLength() > 0 && column.TypeLength() <= maxFixed
}
