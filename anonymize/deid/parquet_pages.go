package deid

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// Numbers of the format.
const (
	pageData         = 0
	pageDictionary   = 2
	pageDataV2       = 3
	encodePlain      = 0
	encodePlainIndex = 2
	encodeRuns       = 3
	encodeBits       = 4
	encodeIndex      = 8
)

// Fields of a page's header.
const (
	fieldKind         = 0x01
	fieldSize         = 0x02
	fieldPacked       = 0x03
	fieldValues       = 0x0501
	fieldEncoding     = 0x0502
	fieldLevels       = 0x0503
	fieldDictValues   = 0x0701
	fieldDictEncoding = 0x0702
	fieldValuesV2     = 0x0801
	fieldRowsV2       = 0x0803
	fieldEncodingV2   = 0x0804
	fieldDefinedV2    = 0x0805
	fieldRepeatedV2   = 0x0806
	fieldPackedV2     = 0x0807
)

var (
	errPage     = errors.New("a page is damaged")
	errEncoding = errors.New("encoding")
)

// pageCheck walks over the pages of a flat column in a row group before the library reads them. The library sets memory aside for what
// a dictionary, an index into one, a delta header or a compressor's preamble claims; here each claim is held against the bytes there are.
// Behind the end of a chunk the library reads old bytes of its buffer as headers, for ever where they are of a page that it does not know:
// so the pages must hold all rows of the group before that end.
type pageCheck struct {
	from     io.ReaderAt
	at, end  int64
	codec    compress.Compression
	optional bool  // the pages say which values are NULL
	width    int64 // least bytes of a value, written plain; 0 where there are no dictionaries
	rows     int64
	values   int64 // in the pages so far
	entries  bool  // a dictionary was there

	header, packed, page []byte // for use again
}

// checkColumn refuses a column of a row group whose pages do not hold exactly the group's rows, or that ask for more than they can fill.
func (p *parquetReader) checkColumn(meta *metadata.FileMetaData, group, field int) error {
	c, d, k := meta.RowGroups[group].Columns[p.leaves[field]].MetaData, meta.Schema.Column(p.leaves[field]), &p.pages
	k.at, k.codec = chunkStart(c.DataPageOffset, c.DictionaryPageOffset), compress.Compression(c.Codec)
	k.end, k.rows = k.at+c.TotalCompressedSize, meta.RowGroups[group].NumRows
	k.optional, k.width, k.values, k.entries = d.MaxDefinitionLevel() > 0, plainWidth(d), 0, false
	err := errPage
	if c.NumValues == k.rows && d.MaxRepetitionLevel() == 0 && d.MaxDefinitionLevel() <= 1 && parquet.Type(c.Type) == d.PhysicalType() {
		err = nil
	}
	for err == nil && k.values < k.rows {
		err = k.next()
	}
	switch {
	case errors.Is(err, errEncoding):
		return &SourceError{File: p.file, Text: fmt.Sprintf("column %d is written in a delta or split encoding: write it plain or with a dictionary", field+1)}
	case err != nil:
		return p.damaged()
	}
	return nil
}

func plainWidth(d *schema.Column) int64 {
	switch d.PhysicalType() {
	case parquet.Types.Int32, parquet.Types.Float, parquet.Types.ByteArray:
		return 4
	case parquet.Types.Int64, parquet.Types.Double:
		return 8
	case parquet.Types.Int96:
		return 12
	case parquet.Types.FixedLenByteArray:
		return int64(d.TypeLength())
	default:
		return 0
	}
}

// next checks one page.
func (k *pageCheck) next() error {
	h, err := k.head()
	if err != nil {
		return err
	}
	size, packed := h[fieldSize], h[fieldPacked]
	if size < 0 || size > maxPage || packed < 0 || packed > maxPacked || packed > k.end-k.at {
		return errPage
	}
	body := k.at
	k.at += packed
	switch h[fieldKind] {
	case pageDictionary:
		return k.dictionary(h, body)
	case pageData:
		if err := k.count(h[fieldValues], h[fieldEncoding]); err != nil {
			return err
		}
		text, err := k.unpack(body, packed, size, k.codec, indexed(h[fieldEncoding]))
		if err != nil || !indexed(h[fieldEncoding]) {
			return err
		}
		return k.index(text, h)
	case pageDataV2:
		levels := h[fieldDefinedV2] + h[fieldRepeatedV2]
		if h[fieldDefinedV2] < 0 || h[fieldRepeatedV2] < 0 || levels > min(packed, size) || h[fieldRowsV2] != h[fieldValuesV2] {
			return errPage
		}
		if err := k.count(h[fieldValuesV2], h[fieldEncodingV2]); err != nil {
			return err
		}
		codec := k.codec
		if h[fieldPackedV2] == 0 {
			codec = compress.Codecs.Uncompressed
		}
		text, err := k.unpack(body+levels, packed-levels, size-levels, codec, indexed(h[fieldEncodingV2]))
		if err != nil || !indexed(h[fieldEncodingV2]) {
			return err
		}
		return indexBits(text)
	default: // the library reads on in the midst of pages that it does not know
		return errPage
	}
}

func indexed(encoding int64) bool { return encoding == encodePlainIndex || encoding == encodeIndex }

// count takes a data page's values into the sum.
func (k *pageCheck) count(values, encoding int64) error {
	switch {
	case values < 0 || values > k.rows-k.values, indexed(encoding) && !k.entries:
		return errPage
	case encoding != encodePlain && encoding != encodeRuns && !indexed(encoding):
		return errEncoding
	}
	k.values += values
	return nil
}

