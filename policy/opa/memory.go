package opa

import (
	"crypto/sha256"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/open-policy-agent/opa/v1/ast"
)

// defaultMemory is how many answers are kept: those of a day's routes and of the questions that are asked twice.
const defaultMemory = 8192

// memory keeps answers of the documents that read nothing of the moment but its day: the same question on the same day under
// the same rules has the same answer, so asking again is looking up. Which documents those are is read off the rules (daily); a
// rule that looks at the hour takes its document out.
type memory struct {
	size  int
	daily map[string]bool

	mu         sync.Mutex
	young, old map[[sha256.Size]byte]answered
}

func newMemory(size int, src *source) *memory {
	m := &memory{size: size / 2, daily: map[string]bool{}, young: map[[sha256.Size]byte]answered{}}
	for _, doc := range documents() {
		m.daily[doc] = size > 1 && src.daily(doc)
	}
	return m
}

// key names a question by its day; false when the answer may not be kept.
func (m *memory) key(document string, in input) (key [sha256.Size]byte, ok bool) {
	if !m.daily[document] || in.day == "" {
		return key, false
	}
	sum := sha256.New()
	for _, part := range [][]byte{[]byte(document), in.canonical[:in.hour], in.canonical[in.hour+hourLen:]} {
		sum.Write(part)
		sum.Write([]byte{0}) // no part holds one: canonical JSON escapes it
	}
	sum.Sum(key[:0])
	return key, true
}

func (m *memory) get(key [sha256.Size]byte) (answered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.young[key]
	if !ok {
		if a, ok = m.old[key]; ok {
			m.keep(key, a)
		}
	}
	return a.clone(), ok
}

func (m *memory) put(key [sha256.Size]byte, a answered) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keep(key, a.clone())
}

// keep forgets the older half when the younger is full.
func (m *memory) keep(key [sha256.Size]byte, a answered) {
	if len(m.young) >= m.size {
		m.old, m.young = m.young, make(map[[sha256.Size]byte]answered, m.size)
	}
	m.young[key] = a
}

// daily reports whether a document reads nothing of input.at but its day, with all packages that it reaches.
func (s *source) daily(document string) bool {
	want := []string{"data." + document[:strings.LastIndexByte(document, '.')]}
	seen := map[string]bool{}
	for len(want) > 0 {
		pkg := want[0]
		want = want[1:]
		for name, m := range s.modules {
			if seen[name] || !touches(pkg, m.Package.Path.String()) {
				continue
			}
			seen[name] = true
			reached, ok := readsDayOnly(m)
			if !ok {
				return false
			}
			want = append(want, reached...)
		}
	}
	return len(seen) > 0
}

// touches reports whether a reference reaches into the package, or names something that holds it.
func touches(ref, pkg string) bool {
	return ref == pkg || strings.HasPrefix(ref, pkg+".") || strings.HasPrefix(pkg, ref+".")
}

// readsDayOnly lists what the module refers to, and whether all it sees of the moment is substring(input.at, 0, 10).
func readsDayOnly(m *ast.Module) (refs []string, ok bool) {
	for _, i := range m.Imports {
		ref, isRef := i.Path.Value.(ast.Ref)
		if !isRef || !ref.HasPrefix(ast.DefaultRootRef) {
			return nil, path.Base(i.Path.String()) == "v1" // rego.v1 is no document
		}
		refs = append(refs, ref.String())
	}
	ok = true
	day := map[*ast.Term]bool{} // input.at where it is cut to its day
	visit := func(x any) bool {
		switch x := x.(type) {
		case *ast.Expr:
			if terms, call := x.Terms.([]*ast.Term); call {
				markDay(terms, day)
			}
		case ast.Call:
			markDay(x, day)
		case *ast.Term:
			ref, isRef := x.Value.(ast.Ref)
			switch {
			case !isRef:
				ok = ok && x.Value.Compare(ast.InputRootDocument.Value) != 0
			case ref.HasPrefix(ast.DefaultRootRef):
				refs = append(refs, ref.ConstantPrefix().String())
			case ref.HasPrefix(ast.InputRootRef):
				ok = ok && (day[x] || len(ref) > 1 && isOther(ref[1].Value))
				for _, t := range ref[1:] { // what it is indexed by
					ast.WalkTerms(t, func(t *ast.Term) bool {
						inner, isRef := t.Value.(ast.Ref)
						ok = ok && (!isRef || !inner.HasPrefix(ast.InputRootRef) || len(inner) > 1 && isOther(inner[1].Value))
						return false
					})
				}
				return true
			}
		}
		return false
	}
	for _, r := range m.Rules {
		ast.NewGenericVisitor(visit).Walk(r)
	}
	slices.Sort(refs)
	return slices.Compact(refs), ok
}

// isOther is a field of the question that is not its moment.
func isOther(v ast.Value) bool {
	s, ok := v.(ast.String)
	return ok && s != "at"
}

// markDay notes input.at in substring(input.at, 0, 10).
func markDay(call []*ast.Term, day map[*ast.Term]bool) {
	if len(call) < 4 {
		return
	}
	for i, want := range []string{"substring", "input.at", "0", "10"} {
		if call[i].Value.String() != want {
			return
		}
	}
	day[call[1]] = true
}
