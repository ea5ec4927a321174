package web

import (
	"context"
	"net/url"
	"slices"

	"carrel/broker/institution"
	"carrel/policy"
)

// institutionsData is the register, with the form of who may enter an institution.
type institutionsData struct {
	All         []institution.Institution
	MayRegister bool
	Levels      []string
}

// institutionData is one entry of the register, with those under it.
type institutionData struct {
	institution.Institution
	All    []institution.Institution
	Under  []institution.Institution
	Ledger bool // the person may look at credit files
	// MayName lets the office that answers for data be named, MayChange all of the entry.
	MayName, MayChange bool
	Levels             []string
}

func (s *server) institutions(ctx context.Context, c *call) error {
	return s.institutionsPage(ctx, c, nil)
}

func (s *server) institutionsPage(ctx context.Context, c *call, failed error) error {
	c.home = "/institutions"
	d := institutionsData{Levels: s.levels}
	var err error
	if d.All, err = s.c.Institutions.List(ctx, c.id); err != nil {
		return err
	}
	if own := find(d.All, c.id.Institution); own != nil { // whether anything may be entered below one's own
		below := policy.Unit{ID: "(anything)", State: policy.UnitRegistered, Level: own.Level, Region: own.Region, Supervisor: own.ID}
		if d.MayRegister, err = s.sets(ctx, c, policy.Unit{}, below, own.Unit()); err != nil {
			return err
		}
	}
	if failed != nil {
		return s.failed(ctx, c, "institutions", d, failed)
	}
	return s.show(ctx, c, "institutions", page{Data: d})
}

func find(all []institution.Institution, id string) *institution.Institution {
	if i := slices.IndexFunc(all, func(x institution.Institution) bool { return x.ID == id }); i >= 0 {
		return &all[i]
	}
	return nil
}

// sets asks policy whether the person may make an entry of another.
func (s *server) sets(ctx context.Context, c *call, before, after, above policy.Unit) (bool, error) {
	ok, err := s.reach(ctx, c, "POST /institutions")
	if err != nil || !ok {
		return false, err
	}
	d, err := s.c.Desk.Policy.Decide(ctx, policy.InstitutionQuestion{At: s.c.Desk.Moment(), Subject: c.id.Subject(), Act: "institution.set",
		Unit: after, Before: before, Above: above, Names: 2})
	return err == nil && d.Allow, err
}

func (s *server) institution(ctx context.Context, c *call) error {
	return s.institutionPage(ctx, c, nil)
}

func (s *server) institutionPage(ctx context.Context, c *call, failed error) error {
	id := c.param("id")
	c.home = "/institutions/" + id
	d := institutionData{Levels: s.levels}
	var err error
	if d.Institution, err = s.c.Institutions.Show(ctx, c.id, id); err != nil {
		return err
	}
	if d.All, err = s.c.Institutions.List(ctx, c.id); err != nil {
		return err
	}
	for _, i := range d.All {
		if i.Supervisor == d.ID {
			d.Under = append(d.Under, i)
		}
	}
	if d.Ledger, err = s.reach(ctx, c, "GET /conduct"); err != nil {
		return err
	}
	if err := s.changeable(ctx, c, &d); err != nil {
		return err
	}
	if failed != nil { // with what was typed
		return s.failed(ctx, c, "institution", d, failed)
	}
	c.form = written(d.Institution)
	return s.show(ctx, c, "institution", page{Data: d})
}

// changeable asks policy what of the entry the person may change: with nothing but the office changed, and with its connection too.
func (s *server) changeable(ctx context.Context, c *call, d *institutionData) error {
	var above policy.Unit
	if up := find(d.All, d.Supervisor); up != nil {
		above = up.Unit()
	}
	was := d.Unit()
	var err error
	if d.MayName, err = s.sets(ctx, c, was, was, above); err != nil {
		return err
	}
	other := was
	other.Platform, other.Connected, other.Left = "(another)", policy.DateOf(s.c.Desk.Now()), ""
	d.MayChange, err = s.sets(ctx, c, was, other, above)
	return err
}

func (s *server) register(ctx context.Context, c *call) error {
	in, err := s.c.Institutions.Set(ctx, c.id, c.entry(institution.Institution{ID: c.value("id")}, true))
	if err != nil {
		return s.institutionsPage(ctx, c, err)
	}
	return c.redirect("/institutions/" + in.ID + "?done=registered")
}

// change replaces an entry. What the form does not hold stays as it was when the form was made, or the change is a conflict.
func (s *server) change(ctx context.Context, c *call) error {
	was, err := s.c.Institutions.Show(ctx, c.id, c.param("id"))
	if err != nil {
		return err
	}
	in := c.entry(was, c.value("whole") != "")
	if in.Revision, err = c.revision(); err == nil {
		_, err = s.c.Institutions.Set(ctx, c.id, in)
	}
	if err != nil {
		return s.institutionPage(ctx, c, err)
	}
	return c.redirect("/institutions/" + was.ID + "?done=entered")
}

// entry reads the form of an entry over what it was.
func (c *call) entry(in institution.Institution, whole bool) institution.Institution {
	in.Department, in.Post = c.value("department"), c.value("post")
	if !whole {
		return in
	}
	in.NameZH, in.NameEN, in.Level, in.Region, in.Supervisor, in.Kind = c.value("name_zh"), c.value("name_en"), c.value("level"), c.value("region"), c.value("supervisor"), c.value("kind")
	in.Ended, in.Successor, in.Moving = policy.Date(c.value("ended")), c.value("successor"), c.value("moving")
	if in.Moving == in.Region { // it has arrived
		in.Moving = ""
	}
	in.Connection, in.Commission = nil, nil
	if p := c.value("platform"); p != "" {
		in.Connection = &institution.Connection{Platform: p, From: policy.Date(c.value("connected")), Until: policy.Date(c.value("left"))}
	}
	if by := c.value("by"); by != "" {
		in.Commission = &institution.Commission{By: by, Document: c.value("document"), From: policy.Date(c.value("commission_from")), Until: policy.Date(c.value("commission_until"))}
	}
	return in
}

// written is the form of an entry as it stands.
func written(i institution.Institution) url.Values {
	out := url.Values{"name_zh": {i.NameZH}, "name_en": {i.NameEN}, "level": {i.Level}, "region": {i.Region}, "supervisor": {i.Supervisor}, "kind": {i.Kind},
		"department": {i.Department}, "post": {i.Post}, "ended": {string(i.Ended)}, "successor": {i.Successor}, "moving": {i.Moving}}
	if x := i.Connection; x != nil {
		out.Set("platform", x.Platform)
		out.Set("connected", string(x.From))
		out.Set("left", string(x.Until))
	}
	if x := i.Commission; x != nil {
		out.Set("by", x.By)
		out.Set("document", x.Document)
		out.Set("commission_from", string(x.From))
		out.Set("commission_until", string(x.Until))
	}
	return out
}
