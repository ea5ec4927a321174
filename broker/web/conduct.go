package web

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/problem"
	"carrel/policy"
)

// failed shows a page again with what went wrong with the form that was sent from it.
func (s *server) failed(ctx context.Context, c *call, name string, data any, err error) error {
	p := problem.From(ctx, s.c.Logger, err)
	return s.render(ctx, c, p.Status(), name, page{Data: data, Problem: s.problem(p, "")})
}

// complaintsData is the public form, one complaint by its number, and the register for those who handle it.
type complaintsData struct {
	Form     url.Values
	Number   string
	Status   *conduct.Status
	Handles  bool
	Register []conduct.View
}

func (s *server) complaints(ctx context.Context, c *call) error {
	d, err := s.complaintsPage(ctx, c)
	if err != nil {
		return err
	}
	if d.Number != "" {
		if d.Status, err = s.c.Conduct.Status(ctx, d.Number); err != nil {
			return s.failed(ctx, c, "complaints", d, err)
		}
	}
	return s.show(ctx, c, "complaints", page{Data: d})
}

func (s *server) complaintsPage(ctx context.Context, c *call) (complaintsData, error) {
	d := complaintsData{Form: c.form, Number: c.value("number")}
	var err error
	if c.id.Account == "" {
		return d, nil
	}
	if d.Handles, err = s.may(ctx, c, "complaint.read", policy.Object{}); err != nil || !d.Handles {
		return d, err
	}
	d.Register, err = s.c.Conduct.Complaints(ctx, c.id)
	return d, err
}

// complain files a complaint. Whoever is logged in is not part of it.
func (s *server) complain(ctx context.Context, c *call) error {
	err := s.brake.Pass(s.c.Desk.Now())
	var x *conduct.Status
	if err == nil {
		x, err = s.c.Conduct.Complain(ctx, conduct.Complaint{Party: c.value("party"), Text: c.value("text")})
	}
	if err != nil {
		d, perr := s.complaintsPage(ctx, c)
		if perr != nil {
			return perr
		}
		return s.failed(ctx, c, "complaints", d, err)
	}
	return c.redirect("/complaints?done=filed&number=" + url.QueryEscape(x.Number))
}

func (s *server) answerComplaint(ctx context.Context, c *call) error {
	if _, err := s.c.Conduct.Answer(ctx, c.id, c.param("id"), c.value("answer")); err != nil {
		d, perr := s.complaintsPage(ctx, c)
		if perr != nil {
			return perr
		}
		return s.failed(ctx, c, "complaints", d, err)
	}
	return c.redirect("/complaints?done=answered")
}

// fileData is a credit file with the measures and duties beside it.
type fileData struct {
	Party, Purpose            string
	Own                       bool
	Credit, Measures, Duties  []conduct.View
	MayAppeal, MayJudge, Look bool
}

// file shows one's own file, or another's for a purpose that is put on record.
func (s *server) file(ctx context.Context, c *call) error {
	d, err := s.filePage(ctx, c)
	if err != nil && d.Party != "" && !d.Own {
		return s.failed(ctx, c, "conduct", fileData{Party: d.Party, Purpose: d.Purpose}, err)
	}
	if err != nil {
		return err
	}
	return s.show(ctx, c, "conduct", page{Data: d})
}

func (s *server) filePage(ctx context.Context, c *call) (fileData, error) {
	own := "person/" + c.id.Account
	d := fileData{Party: c.value("party"), Purpose: c.value("purpose")}
	if d.Party == "" {
		d.Party = own
	}
	d.Own = d.Party == own
	var err error
	for _, part := range []struct {
		noun string
		into *[]conduct.View
	}{{matter.Credit, &d.Credit}, {matter.Measure, &d.Measures}, {matter.Duty, &d.Duties}} {
		if *part.into, err = s.c.Conduct.Read(ctx, c.id, part.noun, d.Party, d.Purpose); err != nil {
			return d, err
		}
	}
	if d.MayAppeal, err = s.reach(ctx, c, "POST /conduct/{id}/appeal"); err != nil {
		return d, err
	}
	d.MayJudge, err = s.reach(ctx, c, "POST /conduct/{id}/uphold")
	return d, err
}

// judged is one step on an entry of a credit file: an appeal, its rejection, its success.
func (s *server) judged(take func(ctx context.Context, c *call) (*matter.Matter, error)) func(ctx context.Context, c *call) error {
	return func(ctx context.Context, c *call) error {
		m, err := take(ctx, c)
		if err != nil {
			d, perr := s.filePage(ctx, c)
			if perr != nil {
				return err
			}
			return s.failed(ctx, c, "conduct", d, err)
		}
		back := url.Values{"done": {m.State}}
		if m.Party != "person/"+c.id.Account {
			back.Set("party", m.Party)
			back.Set("purpose", c.value("purpose"))
		}
		return c.redirect("/conduct?" + back.Encode())
	}
}

func (s *server) appeal(ctx context.Context, c *call) (*matter.Matter, error) {
	return s.c.Conduct.Appeal(ctx, c.id, c.param("id"), c.value("grounds"))
}

