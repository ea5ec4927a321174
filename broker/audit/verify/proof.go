package verify

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
)

// maxPath bounds the hashes of a proof: no tree is deeper.
const maxPath = 64

// Proven is an entry that was shown to be in the log.
type Proven struct {
	Index int64           `json:"index"` // its number, from 0
	Size  int64           `json:"size"`  // entries that the head covers
	Entry json.RawMessage `json:"entry"` // its canonical JSON
}

// Proof checks the output of `audit prove` with nothing but the log's public key. Its errors are of type *Problem, except for a
// malformed key. The checkpoint inside can be kept and given to [Verify] as one seen earlier.
func Proof(raw []byte, key string) (Proven, error) {
	k, err := parseKey(key)
	if err != nil {
		return Proven{}, err
	}
	p, err := parseProof(raw)
	if err != nil {
		return Proven{}, problem(ProofMalformed, -1)
	}
	h, err := k.open(p.Checkpoint)
	if errors.Is(err, errSignature) {
		return Proven{}, problem(HeadUnsigned, -1)
	}
	if err != nil {
		return Proven{}, problem(HeadMalformed, -1)
	}
	if h.size != *p.Size || !included(leafHash([]byte(p.Leaf)), *p.Index, h.size, p.path, h.root) {
		return Proven{}, problem(ProofWrong, *p.Index, *p.Index, h.size)
	}
	return Proven{Index: *p.Index, Size: h.size, Entry: json.RawMessage(p.Leaf)}, nil
}

type proof struct {
	Index      *int64   `json:"index"`
	Size       *int64   `json:"size"`
	Leaf       string   `json:"leaf"`
	Hashes     []string `json:"hashes"`
	Checkpoint string   `json:"checkpoint"`
	path       []hash
}

func parseProof(raw []byte) (proof, error) {
	var p proof
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return proof{}, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return proof{}, errors.New("more than one value")
	}
	if p.Index == nil || p.Size == nil || len(p.Hashes) > maxPath || !json.Valid([]byte(p.Leaf)) {
		return proof{}, errors.New("not a proof")
	}
	for _, s := range p.Hashes {
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		if err != nil || len(b) != len(hash{}) {
			return proof{}, errors.New("not a hash")
		}
		p.path = append(p.path, hash(b))
	}
	return p, nil
}
