package opa

import (
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

const (
	// manyMembers is from how many members on a list or table is kept: the columns of a grant, of a plan, of a dataset.
	manyMembers = 8
	// maxText bounds the text of one that is kept, and keptTexts how much text is kept altogether.
	maxText   = 64 << 10
	keptTexts = 8 << 20
)

// terms keeps what long lists and tables look like to the rules, by their text. The columns of a grant come with every question
// about it, and to make a value of each of a hundred names is half of what such a question costs. Values are never changed, so
// two questions may share them; the rules are asked all the same.
type terms struct {
	mu         sync.Mutex
	size       int
	young, old map[string]*ast.Term
}

func newTerms() *terms { return &terms{young: map[string]*ast.Term{}} }

// get returns the value that has this text; nil when there is none.
func (t *terms) get(text []byte) *ast.Term {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v := t.young[string(text)]; v != nil {
		return v
	}
	v := t.old[string(text)]
	if v != nil {
		t.keep(string(text), v)
	}
	return v
}

func (t *terms) put(text []byte, v *ast.Term) {
	if len(text) > maxText {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep(string(text), v)
}

// keep forgets the older half when the younger is full.
func (t *terms) keep(text string, v *ast.Term) {
	if t.size+len(text) > keptTexts/2 {
		t.old, t.young, t.size = t.young, map[string]*ast.Term{}, 0
	}
	t.young[text], t.size = v, t.size+len(text)
}
