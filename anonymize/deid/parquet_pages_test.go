package deid

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/apache/arrow-go/v18/parquet/schema"
	"pgregory.net/rapid"
)

// parquetOf writes rows of a text, a number and a truth value, with NULL in between.
func parquetOf(t testing.TB, rows int, with ...parquet.WriterProperty) []byte {
	t.Helper()
	mem := memory.DefaultAllocator
	texts, numbers, truths := array.NewStringBuilder(mem), array.NewInt64Builder(mem), array.NewBooleanBuilder(mem)
	for i := range rows {
		if texts.Append(fmt.Sprint("text ", i%7)); i%5 == 0 {
			numbers.AppendNull()
		} else {
			numbers.Append(int64(i * i))
		}
		truths.Append(i%3 == 0)
	}
	sc := arrow.NewSchema([]arrow.Field{{Name: "t", Type: arrow.BinaryTypes.String}, {Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}}, nil)
	batch := array.NewRecordBatch(sc, []arrow.Array{texts.NewArray(), numbers.NewArray(), truths.NewArray()}, int64(rows))
	var out bytes.Buffer
	w, err := pqarrow.NewFileWriter(sc, &out, parquet.NewWriterProperties(append(with, parquet.WithMaxRowGroupLength(100))...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(batch), w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// forms are the ways in which the library writes what is read here.
func forms() map[string][]parquet.WriterProperty {
	out := map[string][]parquet.WriterProperty{}
	for name, codec := range map[string]compress.Compression{"plain": compress.Codecs.Uncompressed, "snappy": compress.Codecs.Snappy, "gzip": compress.Codecs.Gzip,
		"brotli": compress.Codecs.Brotli, "zstd": compress.Codecs.Zstd, "lz4": compress.Codecs.Lz4Raw} {
		for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
			for _, dict := range []bool{true, false} {
				out[fmt.Sprintf("%s, version %d, dictionary %v", name, version+1, dict)] = []parquet.WriterProperty{
					parquet.WithCompression(codec), parquet.WithDataPageVersion(version), parquet.WithDictionaryDefault(dict)}
			}
		}
	}
	return out
}

// drain reads a whole file and counts its rows.
func drain(raw []byte) (int, error) {
	p, err := newParquetReader(context.Background(), "x.parquet", bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		return 0, err
	}
	rows, b := -1, new(records)
	for {
		err := p.next(b)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		rows += b.rows
	}
}

// Every form is read whole; damaged, each gives rows or an error of one sentence, and soon.
func TestDamagedForms(t *testing.T) {
	t.Parallel()
	for name, with := range forms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := parquetOf(t, 250, with...)
			if rows, err := drain(whole); rows != 250 || err != nil {
				t.Fatalf("%d rows, %v", rows, err)
			}
			rapid.Check(t, func(rt *rapid.T) {
				raw := bytes.Clone(whole)
				for range rapid.IntRange(1, 4).Draw(rt, "flips") {
					raw[rapid.IntRange(0, len(raw)-1).Draw(rt, "at")] ^= byte(rapid.IntRange(1, 255).Draw(rt, "bits"))
				}
				drainSoon(rt, raw)
			})
		})
	}
}

func drainSoon(t rapid.TB, raw []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		_, err := drain(raw)
		done <- err
	}()
	select {
	case err := <-done:
		var bad *SourceError
		if err != nil && !errors.As(err, &bad) {
			t.Fatal(err)
		}
	case <-ctx.Done():
		t.Fatal("the file is read without end")
	}
}

func TestDeltaIsRefused(t *testing.T) {
	t.Parallel()
	raw := parquetOf(t, 250, parquet.WithDictionaryDefault(false), parquet.WithEncodingFor("n", parquet.Encodings.DeltaBinaryPacked))
	if _, err := drain(raw); err == nil || !strings.Contains(err.Error(), "x.parquet: column 2 is written in a delta or split encoding") {
		t.Error(err)
	}
}

// Metadata that claim more than they hold are refused before anything is set aside for it.
func TestThriftBelievesNoLength(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		data string
		ok   bool
	}{
		"empty":              {"\x00", true},
		"no end":             {"\x15\x02", false},
		"a list":             {"\x19\x25\x02\x04\x00", true},
		"a long list":        {"\x19\xf5\xff\xff\xff\x07\x02\x00", false},
		"a list of truths":   {"\x19\x21\x01\x02\x00", true},
		"many truths":        {"\x19\xf1\x7f\x01\x02\x00", false},
		"a text":             {"\x18\x01a\x00", true},
		"a long text":        {"\x18\x7fa\x00", false},
		"a map":              {"\x1b\x00\x00", false},
		"deep":               {strings.Repeat("\x1c", 7) + strings.Repeat("\x00", 8), true},
		"too deep":           {strings.Repeat("\x1c", 8) + strings.Repeat("\x00", 9), false},
		"a number too large": {"\x15\xff\xff\xff\xff\xff\x01\x00", false},
		"field 0":            {"\x05\x00\x02\x00", false},
	} {
		s := thriftScan{data: []byte(x.data), see: func(uint64, byte, int64) error { return nil }}
		if err := s.structure(0, thriftDepth); (err == nil) != x.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// footed is a file of nothing but a footer.
func footed(footer string) []byte {
	out := append([]byte("PAR1"), footer...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(footer)))
	return append(out, "PAR1"...)
}

