package web

import (
	"errors"
	"strings"

	"carrel/anonymize/plan"
	"carrel/broker/problem"
)

// problemView is an error as a page shows it.
type problemView struct {
	*problem.Error
	Refusal *refusalView
}

// refusalView is the planner's refusal with the place in the question.
type refusalView struct {
	*plan.Refusal
	Before []string // whole lines before the one that is meant
	Line   *marked
	After  []string
}

// marked is a line with the character that is meant, and as many blanks as bring a caret below it.
type marked struct {
	Number       int
	Left, At     string
	Right, Blank string
}

// problem is an error for the templates; sql is the question that a refusal points into.
func (s *server) problem(p *problem.Error, sql string) *problemView {
	v := &problemView{Error: p}
	cause, _ := p.Refusal.(error)
	var r *plan.Refusal
	if errors.As(cause, &r) {
		v.Refusal = &refusalView{Refusal: r}
		v.Refusal.place(sql)
	}
	return v
}

// place splits the question at the refusal's position, when it has one that lies in the text.
func (v *refusalView) place(sql string) {
	lines := strings.Split(sql, "\n")
	if sql == "" || v.Refusal.Line < 1 || v.Refusal.Line > len(lines) {
		return
	}
	at := v.Refusal.Line - 1
	line := []rune(lines[at])
	column := min(max(v.Column-1, 0), len(line))
	m := &marked{Number: v.Refusal.Line, Left: string(line[:column]), At: " ", Blank: blanks(line[:column])}
	if column < len(line) {
		m.At, m.Right = string(line[column:column+1]), string(line[column+1:])
	}
	v.Before, v.Line, v.After = lines[:at], m, lines[at+1:]
}

// blanks is as wide as the text in a monospaced face: wide characters take two places, a tab stays a tab.
func blanks(text []rune) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\t':
			b.WriteByte('\t')
		case r >= 0x1100 && wide(r):
			b.WriteString("　")
		default:
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// wide says whether a character is drawn in two places: Hangul, CJK, full-width forms.
func wide(r rune) bool {
	return r <= 0x115f || r >= 0x2e80 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 || r >= 0x20000
}
