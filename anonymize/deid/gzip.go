package deid

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// How much a packed source may unpack to: freely up to unpackFree, above that unpackRatio times its size. Tables of text pack ten to fifty times;
// what packs more is empty, or made to fill a machine: gzip can hide a terabyte in a gigabyte. Rows are read as they come, so what a file may
// unpack to bounds time and the rows that are kept, not what one buffer holds.
const (
	unpackFree  = 64 << 20
	unpackRatio = 250
)

// isPacked says by its name that a source is gzip (RFC 1952) around text.
func isPacked(file string) bool { return strings.HasSuffix(file, ".gz") }

// unpacker reads a gzip file, also one of several members one behind the other. Whatever is wrong with the file is a *SourceError: the
// library's io.ErrUnexpectedEOF of a file that was cut would pass for the end of the table.
type unpacker struct {
	file string
	gz   *gzip.Reader
	left int64
}

func newUnpacker(file string, from io.Reader, size int64) (*unpacker, error) {
	u := &unpacker{file: file, left: max(unpackFree, unpackRatio*size)}
	var err error
	if u.gz, err = gzip.NewReader(bufio.NewReaderSize(from, 1<<16)); err != nil {
		return nil, u.damaged(err)
	}
	return u, nil
}

// damaged tells what is wrong with the file from what is wrong with the disk.
func (u *unpacker) damaged(err error) error {
	text := "the file is not gzip, or is damaged"
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		text = "the packed file ends before its end: it was cut"
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, new(flate.CorruptInputError)):
	default:
		return fmt.Errorf("%s: read: %w", u.file, err)
	}
	return &SourceError{File: u.file, Text: text}
}

// Read gives at most what is left, and an error when there is more.
func (u *unpacker) Read(p []byte) (int, error) {
	n, err := u.gz.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return 0, &SourceError{File: u.file, Text: fmt.Sprintf("the file unpacks to more than %d times its size: if that is meant, unpack it first", unpackRatio)}
	}
	if err == nil || err == io.EOF { //nolint:errorlint // the end is io.EOF itself; wrapped it is none
		return n, err
	}
	return 0, u.damaged(err)
}