func TestFooterIsChecked(t *testing.T) {
	t.Parallel()
	root := func(children string) string { return "\x29\x1c\x55" + children + "\x00\x00" }
	for name, x := range map[string]struct {
		raw []byte
		ok  bool
	}{
		"a root":                {footed(root("\x00")), true},
		"too many children":     {footed(root("\x80\xa0\x06")), false},
		"negative children":     {footed(root("\x01")), false},
		"a schema of numbers":   {footed("\x29\x15\x00\x00"), false},
		"groups of numbers":     {footed("\x49\x15\x00\x00"), false},
		"columns without end":   {footed("\x29\xfc\x81\x80\x01" + strings.Repeat("\x00", maxColumns+2)), false},
		"a footer of no length": {append(footed("")[:4], "\xff\xff\xff\xffPAR1"...), false},
		"short":                 {[]byte("PAR1"), false},
		"encrypted":             {bytes.Replace(footed("\x00"), []byte("PAR1"), []byte("PARE"), 2), false},
	} {
		p := &parquetReader{file: "x.parquet", size: int64(len(x.raw))}
		if err := p.checkFooter(bytes.NewReader(x.raw)); (err == nil) != x.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the checks refuse must not reach the library, which reads this file: it passes over maps that it does not know.
func TestFooterIsCheckedFirst(t *testing.T) {
	t.Parallel()
	whole := parquetOf(t, 250)
	end := len(whole) - footerTail
	length := binary.LittleEndian.Uint32(whole[end:])
	raw := append(bytes.Clone(whole[:end-1]), "\x0b\x90\x03\x00\x00"...) // field 200: an empty map
	raw = append(binary.LittleEndian.AppendUint32(raw, length+4), parquetEnd...)
	if _, err := drain(raw); err == nil {
		t.Error("a footer that was not walked over is read")
	}
}

// The footer's numbers must agree with each other and lie in the file.
func TestGroupsAreChecked(t *testing.T) {
	t.Parallel()
	raw := parquetOf(t, 250)
	for name, forge := range map[string]func(*parquetReader){
		"rows of the file":      func(p *parquetReader) { p.meta.NumRows++ },
		"rows below 0":          func(p *parquetReader) { p.meta.RowGroups[0].NumRows, p.meta.RowGroups[1].NumRows = -1, 201 },
		"rows out of nothing":   func(p *parquetReader) { p.meta.NumRows, p.meta.RowGroups[0].NumRows = 1<<40+150, 1<<40 },
		"a column less":         func(p *parquetReader) { p.meta.RowGroups[0].Columns = p.meta.RowGroups[0].Columns[1:] },
		"no metadata":           func(p *parquetReader) { p.meta.RowGroups[0].Columns[0].MetaData = nil },
		"start before the file": func(p *parquetReader) { p.meta.RowGroups[0].Columns[0].MetaData.DataPageOffset = -1 },
		"end behind the file":   func(p *parquetReader) { p.meta.RowGroups[0].Columns[0].MetaData.TotalCompressedSize = p.size },
		"size below 0":          func(p *parquetReader) { p.meta.RowGroups[0].Columns[0].MetaData.TotalCompressedSize = -1 },
	} {
		p, err := newParquetReader(context.Background(), "x.parquet", bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		forge(p)
		if err := p.checkGroups(p.meta); err == nil {
			t.Errorf("%s: believed", name)
		}
	}
}

// A column's own count of values must be its group's, or the reader goes on into groups that nobody has checked.
func TestColumnsAreAsLongAsGroups(t *testing.T) {
	t.Parallel()
	raw := parquetOf(t, 250)
	p, err := newParquetReader(context.Background(), "x.parquet", bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.checkColumn(p.meta, 0, 1); err != nil {
		t.Fatal(err)
	}
	p.meta.RowGroups[0].Columns[1].MetaData.NumValues--
	if err := p.checkColumn(p.meta, 0, 1); err == nil {
		t.Error("a column is shorter than its group")
	}
}

// The text of a decimal has as many digits as its scale says.
func TestDecimalsHaveAnEnd(t *testing.T) {
	t.Parallel()
	column := func(length int) *schema.Column {
		n, err := schema.NewPrimitiveNode("d", parquet.Repetitions.Required, parquet.Types.FixedLenByteArray, -1, int32(length))
		if err != nil {
			t.Fatal(err)
		}
		return schema.NewColumn(n, 0, 0)
	}
	for _, x := range []struct {
		scale  int32
		length int
		ok     bool
	}{{2, 16, true}, {1 << 30, 16, false}, {-1, 16, false}, {2, 1 << 30, false}} {
		if sane(&arrow.Decimal128Type{Precision: 12, Scale: x.scale}, column(x.length)) != x.ok {
			t.Error(x)
		}
	}
}

// page writes a page: kind and sizes, the structure at field inner with its fields, and the body.
func page(kind, size, packed, inner int64, fields string, body string) string {
	h := []byte{0x15}
	h = binary.AppendVarint(h, kind)
	h = append(h, 0x15)
	h = binary.AppendVarint(h, size)
	h = append(h, 0x15)
	h = binary.AppendVarint(h, packed)
	return string(append(h, byte(inner-3)<<4|wireStruct)) + fields + "\x00\x00" + body
}

// fields writes numbers as the fields 1, 2, ...
func fields(of ...int64) string {
	var out []byte
	for _, v := range of {
		out = binary.AppendVarint(append(out, 0x15), v)
	}
	return string(out)
}

// What a page claims is held against the bytes there are.
func TestPagesAreChecked(t *testing.T) {
	t.Parallel()
	zstd, err := compress.GetCodec(compress.Codecs.Zstd)
	if err != nil {
		t.Fatal(err)
	}
	bomb := string(zstd.Encode(nil, make([]byte, 1<<20)))
	snappy := string(binary.AppendUvarint(nil, 1<<31)) + "abcdefgh"
	plain := func(n int64, size int, body string) string {
		return page(pageData, int64(size), int64(len(body)), 5, fields(n, 0, 3, 3), body)
	}
	dict := page(pageDictionary, 8, 8, 7, fields(2, 0), "\x00\x00\x00\x00\x00\x00\x00\x00")
	index := func(bits string) string {
		return page(pageData, 3, 3, 5, fields(4, 8, 3, 3), bits+"\x08\x01")
	}
	for name, x := range map[string]struct {
		codec compress.Compression
		pages string
		ok    bool
	}{
		"plain":                   {compress.Codecs.Uncompressed, plain(4, 8, "abcdefgh"), true},
		"two pages":               {compress.Codecs.Uncompressed, plain(1, 2, "ab") + plain(3, 2, "ab"), true},
		"too few rows":            {compress.Codecs.Uncompressed, plain(3, 8, "abcdefgh"), false},
		"too many rows":           {compress.Codecs.Uncompressed, plain(5, 8, "abcdefgh"), false},
		"a size that is not so":   {compress.Codecs.Uncompressed, plain(4, 9, "abcdefgh"), false},
		"a page too large":        {compress.Codecs.Gzip, plain(4, maxPage+1, "abcdefgh"), false},
		"behind the end":          {compress.Codecs.Gzip, page(pageData, 9, 9, 5, fields(4, 0, 3, 3), "abcdefgh"), false},
		"out of nothing":          {compress.Codecs.Gzip, plain(4, 0, strings.Repeat("a", maxEmptyPacked+1)), false},
		"zstd":                    {compress.Codecs.Zstd, plain(4, 1<<20, bomb), true},
		"zstd, more than said":    {compress.Codecs.Zstd, plain(4, 1<<10, bomb), false},
		"snappy, more than said":  {compress.Codecs.Snappy, plain(4, 8, snappy), false},
		"a dictionary":            {compress.Codecs.Uncompressed, dict + index("\x01"), true},
		"an index without end":    {compress.Codecs.Uncompressed, dict + index("\x20"), false},
		"no dictionary":           {compress.Codecs.Uncompressed, index("\x01"), false},
		"two dictionaries":        {compress.Codecs.Uncompressed, dict + dict + index("\x01"), false},
		"a dictionary of nothing": {compress.Codecs.Uncompressed, page(pageDictionary, 8, 8, 7, fields(1<<30, 0), "abcdefgh") + index("\x01"), false},
		"delta":                   {compress.Codecs.Uncompressed, page(pageData, 8, 8, 5, fields(4, 6, 3, 3), "abcdefgh"), false},
		"unknown page":            {compress.Codecs.Uncompressed, page(1, 0, 0, 5, "", "") + plain(4, 8, "abcdefgh"), false},
	} {
		k := pageCheck{from: strings.NewReader(x.pages), end: int64(len(x.pages)), codec: x.codec, width: 4, rows: 4}
		var err error
		for err == nil && k.values < k.rows {
			err = k.next()
		}
		if (err == nil) != x.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAllocatorIsBounded(t *testing.T) {
	t.Parallel()
	defer func() {
		if recover() == nil {
			t.Error("more than a batch may hold was given")
		}
	}()
	boundedAllocator{memory.DefaultAllocator}.Allocate(maxAllocated + 1)
}