func (s *server) uphold(ctx context.Context, c *call) (*matter.Matter, error) {
	return s.c.Conduct.Uphold(ctx, c.id, c.param("id"), c.value("grounds"))
}

func (s *server) lift(ctx context.Context, c *call) (*matter.Matter, error) {
	return s.c.Conduct.Lift(ctx, c.id, c.param("id"), c.value("grounds"))
}

// incidentsData is the list of incidents, or one of them, with the form to report one.
type incidentsData struct {
	Form      url.Values
	All       []conduct.View
	One       *conduct.View
	MayReport bool
	Untold    []string // who is still to be told
	Offers    map[string]bool
}

// incidentTexts are what the law asks to be said of an incident (pipl-57), in the order of the form.
func incidentTexts() []string {
	return []string{"what", "causes", "harm", "measures", "advice", "contact"}
}

func (s *server) incidents(ctx context.Context, c *call) error {
	d, err := s.incidentsPage(ctx, c, "")
	if err != nil {
		return err
	}
	return s.show(ctx, c, "incidents", page{Data: d})
}

func (s *server) incident(ctx context.Context, c *call) error {
	d, err := s.incidentsPage(ctx, c, c.param("id"))
	if err != nil {
		return err
	}
	return s.show(ctx, c, "incident", page{Data: d})
}

func (s *server) incidentsPage(ctx context.Context, c *call, one string) (incidentsData, error) {
	d := incidentsData{Form: c.form}
	var err error
	if d.MayReport, err = s.reach(ctx, c, "POST /incidents"); err != nil {
		return d, err
	}
	if d.All, err = s.c.Conduct.Incidents(ctx, c.id, one); err != nil || one == "" {
		return d, err
	}
	if len(d.All) != 1 {
		return d, noPage()
	}
	d.One, d.Offers = &d.All[0], map[string]bool{}
	for _, step := range []string{"tell", "amend", "close"} { // who reads an incident need not be who works on it
		if d.Offers[step], err = s.reach(ctx, c, "POST /incidents/{id}/"+step); err != nil {
			return d, err
		}
	}
	for _, a := range d.One.Addressed {
		if !slices.Contains(d.One.Told, a) {
			d.Untold = append(d.Untold, a)
		}
	}
	return d, nil
}

// reported reads the form of an incident; times are the city's.
func (s *server) reported(c *call) (conduct.Report, error) {
	in := conduct.Report{Sort: c.value("sort"), Unit: c.value("unit"), Link: c.value("link"), Texts: map[string]string{}}
	for _, name := range incidentTexts() {
		if v := c.value(name); v != "" {
			in.Texts[name] = v
		}
	}
	for _, k := range strings.FieldsFunc(c.value("kinds"), func(r rune) bool { return strings.ContainsRune(",，、;；\n", r) }) {
		if k = strings.TrimSpace(k); k != "" {
			in.Kinds = append(in.Kinds, k)
		}
	}
	if found := c.value("found"); found != "" {
		t, err := time.ParseInLocation("2006-01-02T15:04", found, time.FixedZone("CST", 8*3600))
		if err != nil {
			return in, problem.New(problem.Invalid, "发现时间的格式不正确；请写成 2026-11-22T09:30。", "The time of discovery is not well formed; write it like 2026-11-22T09:30.")
		}
		in.Found = t
	}
	return in, nil
}

func (s *server) report(ctx context.Context, c *call) error {
	in, err := s.reported(c)
	var m *matter.Matter
	if err == nil {
		m, err = s.c.Conduct.Report(ctx, c.id, in)
	}
	if err != nil {
		d, perr := s.incidentsPage(ctx, c, "")
		if perr != nil {
			return perr
		}
		return s.failed(ctx, c, "incidents", d, err)
	}
	return c.redirect("/incidents/" + m.ID + "?done=reported")
}

// onIncident is one step on an incident, shown with its page when it fails.
func (s *server) onIncident(done string, step func(ctx context.Context, c *call, id string) error) func(ctx context.Context, c *call) error {
	return func(ctx context.Context, c *call) error {
		id := c.param("id")
		if err := step(ctx, c, id); err != nil {
			d, perr := s.incidentsPage(ctx, c, id)
			if perr != nil {
				return err
			}
			return s.failed(ctx, c, "incident", d, err)
		}
		return c.redirect("/incidents/" + id + "?done=" + done)
	}
}

func (s *server) amend(ctx context.Context, c *call, id string) error {
	in, err := s.reported(c)
	if err != nil {
		return err
	}
	_, err = s.c.Conduct.Amend(ctx, c.id, id, in)
	return err
}

func (s *server) told(ctx context.Context, c *call, id string) error {
	_, err := s.c.Conduct.Tell(ctx, c.id, id, c.value("addressee"))
	return err
}

func (s *server) closeIncident(ctx context.Context, c *call, id string) error {
	_, err := s.c.Conduct.Close(ctx, c.id, id, c.value("grounds"), c.value("harmless"))
	return err
}
