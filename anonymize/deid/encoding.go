package deid

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	utf8x "github.com/segmentio/asm/utf8" // 32 bytes at once; four times as fast as the loop over runes
	"golang.org/x/text/encoding/simplifiedchinese"
)

var (
	bom8   = []byte{0xEF, 0xBB, 0xBF}
	bom16a = []byte{0xFF, 0xFE}
	bom16b = []byte{0xFE, 0xFF}
	zipped = []byte("PK\x03\x04")
)

// decoded returns the file's text as UTF-8 without its byte order mark. With auto the whole file is looked at first: it
// is UTF-8 if all of it is, else GB 18030 (of which GBK and GB 2312 are parts). A guess from the first lines would go
// wrong in the file whose first Chinese name stands on line 40,000.
func decoded(name string, f *os.File, declared string, size int64) (io.Reader, error) {
	bad := int64(0)
	var err error
	if isPacked(name) || !allUTF8(f, size, pieceSize) {
		var text io.Reader
		if text, err = reopened(name, f, size); err == nil {
			bad, err = firstBadLine(text)
		}
	}
	if err != nil {
		if e := (*SourceError)(nil); errors.As(err, &e) {
			e.File = name
			return nil, e
		}
		return nil, fmt.Errorf("%s: read: %w", name, err)
	}
	text, err := reopened(name, f, size)
	switch {
	case err != nil:
		return nil, err
	case declared == "utf-8" && bad > 0:
		return nil, &SourceError{File: name, Line: bad, Text: "the text is not UTF-8, as the recipe declares it to be"}
	case declared == "gb18030", declared == "auto" && bad > 0:
		return &gbReader{from: simplifiedchinese.GB18030.NewDecoder().Reader(text), file: name, line: 1}, nil
	default:
		return skipBOM(text)
	}
}

// reopened gives the text of a source from its start.
func reopened(name string, f *os.File, size int64) (io.Reader, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("%s: read: %w", name, err)
	}
	if isPacked(name) {
		return newUnpacker(name, f, size)
	}
	return f, nil
}

func skipBOM(text io.Reader) (io.Reader, error) {
	head := make([]byte, len(bom8))
	n, err := io.ReadFull(text, head)
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, err
	case bytes.Equal(head[:n], bom8):
		return text, nil
	default:
		return io.MultiReader(bytes.NewReader(head[:n]), text), nil
	}
}

// pieceSize is what one goroutine checks at a time.
const pieceSize = 4 << 20

// allUTF8 checks a whole file on all processors. It says no to what firstBadLine has to look at: bytes that are not UTF-8, a mark of
// UTF-16, an error of reading.
func allUTF8(f io.ReaderAt, size, piece int64) bool {
	var next atomic.Int64
	var bad atomic.Bool
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			buf := make([]byte, min(piece, size)+utf8.UTFMax)
			for !bad.Load() {
				at := next.Add(piece) - piece
				if at >= size {
					return
				}
				if !pieceUTF8(f, at, int(piece), buf) {
					bad.Store(true)
				}
			}
		})
	}
	wg.Wait()
	return !bad.Load()
}

// pieceUTF8 checks one piece of a file. Every byte belongs to one piece: a piece goes from its first start of a rune to the first start
// of a rune behind its end.
func pieceUTF8(f io.ReaderAt, at int64, piece int, buf []byte) bool {
	n, err := f.ReadAt(buf, at)
	if err != nil && !errors.Is(err, io.EOF) {
		return false
	}
	b, start, end := buf[:n], 0, min(n, piece)
	for end < n && !utf8.RuneStart(b[end]) {
		end++
	}
	for at > 0 && start < end && !utf8.RuneStart(b[start]) {
		start++
	}
	switch {
	case end == len(buf), start >= utf8.UTFMax: // no rune is so long
		return false
	case at == 0 && (bytes.HasPrefix(b, bom16a) || bytes.HasPrefix(b, bom16b)):
		return false
	}
	return utf8x.Valid(b[start:end])
}

// firstBadLine returns the line of the first byte that is not UTF-8, 0 if there is none.
func firstBadLine(text io.Reader) (int64, error) {
	buf := make([]byte, 1<<20)
	keep, line, first := 0, int64(1), true
	for {
		n, err := io.ReadFull(text, buf[keep:])
		end := err == io.EOF || err == io.ErrUnexpectedEOF
		if err != nil && !end {
			return 0, err
		}
		b := buf[:keep+n]
		if first && (bytes.HasPrefix(b, bom16a) || bytes.HasPrefix(b, bom16b)) {
			return 0, &SourceError{Text: "the text is UTF-16: save it as UTF-8"}
		}
		if first && bytes.HasPrefix(b, zipped) {
			return 0, &SourceError{Text: "the file is an archive or a workbook: unpack it, or save its sheets as CSV"}
		}
		first = false
		whole := len(b)
		if !end {
			whole = completeRunes(b)
		}
		if !utf8x.Valid(b[:whole]) {
			return line + linesBeforeBad(b[:whole]), nil
		}
		if end {
			return 0, nil
		}
		line += int64(bytes.Count(b[:whole], newline))
		keep = copy(buf, b[whole:])
	}
}

// completeRunes cuts a rune that the end of the buffer has split.
func completeRunes(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if utf8.FullRune(b[i:]) {
				return len(b)
			}
			return i
		}
	}
	return len(b)
}

func linesBeforeBad(b []byte) int64 {
	lines := int64(0)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			return lines
		}
		if r == '\n' {
			lines++
		}
		b = b[n:]
	}
	return lines
}

// gbReader refuses bytes that are no GB 18030 either: the decoder would put a replacement character in their place.
type gbReader struct {
	from io.Reader
	file string
	line int64
	tail [2]byte
}

var replacement = []byte("\uFFFD")

func (g *gbReader) Read(p []byte) (int, error) {
	n, err := g.from.Read(p)
	joined := append(g.tail[:len(g.tail):len(g.tail)], p[:n]...)
	if i := bytes.Index(joined, replacement); i >= 0 {
		line := g.line + int64(bytes.Count(joined[:i], newline))
		return 0, &SourceError{File: g.file, Line: line, Text: "the text is neither UTF-8 nor GB 18030"}
	}
	g.line += int64(bytes.Count(p[:n], newline))
	if len(joined) >= 2 {
		copy(g.tail[:], joined[len(joined)-2:])
	}
	return n, err
}
