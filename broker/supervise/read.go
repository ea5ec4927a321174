package supervise

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"carrel/anonymize/dp"
	"carrel/broker/audit"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant"
	"carrel/broker/store"
	"carrel/policy"
)

// read fills an overview in with what the territory and the sections open.
func (s *Service) read(ctx context.Context, tx *store.Tx, o *Overview, t *territory, from, to time.Time) error {
	units := map[string]*Unit{}
	for _, i := range s.register.All() {
		ok, err := t.holds(i.ID)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		u := Unit{ID: i.ID, NameZH: i.NameZH, NameEN: i.NameEN, Level: i.Level, Region: i.Region, Named: i.Department != "" && i.Post != "", Use: map[string]int{}}
		if i.Connection != nil {
			u.Platform = i.Connection.Platform
		}
		if i.Commission != nil {
			u.Until = i.Commission.Until
		}
		o.Institutions = append(o.Institutions, u)
	}
	for i := range o.Institutions {
		units[o.Institutions[i].ID] = &o.Institutions[i]
	}
	if err := s.log(ctx, tx, o, t, units, from, to); err != nil {
		return err
	}
	if err := budgets(ctx, tx, o, t); err != nil {
		return err
	}
	return s.matters(ctx, tx, o, t)
}

// log counts the entries of the period: what was done and what was refused, by unit, by rule and by day.
func (s *Service) log(ctx context.Context, tx *store.Tx, o *Overview, t *territory, units map[string]*Unit, from, to time.Time) error {
	n, err := tx.LogSize(ctx)
	if err != nil {
		return fmt.Errorf("supervise: log: %w", err)
	}
	o.LogEntries = n
	first, err := since(ctx, tx, n, from)
	if err != nil {
		return err
	}
	days, refused := map[policy.Date]*Day{}, map[[2]string]int{}
	for d := from; d.Before(to); d = d.Add(day) {
		days[policy.DateOf(d)] = &Day{Day: policy.DateOf(d)}
	}
	err = tx.LogScan(ctx, first, n, func(_ int64, leaf []byte) error {
		e, err := audit.ParseLeaf(leaf)
		if err != nil {
			return fmt.Errorf("supervise: log: %w", err)
		}
		d := days[policy.DateOf(e.At)]
		ok, err := t.holds(e.Unit)
		if err != nil || !ok || d == nil {
			return err
		}
		count(e, units[e.Unit], d, refused)
		return nil
	})
	if err != nil {
		return err
	}
	if o.shows("use") {
		for _, d := range days {
			o.Days = append(o.Days, *d)
		}
		slices.SortFunc(o.Days, func(a, b Day) int { return cmp.Compare(a.Day, b.Day) })
	}
	if o.shows("refusals") {
		for k, n := range refused {
			o.Refusals = append(o.Refusals, Refusal{Unit: k[0], Rule: k[1], Count: n})
		}
		slices.SortFunc(o.Refusals, func(a, b Refusal) int {
			return cmp.Or(b.Count-a.Count, strings.Compare(a.Unit, b.Unit), strings.Compare(a.Rule, b.Rule))
		})
	}
	return nil
}

func count(e audit.Entry, u *Unit, d *Day, refused map[[2]string]int) {
	family, _, _ := strings.Cut(e.Kind, ".")
	switch {
	case e.Outcome == "refused":
		d.Refused++
		if u != nil {
			u.Refused++
		}
		for _, r := range e.Rules {
			refused[[2]string{e.Unit, r}]++
		}
	case e.Outcome != "allowed":
	case family == "query":
		d.Queries++
	default:
		d.Other++
	}
	if u != nil && e.Outcome == "allowed" {
		u.Use[family]++
	}
}

// since finds the first entry that is not older than a time: entries are in the order of their times.
func since(ctx context.Context, tx *store.Tx, n int64, from time.Time) (int64, error) {
	lo, hi := int64(0), n
	for lo < hi {
		mid := lo + (hi-lo)/2
		leaf, err := tx.LogLeaf(ctx, mid)
		if err != nil {
			return 0, fmt.Errorf("supervise: log: %w", err)
		}
		e, err := audit.ParseLeaf(leaf)
		if err != nil {
			return 0, fmt.Errorf("supervise: log: %w", err)
		}
		if e.At.Before(from) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, nil
}

// budgets are those of the grants of the territory's units.
func budgets(ctx context.Context, tx *store.Tx, o *Overview, t *territory) error {
	if !o.shows("budgets") {
		return nil
	}
	f := store.Filter{Limit: store.ListMax}
	for {
		docs, err := tx.List(ctx, grant.DocKind, f)
		if err != nil {
			return fmt.Errorf("supervise: grants: %w", err)
		}
		for _, doc := range docs {
			f.After = doc.ID
			var g grant.Grant
			if err := doc.Decode(&g); err != nil {
				return fmt.Errorf("supervise: grant: %w", err)
			}
			ok, err := t.holds(g.Institution)
			if err != nil {
				return err
			}
			if !ok || g.Account == "" {
				continue
			}
			a, err := tx.LedgerAccount(ctx, g.Account)
			if err != nil {
				return fmt.Errorf("supervise: ledger: %w", err)
			}
			o.Budgets = append(o.Budgets, Budget{Grant: g.ID, Unit: g.Institution, Closed: a.Closed, Frozen: a.Frozen,
				Spent: dp.Epsilon(a.Accounting, a.Spent, a.RootDelta), Limit: dp.Epsilon(a.Accounting, a.Limit, a.RootDelta)})
		}
		if len(docs) < f.Limit {
			return nil
		}
	}
}

// soon is how long before its day a duty that was done is shown again.
const soon = 30 * day

// sections says in which section the matters of a noun are.
func sections() [][2]string {
	return [][2]string{{matter.Incident, "incidents"}, {matter.Report, "reports"}, {matter.Duty, "duties"}, {matter.Assessment, "assessments"}, {matter.Complaint, "complaints"}}
}

// matters are those that are open; of duties and assessments those that are due within the month or over.
func (s *Service) matters(ctx context.Context, tx *store.Tx, o *Overview, t *territory) error {
	now := s.desk.Now()
	newest := map[[2]string]time.Time{} // of the duties of a party and sort: what was renewed is no longer owed
	for _, ns := range sections() {
		if !o.shows(ns[1]) {
			continue
		}
		err := matter.All(ctx, tx, ns[0], store.Filter{}, func(m *matter.Matter) error {
			unit := m.Unit
			if rest, ok := strings.CutPrefix(m.Party, "institution/"); ok && unit == "" {
				unit = rest
			}
			ok, err := t.holds(unit)
			due, open := m.Deadline()
			if err != nil || !ok || !open {
				return err
			}
			if m.State == "held" {
				if k := [2]string{m.Party, m.Sort}; due.After(newest[k]) {
					newest[k] = due
				}
			}
			o.Matters = append(o.Matters, Matter{Noun: m.Noun, ID: m.ID, Sort: m.Sort, State: m.State, Unit: unit, Party: m.Party, Due: due,
				Overdue: !due.IsZero() && due.Before(now)})
			return nil
		})
		if err != nil {
			return err
		}
	}
	o.Matters = slices.DeleteFunc(o.Matters, func(m Matter) bool {
		return m.State == "held" && (m.Due.Before(newest[[2]string{m.Party, m.Sort}]) || m.Due.After(now.Add(soon)))
	})
	slices.SortStableFunc(o.Matters, func(a, b Matter) int { return a.Due.Compare(b.Due) })
	return nil
}
