package service

import (
	"context"
	"fmt"

	"carrel/broker/agreement"
	"carrel/broker/auth"
	"carrel/broker/paper"
	"carrel/broker/problem"
	"carrel/policy"
)

// Print lays a document of an application, or (paper.Minutes) the record of a meeting, out for print, as far as the person may see it.
func (s *Service) Print(ctx context.Context, id auth.Identity, number, what string) ([]byte, error) {
	papers, err := paper.New()
	if err != nil {
		return nil, err
	}
	labels, err := s.printed(ctx)
	if err != nil {
		return nil, err
	}
	name := func(account string) policy.Text {
		zh, en := s.Directory.Name(account)
		return policy.Text{ZH: zh, EN: en}
	}
	label := func(group, code string) policy.Text {
		if t, ok := labels[group][code]; ok {
			return t
		}
		return policy.Text{ZH: code, EN: code}
	}
	if what == paper.Minutes {
		r, err := s.Boards.Show(ctx, id, number)
		if err != nil {
			return nil, err
		}
		return papers.PrintMeeting(paper.Meeting{Record: r, Name: name, Label: label, House: s.Institutions.Name})
	}
	return s.sheet(ctx, id, number, papers, paper.Sheet{What: what, House: s.Institutions.Name, Name: name, Label: label})
}

// sheet prints a document of an application.
func (s *Service) sheet(ctx context.Context, id auth.Identity, app string, papers *paper.Papers, sheet paper.Sheet) ([]byte, error) {
	v, err := s.Applications.Show(ctx, id, app)
	if err != nil {
		return nil, err
	}
	sheet.App = v
	if sheet.What == paper.Agreement && v.Agreement != nil {
		if sheet.Agreement, err = s.Applications.Agreement(ctx, id, app); err != nil {
			return nil, err
		}
	}
	out, err := papers.Print(sheet)
	if err != nil {
		return nil, fmt.Errorf("print: %w", err)
	}
	if out == nil {
		return nil, problem.New(problem.Conflict, "尚无此文件：申请还未到这一步。", "There is no such paper yet: the application is not that far.")
	}
	return out, nil
}

// printed are the names of codes on paper.
func (s *Service) printed(ctx context.Context) (map[string]map[string]policy.Text, error) {
	out := map[string]map[string]policy.Text{}
	for group, path := range map[string]string{"purpose": "carrel/purposes", "review": "carrel/reviews"} {
		var rows map[string]struct {
			Label policy.Text `json:"label"`
		}
		if err := s.Desk.Policy.Data(ctx, path, &rows); err != nil {
			return nil, fmt.Errorf("print: labels: %w", err)
		}
		out[group] = map[string]policy.Text{}
		for code, r := range rows {
			out[group][code] = r.Label
		}
	}
	book, err := agreement.ReadBook(ctx, s.Desk.Policy)
	if err != nil {
		return nil, err
	}
	out["side"] = book.Sides
	var conditions map[string]policy.Text
	if err := s.Desk.Policy.Data(ctx, "carrel/conditions", &conditions); err != nil {
		return nil, fmt.Errorf("print: labels: %w", err)
	}
	out["condition"] = conditions
	var ways map[string]policy.Text
	if err := s.Desk.Policy.Data(ctx, "carrel/workflow/cross-border/ways", &ways); err != nil {
		return nil, fmt.Errorf("print: labels: %w", err)
	}
	out["way"] = ways
	return out, nil
}