func (k *pageCheck) dictionary(h map[uint64]int64, body int64) error {
	n := h[fieldDictValues]
	if k.entries || k.values > 0 || k.width == 0 || n < 0 || n*k.width > h[fieldSize] ||
		h[fieldDictEncoding] != encodePlain && h[fieldDictEncoding] != encodePlainIndex {
		return errPage
	}
	k.entries = true
	_, err := k.unpack(body, h[fieldPacked], h[fieldSize], k.codec, false)
	return err
}

// index finds the indices of a page of the first version, behind the levels.
func (k *pageCheck) index(text []byte, h map[uint64]int64) error {
	levels := int64(0)
	switch {
	case !k.optional:
	case h[fieldLevels] == encodeRuns && len(text) >= 4:
		levels = 4 + int64(binary.LittleEndian.Uint32(text))
	case h[fieldLevels] == encodeBits:
		levels = (h[fieldValues] + 7) / 8
	default:
		return errPage
	}
	if levels > int64(len(text)) {
		return errPage
	}
	return indexBits(text[levels:])
}

// indexBits bounds the largest index that a page can name: the library makes room for a dictionary of that length.
func indexBits(text []byte) error {
	if len(text) > 0 && text[0] > maxIndexBits {
		return errPage
	}
	return nil
}

// head reads the header at k.at and goes behind it.
func (k *pageCheck) head() (map[uint64]int64, error) {
	for window := int64(startPageHeader); ; window *= 2 {
		window = min(window, k.end-k.at, maxPageHeader)
		k.header = slices.Grow(k.header[:0], int(window))[:window]
		if _, err := k.from.ReadAt(k.header, k.at); err != nil {
			return nil, errPage
		}
		h := map[uint64]int64{fieldPackedV2: 1}
		scan := thriftScan{data: k.header, see: func(path uint64, wire byte, v int64) error {
			if wire == wireInt || path == fieldPackedV2 && (wire == wireTrue || wire == wireFalse) {
				h[path] = v
			}
			return nil
		}}
		if err := scan.structure(0, thriftDepth); err == nil {
			k.at += int64(scan.at)
			return h, nil
		}
		if window == k.end-k.at || window == maxPageHeader {
			return nil, errPage
		}
	}
}

// unpack checks that a body does not ask a decompressor for more than size, and gives what is packed in it where that is wanted.
func (k *pageCheck) unpack(at, packed, size int64, codec compress.Compression, wanted bool) ([]byte, error) {
	if codec == compress.Codecs.Uncompressed && packed != size || size == 0 && packed > maxEmptyPacked {
		return nil, errPage
	}
	if packed == 0 || size == 0 {
		return nil, nil
	}
	if !wanted && codec != compress.Codecs.Snappy && codec != compress.Codecs.Zstd {
		return nil, nil // these write no further than they have room
	}
	k.packed = slices.Grow(k.packed[:0], int(packed))[:packed]
	if _, err := k.from.ReadAt(k.packed, at); err != nil {
		return nil, errPage
	}
	switch codec {
	case compress.Codecs.Uncompressed:
		return k.packed, nil
	case compress.Codecs.Zstd:
		return k.unpackZstd(size)
	case compress.Codecs.Snappy:
		if n, read := binary.Uvarint(k.packed); read <= 0 || n != uint64(size) {
			return nil, errPage
		}
		if !wanted {
			return nil, nil
		}
	}
	by, err := compress.GetCodec(codec)
	if err != nil {
		return nil, errPage
	}
	k.page = slices.Grow(k.page[:0], int(size))[:size]
	text, err := compress.Decode(by, k.page, k.packed)
	if err != nil || int64(len(text)) != size {
		return nil, errPage
	}
	return text, nil
}

// unpackZstd unpacks as a stream, which ends behind size; in one piece, the library would follow the content wherever it leads.
func (k *pageCheck) unpackZstd(size int64) ([]byte, error) {
	by, err := compress.GetCodec(compress.Codecs.Zstd)
	if err != nil {
		return nil, errPage
	}
	stream, is := by.(compress.StreamingCodec)
	if !is {
		return nil, errPage
	}
	r := stream.NewReader(&sliceReader{k.packed})
	defer func() { _ = r.Close() }()
	k.page = slices.Grow(k.page[:0], int(size))[:size]
	if _, err := io.ReadFull(r, k.page); err != nil {
		return nil, errPage
	}
	var more [1]byte
	if n, err := io.ReadFull(r, more[:]); n != 0 || !errors.Is(err, io.EOF) {
		return nil, errPage
	}
	return k.page, nil
}

// sliceReader hides from zstd that all is in memory: it unpacks a bytes.Reader in one piece.
type sliceReader struct{ rest []byte }

func (r *sliceReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// boundedAllocator panics, for rescue to catch, where one column of a batch asks for more than a batch of rows can hold.
type boundedAllocator struct{ memory.Allocator }

func (a boundedAllocator) Allocate(size int) []byte {
	return a.Allocator.Allocate(bounded(size))
}

func (a boundedAllocator) Reallocate(size int, b []byte) []byte {
	return a.Allocator.Reallocate(bounded(size), b)
}

func bounded(size int) int {
	if size > maxAllocated {
		panic("too much memory") //nolint:forbidigo // an allocator has no error to return, and rescue makes one
	}
	return size
}
