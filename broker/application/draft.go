package application

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Create files a new draft; the person who files it leads it.
func (s *Service) Create(ctx context.Context, id auth.Identity, d Draft) (*Application, error) {
	a := &Application{ID: act.NewID("ap"), Institution: id.Institution, Created: s.desk.Now().UTC(), Changed: s.desk.Now().UTC()}
	step := act.Step{Kind: "application.created", Object: "application/" + a.ID}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "application.create"})
		if err != nil {
			return err
		}
		w, err := s.workflow(ctx)
		if err != nil {
			return err
		}
		a.State, a.Texts = w.Initial, nil
		a.Facts.Lead = id.Account
		if step.Commit, err = s.fill(ctx, tx, a, d); err != nil {
			return err
		}
		if err := put(ctx, tx, a, 0); err != nil {
			return err
		}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Edit replaces a draft's contents. rev is the revision that the person saw, 0 for any.
func (s *Service) Edit(ctx context.Context, id auth.Identity, app string, rev int64, d Draft) (*Application, error) {
	return s.change(ctx, id, app, "application.edited", rev, func(tx *store.Tx, a *Application, step *act.Step) (policy.Decision, error) {
		dec, err := s.access(ctx, id, "application.edit", a)
		if err != nil {
			return dec, err
		}
		w, err := s.workflow(ctx)
		if err != nil {
			return dec, err
		}
		if a.State != w.Initial { // a fact of the form, not a rule: what was submitted is what reviewers read
			return dec, problem.New(problem.Conflict, "申请已提交，不能再修改；如需修改，请撤回后重新申请。",
				"The application was submitted and cannot be changed; withdraw it and apply again.")
		}
		if a.Version == 0 {
			if err := erase(ctx, tx, a.Texts); err != nil {
				return dec, err
			}
		}
		step.Commit, err = s.fill(ctx, tx, a, d)
		return dec, err
	})
}

// erase removes texts that no submitted version holds.
func erase(ctx context.Context, tx *store.Tx, texts map[string]store.TextRef) error {
	for _, ref := range texts {
		if err := tx.EraseText(ctx, ref.ID); err != nil {
			return fmt.Errorf("application: erase draft text: %w", err)
		}
	}
	return nil
}

// fill puts a draft into the application: texts apart, facts with what the service itself knows. It returns the commitments.
func (s *Service) fill(ctx context.Context, tx *store.Tx, a *Application, d Draft) (map[string]string, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	made, err := s.follows(&d)
	if err != nil {
		return nil, err
	}
	known := a.Facts
	a.Facts = d.Facts
	a.Facts.Lead, a.Facts.File, a.Facts.Former = known.Lead, a.File, known.Former
	a.Facts.Reason = policy.Length(d.Texts[TextReason])
	a.Facts.Methods = policy.Length(d.Texts[TextMethods])
	a.Facts.Ethics.Exemption = policy.Length(d.Texts[TextExemption])
	a.Facts.Receiver.Institution = a.Institution
	a.Facts.Abroad = policy.Abroad{Institution: strings.TrimSpace(d.Facts.Abroad.Institution), Country: strings.TrimSpace(d.Facts.Abroad.Country)}
	a.Facts.Form, a.Facts.Attachments = made, nil
	for _, member := range d.Facts.Team {
		if _, ok := s.people.Identity(member); !ok {
			return nil, problem.New(problem.Invalid, "课题组成员中有不存在的账号；请核对。", "A member of the team has no account; check the list.")
		}
	}
	commit := map[string]string{}
	a.Texts = map[string]store.TextRef{}
	for _, name := range names(d.Texts) {
		ref, err := tx.PutText(ctx, d.Texts[name])
		if err != nil {
			return nil, err
		}
		a.Texts[name], commit[name] = ref, ref.Commitment
	}
	_, err = s.datasets(ctx, tx, a)
	return commit, err
}

