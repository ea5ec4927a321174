package web

import (
	"context"
	"fmt"
	"html/template"
	"maps"
	"net/url"
	"slices"

	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/board"
	"carrel/broker/paper"
	"carrel/broker/problem"
	"carrel/policy"
)

// readBoards adds the names of boards ("panel") and of the states of meetings and deputyships ("board").
func readBoards(ctx context.Context, d policy.Decider, out labels) error {
	var boards struct {
		Panels map[string]struct {
			Label policy.Text `json:"label"`
		}
		Acts map[string]struct {
			To    string      `json:"to"`
			Label policy.Text `json:"label"`
		}
	}
	if err := d.Data(ctx, "carrel/boards", &boards); err != nil {
		return err
	}
	out["panel"], out["board"] = map[string]policy.Text{}, map[string]policy.Text{}
	for code, p := range boards.Panels {
		out["panel"][code] = p.Label
	}
	for _, act := range slices.Sorted(maps.Keys(boards.Acts)) {
		if to := boards.Acts[act].To; to != "" && out["board"][to].EN == "" {
			out["board"][to] = boards.Acts[act].Label
		}
	}
	return nil
}

// takes asks policy whether the person may take a step of a board: what a page offers is the answer.
func (s *server) takes(ctx context.Context, c *call, act string, b policy.Board) (bool, error) {
	d, err := s.c.Desk.Policy.Decide(ctx, policy.BoardQuestion{At: s.c.Desk.Moment(), Subject: c.id.Subject(), Act: act, Board: b})
	return err == nil && d.Allow, err
}

// meetingsData is the list of meetings, with what waits for the boards that the person may call together.
type meetingsData struct {
	Meetings []board.Meeting
	Calls    []agenda
}

// agenda is what waits for one board.
type agenda struct {
	Panel string
	Items []board.Item
}

func (s *server) meetings(ctx context.Context, c *call) error { return s.meetingsPage(ctx, c, nil) }

func (s *server) meetingsPage(ctx context.Context, c *call, failed error) error {
	c.home = "/meetings"
	var d meetingsData
	var err error
	if d.Meetings, err = s.c.Boards.Meetings(ctx, c.id); err != nil {
		return err
	}
	today := policy.DateOf(s.c.Desk.Now())
	for _, panel := range slices.Sorted(maps.Keys(s.labels["panel"])) {
		whatever := policy.List[string]{"any"} // whether such a meeting may be called at all
		ok, err := s.takes(ctx, c, "meeting.call", policy.Board{Noun: "meeting", Panel: panel, Day: today, Items: whatever, Waiting: whatever})
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		a := agenda{Panel: panel}
		if a.Items, err = s.c.Boards.Agenda(ctx, c.id, panel); err != nil {
			return err
		}
		d.Calls = append(d.Calls, a)
	}
	if failed != nil {
		return s.failed(ctx, c, "meetings", d, failed)
	}
	return s.show(ctx, c, "meetings", page{Data: d})
}

func (s *server) callMeeting(ctx context.Context, c *call) error {
	m, err := s.c.Boards.Call(ctx, c.id, board.CallInput{Panel: c.value("panel"), Day: policy.Date(c.value("day")), Items: c.form["item"]})
	if err != nil {
		return s.meetingsPage(ctx, c, err)
	}
	return c.redirect("/meetings/" + m.ID + "?done=called")
}

// meetingData is one meeting with its record and the steps that policy lets the person take.
type meetingData struct {
	*board.Record
	Offers map[string]bool
	Agenda []hearing
	Decide []policy.Command // on one item or a list of them
	Failed []board.Outcome
}

// hearing is one item of a meeting as the person may see it.
type hearing struct {
	application.Heard
	Reviews []choices
	Decides bool
}

func (s *server) meeting(ctx context.Context, c *call) error { return s.meetingPage(ctx, c, nil, nil) }

