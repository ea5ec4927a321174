package web

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"

	"carrel/broker/application"
	"carrel/broker/board"
	"carrel/broker/handover"
	"carrel/policy"
)

// inboxData is what waits for one person: what is due first stands first.
type inboxData struct {
	Tasks                 []task
	Packages              []waiting
	Invitations           []paperView
	Words, Do, When       string // what is shown alone
	Counts                []tally
	All, Overdue, Soon    int
	ToAll, ToLate, ToSoon string // addresses of the lists of these
	Filtered, Listed      bool
	Found, Page, Pages    int
	Earlier, Later        string // addresses of the pages before and after; "" where there is none
}

// task is an application with what the person can do that others wait for.
type task struct {
	application.Item
	Do   []doing
	Days int // working days left; -1 where it cannot be counted
}

// doing is a review of one kind, or a command.
type doing struct {
	Code string
	Text policy.Text
}

// tally is how many applications wait for the same thing.
type tally struct {
	doing
	N  int
	To string // address of the list of these alone
}

// waiting is a handover with the steps that policy lets this person take.
type waiting struct {
	handover.Handover
	Steps []string
}

const (
	inboxPage = 50 // applications on a page
	soon      = 5  // working days
)

func (s *server) inbox(ctx context.Context, c *call) error {
	d := inboxData{Words: c.value("q"), Do: c.value("do"), When: c.value("when")}
	d.ToAll, d.ToLate, d.ToSoon = d.address("", "", 1), d.address("", "overdue", 1), d.address("", "soon", 1)
	d.Filtered = d.Words != "" || d.Do != "" || d.When != ""
	ok, err := s.may(ctx, c, "application.list", policy.Object{})
	if err == nil && ok {
		err = s.tasks(ctx, c, &d)
	}
	if err != nil {
		return err
	}
	if ok, err = s.may(ctx, c, "handover.list", policy.Object{}); err == nil && ok {
		d.Packages, err = s.packages(ctx, c)
	}
	if err != nil {
		return err
	}
	if ok, err = s.reach(ctx, c, "GET /invitations"); err == nil && ok {
		d.Invitations, err = s.papersView(ctx, c, board.Invitation, "invitation.accept")
	}
	if err != nil {
		return err
	}
	d.Invitations = slices.DeleteFunc(d.Invitations, func(p paperView) bool { return !p.Offers["invitation.accept"] })
	return s.show(ctx, c, "inbox", page{Data: d})
}

// address of a page of the list of what waits for one thing, or is due at one time, with the words that were searched.
func (d *inboxData) address(do, when string, page int) string {
	q := url.Values{}
	for name, v := range map[string]string{"q": d.Words, "do": do, "when": when} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return "/inbox"
	}
	return "/inbox?" + q.Encode()
}

// turn leaves the tasks of one page; beyond the last it is the last.
func (d *inboxData) turn(page int) {
	d.Found = len(d.Tasks)
	d.Pages = max(1, (d.Found+inboxPage-1)/inboxPage)
	d.Page = min(max(page, 1), d.Pages)
	d.Tasks = d.Tasks[(d.Page-1)*inboxPage : min(d.Page*inboxPage, d.Found)]
	if d.Page > 1 {
		d.Earlier = d.address(d.Do, d.When, d.Page-1)
	}
	if d.Page < d.Pages {
		d.Later = d.address(d.Do, d.When, d.Page+1)
	}
}

// tasks lists the applications, counts them by what they wait for, and leaves those that were asked for, a page of them. All are read, since
// what is due first is often the oldest.
func (s *server) tasks(ctx context.Context, c *call, d *inboxData) error {
	items, err := s.c.Applications.List(ctx, c.id, application.Search{Inbox: true, Words: d.Words, Whole: true})
	if err != nil {
		return err
	}
	d.All = len(items)
	d.Listed = len(items) > 0 || d.Filtered
	days := map[policy.Date]int{} // most are due on one of a few days
	for _, item := range items {
		t := task{Item: item, Do: s.doings(item.Commands)}
		var counted bool
		if t.Days, counted = days[item.Due]; !counted {
			t.Days = s.daysUntil(ctx, item.Due)
			days[item.Due] = t.Days
		}
		d.count(t)
		if d.wanted(t) {
			d.Tasks = append(d.Tasks, t)
		}
	}
	slices.Reverse(d.Tasks) // of what is due on one day the oldest first
	slices.SortStableFunc(d.Tasks, func(a, b task) int { return cmp.Compare(last(a.Due), last(b.Due)) })
	page, _ := strconv.Atoi(c.value("page")) // what is no number is the first
	d.turn(page)
	slices.SortFunc(d.Counts, func(a, b tally) int { return cmp.Or(b.N-a.N, cmp.Compare(a.Code, b.Code)) })
	return nil
}

// last puts what is due on no day behind everything that is.
func last(due policy.Date) policy.Date {
	if due == "" {
		return "9999-12-31"
	}
	return due
}

// doings are the commands that others wait for, a review counted once whatever its verdict.
func (s *server) doings(commands []policy.Command) []doing {
	var out []doing
	for _, cmd := range commands {
		if slices.Contains(s.optional, cmd.Command) {
			continue
		}
		x := doing{Code: cmd.Command, Text: cmd.Label}
		if cmd.Review != "" {
			x = doing{Code: "review." + cmd.Review, Text: s.labels["review"][cmd.Review]}
		}
		if !slices.ContainsFunc(out, func(o doing) bool { return o.Code == x.Code }) {
			out = append(out, x)
		}
	}
	return out
}

func (d *inboxData) count(t task) {
	if t.Overdue {
		d.Overdue++
	}
	if t.soon() {
		d.Soon++
	}
	for _, x := range t.Do {
		i := slices.IndexFunc(d.Counts, func(o tally) bool { return o.Code == x.Code })
		if i < 0 {
			d.Counts, i = append(d.Counts, tally{doing: x, To: d.address(x.Code, "", 1)}), len(d.Counts)
		}
		d.Counts[i].N++
	}
}

func (t task) soon() bool { return t.Due != "" && !t.Overdue && t.Days >= 0 && t.Days <= soon }

func (d *inboxData) wanted(t task) bool {
	if d.Do != "" && !slices.ContainsFunc(t.Do, func(x doing) bool { return x.Code == d.Do }) {
		return false
	}
	switch d.When {
	case "overdue":
		return t.Overdue
	case "soon":
		return t.soon()
	}
	return true
}
