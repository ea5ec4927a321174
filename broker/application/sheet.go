package application

import (
	"context"
	"fmt"

	"carrel/broker/problem"
	"carrel/policy"
)

// Sheet is the opinion sheet of one kind of review.
type Sheet struct {
	Kind      string          `json:"kind"`
	Version   string          `json:"version"`
	Title     policy.Text     `json:"title"`
	Questions []SheetQuestion `json:"questions"`
}

// SheetQuestion is one finding with its choices.
type SheetQuestion struct {
	ID        string        `json:"id"`
	Mandatory bool          `json:"mandatory"`
	Scale     string        `json:"scale"`
	Text      policy.Text   `json:"text"`
	Choices   []SheetChoice `json:"choices"`
}

// SheetChoice is one answer. One that bars stands against an approval.
type SheetChoice struct {
	Value string      `json:"value"`
	Bars  bool        `json:"bars"`
	Text  policy.Text `json:"text"`
}

// Clear are answers that bar nothing, one to each mandatory finding: what an approval needs at least.
func (s Sheet) Clear() map[string]string {
	out := map[string]string{}
	for _, q := range s.Questions {
		for _, c := range q.Choices {
			if q.Mandatory && !c.Bars {
				out[q.ID] = c.Value
				break
			}
		}
	}
	return out
}

// Found is one finding as it was asked and chosen. Both are kept in the words of that day: a later version of the sheet asks otherwise,
// and an opinion stays what it was.
type Found struct {
	Question  string      `json:"question"`
	Mandatory bool        `json:"mandatory,omitempty"`
	Text      policy.Text `json:"text"`
	Choice    string      `json:"choice"`
	Bars      bool        `json:"bars,omitempty"` // stands against an approval
	Answer    policy.Text `json:"answer"`
}

// found are the findings of a sheet that policy took, in the sheet's order.
func (s *Service) found(ctx context.Context, in ReviewInput) ([]Found, error) {
	sheet, err := s.Sheet(ctx, in.Kind)
	if err != nil {
		return nil, err
	}
	if sheet.Version != in.Sheet { // other rules came into force since they took it
		return nil, problem.New(problem.Conflict, "审查意见表刚刚更新；请按新表填写。", "The opinion sheet has just changed; fill in the new one.")
	}
	out := []Found{}
	for _, q := range sheet.Questions {
		for _, c := range q.Choices {
			if in.Answers[q.ID] == c.Value {
				out = append(out, Found{Question: q.ID, Mandatory: q.Mandatory, Text: q.Text, Choice: c.Value, Bars: c.Bars, Answer: c.Text})
			}
		}
	}
	return out, nil
}

// Sheet is the current opinion sheet of a kind of review.
func (s *Service) Sheet(ctx context.Context, kind string) (Sheet, error) {
	var all struct {
		Scales map[string][]SheetChoice `json:"scales"`
		Kinds  map[string]Sheet         `json:"kinds"`
	}
	if err := s.desk.Policy.Data(ctx, "carrel/sheets", &all); err != nil {
		return Sheet{}, fmt.Errorf("application: opinion sheets: %w", err)
	}
	sheet, ok := all.Kinds[kind]
	if !ok {
		return Sheet{}, problem.Absent(policy.Text{ZH: "审查意见表", EN: "opinion sheet"})
	}
	sheet.Kind = kind
	for i := range sheet.Questions {
		sheet.Questions[i].Choices = all.Scales[sheet.Questions[i].Scale]
	}
	return sheet, nil
}