// meetingPage shows a meeting; after a step that failed, with the reason.
func (s *server) meetingPage(ctx context.Context, c *call, outcome []board.Outcome, failed error) error {
	c.home = "/meetings/" + c.param("id")
	m, err := s.c.Boards.Show(ctx, c.id, c.param("id"))
	if err != nil {
		return err
	}
	d := meetingData{Record: m, Offers: map[string]bool{}, Failed: outcome}
	if err := s.offers(ctx, c, &d); err != nil {
		return err
	}
	for _, heard := range m.Heard {
		h, decide, err := s.hearing(ctx, c, m.ID, heard)
		if err != nil {
			return err
		}
		if !d.Offers["leave"] || m.State != "open" { // votes are cast by who is in the room
			h.Reviews, h.Decides, decide = nil, false, nil
		}
		if len(decide) > 0 {
			d.Decide = decide
		}
		d.Agenda = append(d.Agenda, h)
	}
	if failed != nil {
		return s.failed(ctx, c, "meeting", d, failed)
	}
	return s.show(ctx, c, "meeting", page{Data: d})
}

// offers asks about every step of a meeting. Minutes are asked about with a file taken in, since without one nobody may bring them.
func (s *server) offers(ctx context.Context, c *call, d *meetingData) error {
	m := d.Record
	b := policy.Board{Noun: "meeting", State: m.State, Panel: m.Panel, Chair: m.Chair, Day: m.Day, Present: m.Present, Items: m.Items, Minutes: m.Minutes}
	for _, step := range []string{"attend", "leave", "open", "close", "cancel", "minute", "sign"} {
		switch step {
		case "minute":
			b.Digest = fmt.Sprintf("sha256:%064d", 0)
			b.Papers = policy.List[policy.Paper]{{Hash: b.Digest, Size: 1, By: c.id.Account, On: policy.DateOf(s.c.Desk.Now())}}
		case "sign":
			b.Digest = m.Minutes
		}
		var err error
		if d.Offers[step], err = s.takes(ctx, c, "meeting."+step, b); err != nil {
			return err
		}
	}
	return nil
}

// hearing is an item with its sheets. One that the person may not read is a number to him.
func (s *server) hearing(ctx context.Context, c *call, meeting string, heard application.Heard) (hearing, []policy.Command, error) {
	h := hearing{Heard: heard}
	if !heard.Seen {
		return h, nil, nil
	}
	v, err := s.c.Applications.Show(ctx, c.id, heard.Application)
	if err != nil {
		return h, nil, err
	}
	f := sorted(v.Commands)
	h.Decides, h.Reviews = len(f.Decide) > 0, f.Reviews
	return h, f.Decide, s.sheets(ctx, c, h.Reviews, "/meetings/"+meeting+"/vote", v)
}

// minutes is the record of a meeting as a document for paper, in the language of the page.
func (s *server) minutes(ctx context.Context, c *call) error {
	r, err := s.c.Boards.Show(ctx, c.id, c.param("id"))
	if err != nil {
		return err
	}
	body, err := s.paper.MeetingBody(paper.Meeting{Record: r, Name: s.called, Label: s.coded, House: s.c.Institutions.Name}, c.lang)
	if err != nil {
		return err
	}
	return s.show(ctx, c, "minutes", page{Data: minutesData{r.ID, body}})
}

// minutesData is a meeting's record, laid out.
type minutesData struct {
	ID   string
	Body template.HTML
}

// take is a step of a meeting that needs at most a digest.
func (s *server) take(step string) func(ctx context.Context, c *call) error {
	return func(ctx context.Context, c *call) error {
		if _, err := s.c.Boards.Take(ctx, c.id, c.param("id"), step, c.value("digest")); err != nil {
			return s.meetingPage(ctx, c, nil, err)
		}
		return c.redirect("/meetings/" + c.param("id") + "?done=meeting-" + step)
	}
}

