package paper

import (
	"bytes"
	"fmt"
	"html/template"
	"slices"
	"time"

	"carrel/broker/board"
	"carrel/policy"
)

// Minutes is what the record of a meeting is called among papers.
const Minutes = "minutes"

// Meeting is what one print of a meeting's record is made of. Name, Label and House are as in a Sheet.
type Meeting struct {
	Record *board.Record
	Name   func(account string) policy.Text
	Label  func(group, code string) policy.Text
	House  func(id string) policy.Text
}

// minutes is one language of a meeting's record.
type minutes struct {
	Meeting
	Lang  string
	Seals []string
}

// Title is that of the page.
func (m minutes) Title() string { return m.Record.ID + " " + Minutes }

// Called is what an institution is called.
func (m minutes) Called(id string) string { return m.House(id).In(m.Lang) }

// In is a text in the page's language.
func (m minutes) In(t policy.Text) string { return t.In(m.Lang) }

// Of hands something to a part of the layout.
func (m minutes) Of(it any) piece { return piece{m, it} }

// Signers are the chair and then everybody else who attended, each once.
func (m minutes) Signers() []string {
	out := []string{m.Record.Chair}
	for _, a := range m.Record.Attended {
		if !slices.Contains(out, a.Account) {
			out = append(out, a.Account)
		}
	}
	return out
}

// PrintMeeting makes the page of a meeting's record, in Chinese and then in English.
func (p *Papers) PrintMeeting(m Meeting) ([]byte, error) {
	return p.meeting(m, []part{{"head", "zh"}, {Minutes, "zh"}, {"seals", "zh"}, {"turn", "en"}, {Minutes, "en"}, {"seals", "en"}, {"foot", "en"}})
}

// MeetingBody is one language of the record without the page around it.
func (p *Papers) MeetingBody(m Meeting, lang string) (template.HTML, error) {
	b, err := p.meeting(m, []part{{Minutes, lang}, {"seals", lang}})
	return template.HTML(b), err //nolint:gosec // made by the layout, which escapes what people wrote
}

func (p *Papers) meeting(m Meeting, all []part) ([]byte, error) {
	var seals []string // of the house of whoever called it
	for _, a := range m.Record.Attended {
		if a.Account == m.Record.Chair && len(seals) == 0 {
			seals = append(seals, a.Institution)
		}
	}
	var b bytes.Buffer
	for _, x := range all {
		if err := p.t.ExecuteTemplate(&b, x.name, minutes{m, x.lang, seals}); err != nil {
			return nil, fmt.Errorf("paper: minutes: %w", err)
		}
	}
	return b.Bytes(), nil
}

// clock writes an instant as clocks in China show it.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(time.FixedZone("CST", 8*3600)).Format("2006-01-02 15:04")
}
