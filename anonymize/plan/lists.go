package plan

import "strings"

// codeList is the set of codes of a column that a versioned list names: codes('ischaemic-stroke@1').
func (b *builder) codeList(v value, e *Expr) set {
	if b.err != nil {
		return nil
	}
	if len(e.Args) != 1 || e.Args[0].Op != ExprLiteral || e.Args[0].Lit.Kind != LitString {
		b.fail("code-list", e.Offset)
		return nil
	}
	if v.lit != nil || v.col.Kind != KindCode {
		b.fail("not-a-text", e.Offset)
		return nil
	}
	for i := range b.schema.Lists {
		l := &b.schema.Lists[i]
		if l.Name != e.Args[0].Lit.Text {
			continue
		}
		b.lists[l.Name] = true
		var hits []int64
		for code, text := range v.col.Values {
			if l.holds(text) {
				hits = append(hits, int64(code))
			}
		}
		return points(hits)
	}
	b.fail("code-list", e.Args[0].Offset)
	return nil
}

func (l *CodeList) holds(code string) bool {
	for _, m := range l.Members {
		if prefix, ok := strings.CutSuffix(m, "%"); m == code || ok && strings.HasPrefix(code, prefix) {
			return true
		}
	}
	return false
}
