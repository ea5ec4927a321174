package deid

import (
	"encoding/binary"
	"errors"
	"math"
)

// Types of Thrift's compact protocol.
const (
	wireTrue   = 1
	wireFalse  = 2
	wireByte   = 3
	wireShort  = 4
	wireInt    = 5
	wireLong   = 6
	wireDouble = 7
	wireBinary = 8
	wireList   = 9
	wireStruct = 12
)

// thriftDepth is how deep structures may be nested: Parquet has five levels, and a path of fields has room for eight.
const thriftDepth = 8

var errThrift = errors.New("the metadata are damaged")

// thriftScan walks over a structure in Thrift's compact protocol and believes no length in it: what a list or a text claims to hold must
// at least fit into the bytes that are left. The library sets memory aside for as many elements as a list claims.
type thriftScan struct {
	data []byte
	at   int
	// see gets each number and truth value with its path, which has one byte for each field on the way, and of a list 16 times its length
	// plus the type of its elements.
	see func(path uint64, wire byte, v int64) error
}

func (s *thriftScan) take() (byte, error) {
	if s.at >= len(s.data) {
		return 0, errThrift
	}
	s.at++
	return s.data[s.at-1], nil
}

func (s *thriftScan) skip(n uint64) error {
	if n > uint64(len(s.data)-s.at) {
		return errThrift
	}
	s.at += int(n)
	return nil
}

func (s *thriftScan) varint() (uint64, error) {
	v, n := binary.Uvarint(s.data[s.at:])
	if n <= 0 {
		return 0, errThrift
	}
	s.at += n
	return v, nil
}

func unzigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

// structure walks over the fields of a structure up to its end.
func (s *thriftScan) structure(path uint64, depth int) error {
	if depth == 0 {
		return errThrift
	}
	field := int64(0)
	for {
		head, err := s.take()
		if err != nil || head&0x0f == 0 {
			return err
		}
		if step := head >> 4; step != 0 {
			field += int64(step)
		} else {
			v, err := s.varint()
			if err != nil {
				return err
			}
			field = unzigzag(v)
		}
		if field < 1 || field > math.MaxInt16 {
			return errThrift
		}
		if err := s.value(path<<8|uint64(min(field, math.MaxUint8)), head&0x0f, depth); err != nil {
			return err
		}
	}
}

func (s *thriftScan) value(path uint64, wire byte, depth int) error {
	switch wire {
	case wireTrue:
		return s.see(path, wire, 1)
	case wireFalse:
		return s.see(path, wire, 0)
	case wireByte:
		return s.skip(1)
	case wireDouble:
		return s.skip(8)
	case wireShort, wireInt, wireLong:
		v, err := s.varint()
		if err != nil || wire != wireLong && v > math.MaxUint32 {
			return errThrift
		}
		return s.see(path, wire, unzigzag(v))
	case wireBinary:
		n, err := s.varint()
		if err != nil {
			return err
		}
		return s.skip(n)
	case wireList:
		return s.list(path, depth)
	case wireStruct:
		return s.structure(path, depth-1)
	default: // Parquet has no sets and no maps
		return errThrift
	}
}

func (s *thriftScan) list(path uint64, depth int) error {
	head, err := s.take()
	if err != nil {
		return err
	}
	n, of := uint64(head>>4), head&0x0f
	if n == 15 {
		if n, err = s.varint(); err != nil {
			return err
		}
	}
	if n > uint64(len(s.data)-s.at) { // no element is shorter than a byte
		return errThrift
	}
	if err := s.see(path, wireList, int64(n)<<4|int64(of)); err != nil {
		return err
	}
	if of == wireTrue || of == wireFalse { // in a list, unlike in a field, a byte each
		return s.skip(n)
	}
	for range n {
		if err := s.value(path, of, depth); err != nil {
			return err
		}
	}
	return nil
}