// minute takes the file of the minutes in and puts it on record.
func (s *server) minute(ctx context.Context, c *call) error {
	digest, err := s.takenIn(ctx, c, "file")
	if err == nil {
		_, err = s.c.Boards.Take(ctx, c.id, c.param("id"), "minute", digest)
	}
	if err != nil {
		return s.meetingPage(ctx, c, nil, err)
	}
	return c.redirect("/meetings/" + c.param("id") + "?done=meeting-minute")
}

func (s *server) vote(ctx context.Context, c *call) error {
	if _, err := s.c.Boards.Vote(ctx, c.id, c.param("id"), c.value("application"), c.opinion()); err != nil {
		return s.meetingPage(ctx, c, nil, err)
	}
	return c.redirect("/meetings/" + c.param("id") + "?done=reviewed")
}

// decideTogether decides the items that were ticked; those that policy refuses are shown with why.
func (s *server) decideTogether(ctx context.Context, c *call) error {
	all, err := s.c.Boards.Decide(ctx, c.id, c.param("id"), c.form["item"], c.value("listed") != "", application.DecisionInput{
		Choice: c.value("choice"), Grounds: c.value("grounds"), Conditions: c.lines("conditions"),
	})
	if err == nil && len(all) == 0 {
		err = problem.New(problem.Invalid, "请选择要决定的事项。", "Tick what is to be decided.")
	}
	all = slices.DeleteFunc(all, func(o board.Outcome) bool { return o.Problem == nil })
	if err != nil || len(all) > 0 {
		return s.meetingPage(ctx, c, all, err)
	}
	return c.redirect("/meetings/" + c.param("id") + "?done=decided")
}

// deputiesData is the register of deputies, as far as it is for the person.
type deputiesData struct {
	Deputies []deputyship
	Posts    []string // of the person's own that can be held for him
}

type deputyship struct {
	board.Paper
	MayEnd bool
}

func (s *server) deputies(ctx context.Context, c *call) error { return s.deputiesPage(ctx, c, nil) }

func (s *server) deputiesPage(ctx context.Context, c *call, failed error) error {
	c.home = "/deputies"
	papers, err := s.c.Boards.Papers(ctx, c.id, board.Deputy)
	if err != nil {
		return err
	}
	var d deputiesData
	for _, p := range papers {
		b := policy.Board{Noun: p.Noun, State: p.State, Party: p.Party, For: p.For, Role: p.Role, From: p.From, Until: p.Until, ForHouse: s.house(p.For)}
		may, err := s.takes(ctx, c, "deputy.end", b)
		if err != nil {
			return err
		}
		d.Deputies = append(d.Deputies, deputyship{p, may})
	}
	var posts []string
	if err := s.c.Desk.Policy.Data(ctx, "carrel/boards/deputised", &posts); err != nil {
		return err
	}
	d.Posts = slices.DeleteFunc(posts, func(r string) bool { return !slices.Contains(c.id.Roles, r) })
	if failed != nil {
		return s.failed(ctx, c, "deputies", d, failed)
	}
	return s.show(ctx, c, "deputies", page{Data: d})
}

// house is the institution of an account; "" is nobody known.
func (s *server) house(account string) string {
	var id auth.Identity
	id, _ = s.c.Directory.Identity(account)
	return id.Institution
}

func (s *server) nameDeputy(ctx context.Context, c *call) error {
	_, err := s.c.Boards.NameDeputy(ctx, c.id, board.DeputyInput{Deputy: c.value("deputy"), Role: c.value("role"), From: policy.Date(c.value("from")), Until: policy.Date(c.value("until"))})
	if err != nil {
		return s.deputiesPage(ctx, c, err)
	}
	return c.redirect("/deputies?" + url.Values{"done": {"named"}}.Encode())
}

func (s *server) endDeputy(ctx context.Context, c *call) error {
	if _, err := s.c.Boards.Give(ctx, c.id, "deputy.end", board.Deputy, c.param("id")); err != nil {
		return s.deputiesPage(ctx, c, err)
	}
	return c.redirect("/deputies?" + url.Values{"done": {"unnamed"}}.Encode())
}
