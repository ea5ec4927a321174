package web

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"

	"carrel/broker/abroad"
	"carrel/broker/catalogue"
	"carrel/broker/problem"
	"carrel/policy"
)

// readOffices adds the names of the states of files that go abroad ("abroad") and of what lets data go ("way"), and says which offices
// clear them.
func readOffices(ctx context.Context, d policy.Decider, out labels) ([]string, error) {
	var machine struct {
		States  map[string]policy.Text `json:"states"`
		Ways    map[string]policy.Text `json:"ways"`
		Offices []string               `json:"offices"`
	}
	if err := d.Data(ctx, "carrel/workflow/cross-border", &machine); err != nil {
		return nil, err
	}
	out["abroad"], out["way"] = machine.States, machine.Ways
	return machine.Offices, nil
}

// abroadData is the files that the person may see, with the form of who may file one.
type abroadData struct {
	Files    []abroad.File
	MayFile  bool
	Purposes []string
	Ways     []string
	Datasets []catalogue.View // for which the person's institution is responsible
	Count    map[string]int   // by state
	States   []string
	State    string // that is shown alone
	Today    policy.Date
}

func (s *server) abroadFiles(ctx context.Context, c *call) error { return s.abroadPage(ctx, c, nil) }

func (s *server) abroadPage(ctx context.Context, c *call, failed error) error {
	c.home = "/abroad"
	d := abroadData{Count: map[string]int{}, Today: policy.DateOf(s.c.Desk.Now())}
	if failed == nil {
		d.State = c.value("state")
	}
	var err error
	if d.Files, err = s.c.Abroad.List(ctx, c.id); err != nil {
		return err
	}
	for _, f := range d.Files {
		if d.Count[f.State]++; d.Count[f.State] == 1 {
			d.States = append(d.States, f.State)
		}
	}
	slices.Sort(d.States)
	if d.State != "" {
		d.Files = slices.DeleteFunc(d.Files, func(f abroad.File) bool { return f.State != d.State })
	}
	if d.MayFile, err = s.reach(ctx, c, "POST /abroad"); err != nil {
		return err
	}
	if d.MayFile {
		if err := s.fileForm(ctx, c, &d); err != nil {
			return err
		}
	}
	if failed != nil {
		return s.failed(ctx, c, "abroad", d, failed)
	}
	return s.show(ctx, c, "abroad", page{Data: d})
}

// fileForm fills in what the form of a new file offers: the data of one's own institution.
func (s *server) fileForm(ctx context.Context, c *call, d *abroadData) error {
	all, err := s.wishable(ctx)
	if err != nil {
		return err
	}
	d.Datasets = slices.DeleteFunc(all, func(v catalogue.View) bool { return !s.c.Desk.Same(v.Owner, c.id.Institution) })
	d.Purposes, d.Ways = slices.Sorted(maps.Keys(s.labels["purpose"])), slices.Sorted(maps.Keys(s.labels["way"]))
	return nil
}

func (s *server) fileAbroad(ctx context.Context, c *call) error {
	rows, err := c.whole("rows")
	var f *abroad.File
	var assessment, contract string
	if err == nil {
		assessment, err = s.takenIn(ctx, c, "file")
	}
	if err == nil {
		contract, err = s.takenIn(ctx, c, "contract")
	}
	if err == nil {
		f, err = s.c.Abroad.File(ctx, c.id, abroad.Facts{Applicant: c.value("applicant"), Recipient: c.value("recipient"), Country: c.value("country"), Purpose: c.value("purpose"),
			Wishes: wishes(c.form["wish"]), Rows: rows, Until: policy.Date(c.value("until")), Assessment: assessment,
			Way: abroad.Way{Kind: c.value("way"), Document: contract, Number: c.value("way_number"), Until: policy.Date(c.value("way_until"))}}, c.value("reason"))
	}
	if err != nil {
		return s.abroadPage(ctx, c, err)
	}
	return c.redirect("/abroad/" + f.ID + "?done=abroad")
}

// abroadFile is one file with the commands that policy names, an office at a time.
type abroadFile struct {
	*abroad.View
	Clears           []policy.Command
	Refuse, Withdraw *policy.Command
	Offices          []string // that have not cleared it yet
	Days             int      // working days until it ends
	Past             bool
}

func (s *server) abroadOne(ctx context.Context, c *call) error { return s.abroadFilePage(ctx, c, nil) }

func (s *server) abroadFilePage(ctx context.Context, c *call, failed error) error {
	id := c.param("id")
	c.home = "/abroad/" + id
	v, err := s.c.Abroad.Show(ctx, c.id, id)
	if err != nil {
		return err
	}
	d := abroadFile{View: v, Days: s.daysUntil(ctx, v.Facts.Until), Past: v.Facts.Until < policy.DateOf(s.c.Desk.Now())}
	for i, cmd := range v.Commands {
		switch cmd.Command {
		case "clear":
			d.Clears = append(d.Clears, cmd)
		case "refuse":
			d.Refuse = &v.Commands[i]
		case "withdraw":
			d.Withdraw = &v.Commands[i]
		}
	}
	d.Offices = slices.DeleteFunc(slices.Clone(s.offices), func(office string) bool {
		return slices.ContainsFunc(v.Clearances, func(x abroad.Clearance) bool { return x.Office == office })
	})
	if failed != nil {
		return s.failed(ctx, c, "abroad-file", d, failed)
	}
	return s.show(ctx, c, "abroad-file", page{Data: d})
}

// onFile is one step on a file.
func (s *server) onFile(done string, step func(ctx context.Context, c *call, id string) error) func(ctx context.Context, c *call) error {
	return func(ctx context.Context, c *call) error {
		id := c.param("id")
		if err := step(ctx, c, id); err != nil {
			if problem.Is(err, problem.NotFound) {
				return err
			}
			return s.abroadFilePage(ctx, c, err)
		}
		return c.redirect("/abroad/" + id + "?" + url.Values{"done": {done}}.Encode())
	}
}

func (s *server) clearFile(ctx context.Context, c *call, id string) error {
	document, err := s.takenIn(ctx, c, "file")
	if err != nil {
		return err
	}
	_, err = s.c.Abroad.Clear(ctx, c.id, id, c.value("office"), c.value("number"), document)
	return err
}

func (s *server) refuseFile(ctx context.Context, c *call, id string) error {
	_, err := s.c.Abroad.Refuse(ctx, c.id, id, c.value("reason"))
	return err
}

func (s *server) withdrawFile(ctx context.Context, c *call, id string) error {
	_, err := s.c.Abroad.Withdraw(ctx, c.id, id)
	return err
}

// whole is a whole number that may be left out.
func (c *call) whole(name string) (int64, error) {
	text := c.value(name)
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, problem.Wrap(err, problem.Invalid, "数字不正确；请填写整数。", "A number is not usable; write a whole one.")
	}
	return n, nil
}
