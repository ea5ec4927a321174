package web

import (
	"context"
	"html/template"
	"slices"

	"carrel/broker/application"
	"carrel/broker/paper"
	"carrel/broker/problem"
	"carrel/policy"
)

// printData is one document of an application, laid out for A4.
type printData struct {
	*application.View
	What string
	All  []string // that can be printed
	Body template.HTML
}

// print shows a document in the language of the page. What the style sheet leaves on paper is the document alone.
func (s *server) print(ctx context.Context, c *call) error {
	id, what := c.param("id"), c.param("what")
	if !slices.Contains(paper.Kinds(), what) {
		return noPage()
	}
	v, err := s.c.Applications.Show(ctx, c.id, id)
	if err != nil {
		return err
	}
	d := printData{View: v, What: what, All: paper.Made(v)}
	if !slices.Contains(d.All, what) {
		return problem.New(problem.Conflict, "尚无此文件：申请还未到这一步。", "There is no such paper yet: the application is not that far.")
	}
	if d.Body, err = s.sheet(ctx, c, v, what); err != nil {
		return err
	}
	return s.show(ctx, c, "print", page{Data: d})
}

func (s *server) sheet(ctx context.Context, c *call, v *application.View, what string) (template.HTML, error) {
	sheet := paper.Sheet{What: what, App: v, Name: s.called, Label: s.coded, House: s.c.Institutions.Name}
	var err error
	if what == paper.Agreement {
		if sheet.Agreement, err = s.c.Applications.Agreement(ctx, c.id, v.ID); err != nil {
			return "", err
		}
	}
	return s.paper.Body(sheet, c.lang)
}

// called is what paper calls an account.
func (s *server) called(account string) policy.Text {
	zh, en := s.c.Directory.Name(account)
	return policy.Text{ZH: zh, EN: en}
}

// coded is what paper calls a code of policy's data.
func (s *server) coded(group, code string) policy.Text {
	if t, ok := s.labels[group][code]; ok {
		return t
	}
	return policy.Text{ZH: code, EN: code}
}

// seal takes the scan of the sealed original in and puts it on file.
func (s *server) seal(ctx context.Context, c *call) error {
	rev, err := c.revision()
	if err != nil {
		return err
	}
	scan, err := s.takenIn(ctx, c, "file")
	if err == nil {
		_, err = s.c.Applications.Seal(ctx, c.id, c.param("id"), rev, c.value("digest"), scan)
	}
	if err != nil {
		return s.agreementPage(ctx, c, err)
	}
	return c.redirect("/applications/" + c.param("id") + "/agreement?done=sealed")
}
