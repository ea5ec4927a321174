package verify

import "crypto/sha256"

// hash is a node of the tree.
type hash [sha256.Size]byte

// leafHash is RFC 6962 section 2.1: SHA-256(0x00 || leaf).
func leafHash(leaf []byte) hash {
	return sha256.Sum256(append([]byte{0}, leaf...))
}

// nodeHash is RFC 6962 section 2.1: SHA-256(0x01 || left || right).
func nodeHash(left, right hash) hash {
	var b [1 + 2*sha256.Size]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[1+sha256.Size:], right[:])
	return sha256.Sum256(b[:])
}

// growing is a tree that grows leaf by leaf: the roots of its complete subtrees, largest first, one for each bit set in its size.
type growing struct {
	size  int64
	roots []hash
}

// add appends a leaf and returns the roots of all subtrees that end with it, lowest (the leaf itself) first.
func (g *growing) add(leaf hash) []hash {
	ended := []hash{leaf}
	top := leaf
	for n := g.size; n&1 == 1; n >>= 1 {
		last := len(g.roots) - 1
		top = nodeHash(g.roots[last], top)
		g.roots = g.roots[:last]
		ended = append(ended, top)
	}
	g.roots = append(g.roots, top)
	g.size++
	return ended
}

// root is the tree's root hash; that of the empty tree is the hash of nothing.
func (g *growing) root() hash {
	if g.size == 0 {
		return sha256.Sum256(nil)
	}
	last := len(g.roots) - 1
	h := g.roots[last]
	for i := last - 1; i >= 0; i-- {
		h = nodeHash(g.roots[i], h)
	}
	return h
}

// included is the check of RFC 9162 section 2.1.3.2: does the path lead from the leaf to the root?
func included(leaf hash, index, size int64, path []hash, root hash) bool {
	if index < 0 || index >= size {
		return false
	}
	fn, sn, r := index, size-1, leaf
	for _, p := range path {
		if sn == 0 {
			return false
		}
		if fn&1 == 1 || fn == sn {
			r = nodeHash(p, r)
			for fn&1 == 0 && fn != 0 {
				fn, sn = fn>>1, sn>>1
			}
		} else {
			r = nodeHash(r, p)
		}
		fn, sn = fn>>1, sn>>1
	}
	return sn == 0 && r == root
}
