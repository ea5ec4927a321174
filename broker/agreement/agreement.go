// Package agreement writes the text that the parties to an agreement sign, clause by clause, in Chinese and English.
//
// It promises: a clause that the wording does not have, or leaves empty for these terms, is no clause and is not counted, so that
// policy (carrel.agreement) misses it; the same terms and wording give the same text.
//
// It does not promise that an agreement has what it must have: which clauses those are, for which kind and purpose, is policy's data,
// and so are their names and order.
package agreement

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"text/template"
	"unicode/utf8"

	"carrel/policy"
)

//go:embed texts
var texts embed.FS

// Terms are what the wording is filled with.
type Terms struct {
	Application, Kind        string
	Version                  int
	KindName                 policy.Text
	DataOwners, Team         []string
	Institution, Lead        string
	LeadName                 policy.Text
	Host, Processor, System  string
	Title, Reason, Methods   string // as the applicant wrote them
	Sharing                  string // of income, as the sides agreed; "" is the wording's own
	Wishes                   []policy.Wish
	Remit                    policy.Remit
	Epsilon                  float64
	From, To, Date           policy.Date
	Handover, Quality, Joint bool
	Conditions, Listed       []string // of the decision; questions that alone may be asked
	Owed                     []Owed   // conditions of the decision that are met by evidence
}

// Owed is a condition with the day by which its evidence is filed.
type Owed struct {
	Kind policy.Text
	Due  policy.Date
	Text string
}

// Clause is one clause in both languages.
type Clause struct {
	ID   string
	Text policy.Text
}

// Document is an agreement as it is signed.
type Document struct {
	Text    policy.Text
	Clauses []Clause
}

// Lengths are the characters of each clause, in the language that has fewer.
func (d Document) Lengths() map[string]int {
	out := map[string]int{}
	for _, c := range d.Clauses {
		out[c.ID] = min(utf8.RuneCountInString(c.Text.ZH), utf8.RuneCountInString(c.Text.EN))
	}
	return out
}

// Book is what policy's data say of agreements, as far as a text needs it.
type Book struct {
	Default string                 `json:"default"`
	Kinds   map[string]policy.Text `json:"kinds"`
	Sides   map[string]policy.Text `json:"sides"`
	Clauses []struct {
		ID string `json:"id"`
		policy.Text
	} `json:"clauses"`
}

// ReadBook reads it.
func ReadBook(ctx context.Context, d policy.Decider) (Book, error) {
	var b Book
	if err := d.Data(ctx, "carrel/agreements", &b); err != nil {
		return Book{}, fmt.Errorf("agreement: policy data: %w", err)
	}
	if len(b.Clauses) == 0 || len(b.Kinds) == 0 || b.Default == "" {
		return Book{}, errors.New("agreement: policy data name no clauses or no kinds")
	}
	return b, nil
}

// Wording is the clauses in both languages. It is safe for concurrent use.
type Wording struct{ zh, en *template.Template }

// Own is the wording that comes with the service.
func Own() (*Wording, error) {
	dir, err := fs.Sub(texts, "texts")
	if err != nil {
		return nil, fmt.Errorf("agreement: wording: %w", err)
	}
	return Read(dir)
}

// Read reads a wording: zh.tmpl and en.tmpl, in which each clause is a template of its id; besides them "head", "conditions" and
// "listed".
func Read(dir fs.FS) (*Wording, error) {
	var w Wording
	for name, into := range map[string]**template.Template{"zh.tmpl": &w.zh, "en.tmpl": &w.en} {
		raw, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, fmt.Errorf("agreement: wording: %w", err)
		}
		*into, err = template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
			"join": strings.Join, "open": open, "add": func(a, b int) int { return a + b },
		}).Parse(string(raw))
		if err != nil {
			return nil, fmt.Errorf("agreement: wording: %w", err)
		}
		if (*into).Lookup("head") == nil {
			return nil, fmt.Errorf("agreement: wording: %s has no head", name)
		}
	}
	return &w, nil
}

