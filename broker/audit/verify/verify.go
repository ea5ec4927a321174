package verify

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
)

// Options name what is checked, and by what.
type Options struct {
	DB          string   // a copy of the data directory, or of the database file in it; or
	Export      string   // a file of `audit export`
	Checkpoints []string // signed heads seen earlier (their text, see LoadCheckpoints): from outside the directory, or from proofs
	Key         string   // the log's public key, name+hash+base64
}

// Report is what was found. Verified means that every entry is covered by a head that the key signed and that nothing
// contradicts it or the heads seen earlier.
type Report struct {
	Entries     int64     `json:"entries"`
	Verified    bool      `json:"verified"`
	Root        string    `json:"root"`        // root hash over the entries found, base64
	Checkpoints int       `json:"checkpoints"` // heads that agree, the log's own included
	Problems    []Problem `json:"problems"`
}

// Verify checks a whole log. The error is for what could not be read at all; everything wrong in what was read is in the report.
func Verify(ctx context.Context, o Options) (_ Report, err error) {
	key, err := parseKey(o.Key)
	if err != nil {
		return Report{}, err
	}
	src, err := o.source()
	if err != nil {
		return Report{}, err
	}
	defer func() { err = errors.Join(err, src.close()) }()
	c := &checker{key: key, roots: map[int64]hash{}, where: map[hash]int64{}}
	for _, note := range o.Checkpoints {
		if h, ok := c.open(note); ok {
			c.seen = append(c.seen, h)
			c.roots[h.size] = hash{}
		}
	}
	own, found, err := src.head(ctx)
	if err != nil {
		return Report{}, err
	}
	if h, _ := key.open(own); found { // a bad one is reported once, after the walk
		c.roots[h.size] = hash{}
	}
	c.note()
	if err := src.each(ctx, c.entry); err != nil {
		return Report{}, err
	}
	if own, found, err = src.head(ctx); err != nil { // an export ends with it
		return Report{}, err
	}
	c.ownHead(own, found)
	c.earlierHeads()
	c.mismatches()
	return c.report(), nil
}

func (o Options) source() (source, error) {
	switch {
	case (o.DB == "") == (o.Export == ""):
		return nil, errors.New("verify: name either a database or an export")
	case o.DB != "":
		return openDatabase(o.DB)
	}
	return openExport(o.Export)
}

// checker is the state of one check.
type checker struct {
	key      publicKey
	tree     growing
	entries  int64
	gap      bool           // numbers are missing: no root beyond
	roots    map[int64]hash // roots wanted by size, filled as the tree reaches them
	seen     []head         // heads seen earlier, rightly signed
	agreeing int
	wrong    []mismatch
	where    map[hash]int64 // stored leaf hashes of entries that do not fit
	problems []Problem
}

// mismatch is an entry whose leaf does not fit its stored hash.
type mismatch struct {
	n    int64
	leaf hash
}

func (c *checker) add(p *Problem) {
	switch {
	case len(c.problems) < maxProblems:
		c.problems = append(c.problems, *p)
	case len(c.problems) == maxProblems:
		c.problems = append(c.problems, *problem(TooMany, -1, maxProblems))
	}
}

func (c *checker) open(note string) (head, bool) {
	h, err := c.key.open(note)
	switch {
	case err == nil:
		return h, true
	case errors.Is(err, errSignature):
		c.add(problem(HeadUnsigned, -1))
	default:
		c.add(problem(HeadMalformed, -1))
	}
	return head{}, false
}

// note keeps the root when a head speaks of the tree's size.
func (c *checker) note() {
	if _, wanted := c.roots[c.tree.size]; wanted {
		c.roots[c.tree.size] = c.tree.root()
	}
}

// entry checks one entry against its own stored hashes and lets the tree grow by it.
func (c *checker) entry(r row) {
	c.entries++
	if r.n != c.tree.size && !c.gap {
		c.gap = true
		c.add(problem(EntryMissing, c.tree.size, c.tree.size, r.n-1))
	}
	var form struct {
		At, Actor, Kind *string
	}
	if json.Unmarshal(r.leaf, &form) != nil || form.At == nil || form.Actor == nil || form.Kind == nil {
		c.add(problem(EntryUnreadable, r.n, r.n))
	}
	leaf := leafHash(r.leaf)
	if !r.stored {
		c.tree.add(leaf)
		c.note()
		return
	}
	stored := split(r.hashes)
	if len(stored) == 0 {
		c.add(problem(HashWrong, r.n, r.n))
		stored = []hash{leaf}
	}
	if stored[0] != leaf {
		c.wrong = append(c.wrong, mismatch{r.n, leaf})
		c.where[stored[0]] = r.n
	}
	if c.gap {
		return
	}
	// The tree grows by the stored hash: when it then agrees with the signed head, the hash is genuine and it is this leaf that was changed.
	if ended := c.tree.add(stored[0]); !slices.Equal(ended, stored) {
		c.add(problem(HashWrong, r.n, r.n))
	}
	c.note()
}

// split cuts stored hashes apart; a length that is no multiple of a hash's gives none.
func split(raw []byte) []hash {
	if len(raw)%sha256.Size != 0 {
		return nil
	}
	out := make([]hash, 0, len(raw)/sha256.Size)
	for len(raw) > 0 {
		out = append(out, hash(raw[:sha256.Size]))
		raw = raw[sha256.Size:]
	}
	return out
}

// ownHead checks the head that lies with the entries: it must cover exactly them.
func (c *checker) ownHead(note string, found bool) {
	if !found {
		if c.entries > 0 {
			c.add(problem(HeadMissing, -1, c.entries))
		}
		return
	}
	h, ok := c.open(note)
	if !ok {
		return
	}
	switch {
	case h.size > c.entries:
		c.add(problem(LogCut, -1, c.entries, h.size))
		return
	case h.size < c.entries:
		c.add(problem(LogGrown, -1, c.entries, h.size))
	}
	if _, walked := c.roots[h.size]; !walked { // an export's head, known only now
		if h.size != c.tree.size {
			return
		}
		c.roots[h.size] = c.tree.root()
	}
	c.compare(h)
}

// earlierHeads checks the log against the heads seen earlier.
func (c *checker) earlierHeads() {
	for _, h := range c.seen {
		if h.size > c.entries {
			c.add(problem(OlderLog, -1, c.entries, h.size))
			continue
		}
		c.compare(h)
	}
}

// compare compares a head with the root of the tree at its size. Beyond a gap there is no root; the gap is reported.
func (c *checker) compare(h head) {
	if c.gap && h.size > c.tree.size {
		return
	}
	if c.roots[h.size] != h.root {
		c.add(problem(OtherHistory, -1, h.size))
		return
	}
	c.agreeing++
}

// mismatches tells moved entries from changed ones.
func (c *checker) mismatches() {
	for _, m := range c.wrong {
		if from, ok := c.where[m.leaf]; ok {
			c.add(problem(EntryMoved, m.n, m.n, from))
			continue
		}
		c.add(problem(EntryChanged, m.n, m.n))
	}
}

func (c *checker) report() Report {
	root := c.tree.root()
	if c.problems == nil {
		c.problems = []Problem{}
	}
	return Report{Entries: c.entries, Verified: len(c.problems) == 0, Root: base64.StdEncoding.EncodeToString(root[:]),
		Checkpoints: c.agreeing, Problems: c.problems}
}
