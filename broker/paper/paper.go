// Package paper lays documents of an application out for print: the application, the opinions, the decision with its number, the
// agreement and the list of what is transferred, and the record of a meeting, each on A4 with places for the seals.
//
// It promises: what is printed is what the person who prints may see, as it was shown to him; texts that people wrote are escaped and
// cannot bring markup or script; the same view gives the same page; the page needs nothing from elsewhere.
//
// It does not promise that a print is an original: that is the paper with its seals, whose scan is on file by its hash.
package paper

import (
	"bytes"
	_ "embed" // the layout
	"fmt"
	"html/template"
	"slices"
	"strings"

	"carrel/broker/application"
	"carrel/policy"
)

//go:embed paper.html
var layout string

// What can be printed.
const (
	Application = "application"
	Opinions    = "opinions"
	Decision    = "decision"
	Agreement   = "agreement"
	Transfer    = "transfer"
)

// Kinds lists what can be printed.
func Kinds() []string { return []string{Application, Opinions, Decision, Agreement, Transfer} }

// Sheet is what one print is made of.
type Sheet struct {
	What      string
	App       *application.View
	Agreement *application.AgreementView // of an agreement only
	// Name is what an account is called, Label what policy's data call a code.
	Name  func(account string) policy.Text
	Label func(group, code string) policy.Text
	// House is what an institution is called; nil leaves its number.
	House func(id string) policy.Text
}

// page is one language of a sheet.
type page struct {
	Sheet
	Lang  string
	Seals []string // whose seals there is a place for
}

// Papers is the layout. It is safe for concurrent use.
type Papers struct{ t *template.Template }

// New reads the layout.
func New() (*Papers, error) {
	t, err := template.New("paper").Option("missingkey=error").Funcs(template.FuncMap{
		"join": strings.Join, "pair": func(lang, zh, en string) string { return policy.Text{ZH: zh, EN: en}.In(lang) },
		"lines": func(text string) []string { return strings.Split(strings.TrimSpace(text), "\n") },
		"clock": clock, "next": func(i int) int { return i + 1 },
	}).Parse(layout)
	if err != nil {
		return nil, fmt.Errorf("paper: layout: %w", err)
	}
	return &Papers{t}, nil
}

// Print makes the page, in Chinese and then in English. It is nil when there is nothing of the kind yet.
func (p *Papers) Print(s Sheet) ([]byte, error) {
	return p.parts(s, []part{{"head", "zh"}, {s.What, "zh"}, {"seals", "zh"}, {"turn", "en"}, {s.What, "en"}, {"seals", "en"}, {"foot", "en"}})
}

// Body is one language of the paper without the page around it, for a page with a style sheet of its own.
func (p *Papers) Body(s Sheet, lang string) (template.HTML, error) {
	b, err := p.parts(s, []part{{s.What, lang}, {"seals", lang}})
	return template.HTML(b), err //nolint:gosec // made by the layout, which escapes what people wrote
}

type part struct{ name, lang string }

func (p *Papers) parts(s Sheet, all []part) ([]byte, error) {
	if !slices.Contains(Kinds(), s.What) || s.App == nil {
		return nil, fmt.Errorf("paper: there is no such paper")
	}
	if !slices.Contains(Made(s.App), s.What) || s.What == Agreement && s.Agreement == nil {
		return nil, nil
	}
	var b bytes.Buffer
	for _, x := range all {
		if err := p.t.ExecuteTemplate(&b, x.name, page{s, x.lang, s.seals()}); err != nil {
			return nil, fmt.Errorf("paper: %s: %w", s.What, err)
		}
	}
	return b.Bytes(), nil
}

// Made are the papers that there are of an application by now.
func Made(v *application.View) []string {
	return slices.DeleteFunc(Kinds(), func(what string) bool {
		return what == Decision && v.Verdict == nil || (what == Agreement || what == Transfer) && v.Agreement == nil || what == Opinions && len(v.Reviews) == 0
	})
}

// Title is that of the page.
func (p page) Title() string { return p.App.ID + " " + p.What }

// Called is what the seal of a house is to show.
func (p page) Called(id string) string {
	if p.House == nil {
		return id
	}
	return p.House(id).In(p.Lang)
}

// piece is something on a page, for a part of the layout that needs both.
type piece struct{ Page, It any }

// Of hands something to a part of the layout.
func (p page) Of(it any) piece { return piece{p, it} }

// In is a text in the page's language.
func (p page) In(t policy.Text) string { return t.In(p.Lang) }

// seals are the houses whose seals the paper has places for.
func (s Sheet) seals() []string {
	a := s.App
	switch s.What {
	case Agreement, Transfer:
		out := append([]string{a.Institution}, a.DataOwners...)
		for _, house := range []string{a.Facts.Agreement.Host, a.Facts.Agreement.Processor} {
			if house != "" {
				out = append(out, house)
			}
		}
		return out
	case Decision:
		if a.Verdict != nil && a.Verdict.Number != nil {
			return []string{a.Verdict.Number.Office}
		}
		return nil
	case Application:
		return []string{a.Institution}
	case Opinions: // of those whose people gave them
		var out []string
		for _, r := range a.Reviews {
			if !slices.Contains(out, r.Institution) {
				out = append(out, r.Institution)
			}
		}
		return out
	}
	return nil
}