func (d Draft) check() error {
	for name, text := range d.Texts {
		if !slices.Contains([]string{TextTitle, TextReason, TextMethods, TextFunding, TextConflicts, TextExemption, TextAnswerable, TextSharing}, name) {
			return problem.New(problem.Invalid, "申请含有未知的文本字段；请按表单填写。", "The application holds a text of an unknown name; follow the form.")
		}
		if len(text) > maxText || !utf8.ValidString(text) {
			return problem.New(problem.TooLarge, "申请中的一段文字过长（上限 32 KB）；请缩短。", "A text of the application is too long (32 KB at most); shorten it.")
		}
	}
	if len(d.Facts.Team) > 100 || len(d.Facts.Wishes) > 20 {
		return problem.New(problem.TooLarge, "成员或数据集过多；请拆分申请。", "Too many members or datasets; split the application.")
	}
	for _, w := range d.Facts.Wishes {
		if len(w.Columns) > 1000 {
			return problem.New(problem.TooLarge, "字段过多；请使用“表名.*”。", "Too many fields; write table.* instead.")
		}
	}
	return nil
}

func names(texts map[string]string) []string {
	out := make([]string, 0, len(texts))
	for n := range texts {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

// datasets reads what the catalogue knows of the wishes now, and notes owners and universe. What it does not know is left
// out: policy says what that means.
func (s *Service) datasets(ctx context.Context, tx *store.Tx, a *Application) ([]policy.Dataset, error) {
	var out []policy.Dataset
	var owners, universes []string
	for _, w := range a.Facts.Wishes {
		e, _, err := s.catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, w.Dataset)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrInvalid) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("application: catalogue: %w", err)
		}
		facts := Facts(e.Dataset)
		if facts.Listed, err = s.sensitive(ctx, e.Dataset); err != nil {
			return nil, err
		}
		out = append(out, facts)
		owners, universes = append(owners, e.Dataset.Owners(w.Columns)...), append(universes, e.Dataset.Universe)
	}
	slices.Sort(owners)
	slices.Sort(universes)
	if universes = slices.Compact(universes); len(universes) > 1 {
		return nil, problem.New(problem.Invalid, "一份申请只能涉及同一人群的数据集；请分别申请。",
			"One application covers datasets of one population only; apply for them one by one.")
	}
	a.DataOwners, a.Universe = slices.Compact(owners), ""
	if len(universes) == 1 {
		a.Universe = universes[0]
	}
	return out, nil
}

// Facts is a catalogue entry as policy reads it.
func Facts(d *catalogue.Dataset) policy.Dataset {
	out := policy.Dataset{ID: d.ID, Owner: d.Owner, Region: d.Region, Level: d.Level, Purposes: d.Uses.Purposes, DUO: d.Uses.DUO, Columns: map[string]int{}}
	for _, b := range d.LawfulBasis {
		out.Basis = append(out.Basis, policy.Basis{Purpose: b.Purpose, Recipient: b.Recipient, Basis: b.Basis, Law: b.Law, Document: b.Document})
	}
	for _, t := range d.Tables {
		for _, f := range t.Fields {
			out.Columns[t.Name+"."+f.Name] = f.Level
		}
	}
	return out
}

// sensitive are the columns all of whose codes are of a sensitive list.
func (s *Service) sensitive(ctx context.Context, d *catalogue.Dataset) ([]policy.Listed, error) {
	lists, err := policy.ReadSensitive(ctx, s.desk.Policy)
	if err != nil {
		return nil, err
	}
	var out []policy.Listed
	for _, t := range d.Tables {
		for _, f := range t.Fields {
			for _, l := range lists {
				outside := func(v catalogue.Value) bool { return v.Code != catalogue.Other && !l.Holds(f.Codes, v.Code) }
				if len(f.Values) > 0 && !slices.ContainsFunc(f.Values, outside) {
					out = append(out, policy.Listed{Column: t.Name + "." + f.Name, List: l.Name})
				}
			}
		}
	}
	return out, nil
}