// open is an applicant's text without the stop at its end: the wording sets its own.
func open(text string) string { return strings.TrimRight(text, " \t\r\n。．.；;") }

// Write writes the agreement: its clauses in the order of the book, numbered, then conditions and questions.
func (w *Wording) Write(b Book, t Terms) (Document, error) {
	t.KindName = b.Kinds[t.Kind]
	var d Document
	var zh, en strings.Builder
	if err := w.both(&zh, &en, "head", t); err != nil {
		return d, err
	}
	zh.WriteString("\n\n")
	en.WriteString("\n\n")
	for _, c := range b.Clauses {
		text, err := w.clause(c.ID, t)
		if err != nil {
			return d, err
		}
		if text.ZH == "" || text.EN == "" {
			continue
		}
		d.Clauses = append(d.Clauses, Clause{c.ID, text})
		n := len(d.Clauses)
		fmt.Fprintf(&zh, "%s、%s。%s\n", numeral(n), c.ZH, text.ZH)
		fmt.Fprintf(&en, "%d. %s. %s\n", n, c.EN, text.EN)
	}
	for _, part := range []struct {
		id    string
		name  policy.Text
		items []string
	}{{"conditions", policy.Text{ZH: "附加条件", EN: "Further conditions"}, t.Conditions}, {"listed", policy.Text{ZH: "可提出的问题", EN: "Questions that may be asked"}, t.Listed}} {
		if len(part.items) == 0 {
			continue
		}
		fmt.Fprintf(&zh, "\n%s：\n", part.name.ZH)
		fmt.Fprintf(&en, "\n%s:\n", part.name.EN)
		if err := w.both(&zh, &en, part.id, t); err != nil {
			return d, err
		}
	}
	owe(&zh, &en, t.Owed)
	d.Text = policy.Text{ZH: zh.String(), EN: en.String()}
	return d, nil
}

// owe writes the conditions that have a day. They are no part of the wording: who has his own may not leave them out, for the grant
// stops when one is not met.
func owe(zh, en *strings.Builder, all []Owed) {
	if len(all) == 0 {
		return
	}
	zh.WriteString("\n须按期提交材料的条件：\n")
	en.WriteString("\nConditions that are met by evidence until a day:\n")
	for _, o := range all {
		fmt.Fprintf(zh, "  · %s 前，%s：%s\n", o.Due, o.Kind.ZH, o.Text)
		fmt.Fprintf(en, "  - until %s, %s: %s\n", o.Due, o.Kind.EN, o.Text)
	}
}

func (w *Wording) clause(id string, t Terms) (policy.Text, error) {
	var zh, en strings.Builder
	if w.zh.Lookup(id) == nil || w.en.Lookup(id) == nil {
		return policy.Text{}, nil
	}
	err := w.both(&zh, &en, id, t)
	return policy.Text{ZH: strings.TrimSpace(zh.String()), EN: strings.TrimSpace(en.String())}, err
}

func (w *Wording) both(zh, en *strings.Builder, id string, t Terms) error {
	if err := w.zh.ExecuteTemplate(zh, id, t); err != nil {
		return fmt.Errorf("agreement: write %s: %w", id, err)
	}
	if err := w.en.ExecuteTemplate(en, id, t); err != nil {
		return fmt.Errorf("agreement: write %s: %w", id, err)
	}
	return nil
}

// numeral is a number up to 99 as Chinese documents count their clauses.
func numeral(n int) string {
	digits := []rune("〇一二三四五六七八九")
	switch {
	case n < 10:
		return string(digits[n])
	case n < 20:
		return strings.TrimSuffix("十"+string(digits[n%10]), "〇")
	}
	return strings.TrimSuffix(string(digits[n/10])+"十"+string(digits[n%10]), "〇")
}
