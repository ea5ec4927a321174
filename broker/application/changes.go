package application

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/diff"

	"carrel/broker/auth"
	"carrel/broker/form"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Change is one field that differs between two versions of an application.
type Change struct {
	Pointer string      `json:"pointer"` // in the draft, e.g. /texts/reason
	Label   policy.Text `json:"label"`
	Old     string      `json:"old"` // a list has an item a line; what was erased is empty
	New     string      `json:"new"`
	// Lines is the difference of a text of several lines: " " stays, "-" goes, "+" comes.
	Lines []string `json:"lines,omitempty"`
}

// Changes are the differences between two versions, or between what was granted and what an amendment or a renewal asks for.
type Changes struct {
	Of      string   `json:"of,omitempty"` // of a comparison with what was granted: the application by which it was
	From    int      `json:"from"`         // submissions count from 1
	To      int      `json:"to"`           // 0 is the application as it stands
	Changes []Change `json:"changes"`
}

// Changes shows field by field what differs between two submitted versions, or between one and the application as it stands (to
// is 0), to who may read it, and puts the view on record. from 0 is the version before.
func (s *Service) Changes(ctx context.Context, id auth.Identity, app string, from, to int) (*Changes, error) {
	out := &Changes{From: from, To: to}
	err := s.desk.Look(ctx, id, act.Step{Kind: "application.compared", Object: "application/" + app}, what(), func(tx *store.Tx) (policy.Decision, error) {
		a, _, err := load(ctx, tx, app)
		if err != nil {
			return policy.Decision{}, err
		}
		dec, err := s.access(ctx, id, "application.read", a)
		if err != nil {
			return dec, err
		}
		if out.From == 0 {
			if out.From = a.Version; to > 0 {
				out.From = to - 1
			}
		}
		if out.From < 1 || out.From > a.Version || to < 0 || to > a.Version {
			return dec, problem.New(problem.Invalid, fmt.Sprintf("没有这一版本；此申请已提交 %d 次。", a.Version), fmt.Sprintf("There is no such version; the application was submitted %d times.", a.Version))
		}
		out.Changes, err = s.compare(ctx, tx, a, out.From, to)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Amended shows field by field what an amendment or a renewal changes of what was granted, to who may read both, and puts the view on
// record. For an application that is about none there is nothing in it.
func (s *Service) Amended(ctx context.Context, id auth.Identity, app string) (*Changes, error) {
	out := &Changes{Changes: []Change{}}
	err := s.desk.Look(ctx, id, act.Step{Kind: "application.compared", Object: "application/" + app}, what(), func(tx *store.Tx) (policy.Decision, error) {
		a, _, err := load(ctx, tx, app)
		if err != nil {
			return policy.Decision{}, err
		}
		dec, err := s.access(ctx, id, "application.read", a)
		if err != nil || a.Of == "" {
			return dec, err
		}
		stood, err := lastGranted(ctx, tx, a)
		if err != nil {
			return dec, err
		}
		of, _, err := s.visible(ctx, tx, id, stood)
		if problem.Is(err, problem.NotFound) || problem.Is(err, problem.Forbidden) {
			return dec, nil
		}
		if err != nil {
			return dec, err
		}
		out.Of = of.ID
		out.Changes, err = s.amended(ctx, tx, of, a)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) amended(ctx context.Context, tx *store.Tx, of, a *Application) ([]Change, error) {
	before, err := s.fields(ctx, tx, of, 0)
	if err != nil {
		return nil, err
	}
	after, err := s.fields(ctx, tx, a, 0)
	if err != nil {
		return nil, err
	}
	f, err := s.forms.Get(a.Facts.Kind, 0)
	if err != nil {
		return nil, err
	}
	once := func(at string, _ string) bool { // that it is an amendment, and of what, is said beside
		return slices.ContainsFunc(ofOnce[:], func(name string) bool { return at == "/facts/"+name || strings.HasPrefix(at, "/facts/"+name+"/") })
	}
	maps.DeleteFunc(before, once)
	maps.DeleteFunc(after, once)
	return differences(f, before, after), nil
}

// lastGranted is the application by which the grant that is to be changed is what it is: the last one that was signed under it, which is not
// the one that the amendment was begun from when others were granted since. For one that is granted itself it is the one before.
func lastGranted(ctx context.Context, tx *store.Tx, a *Application) (string, error) {
	out, at := a.Of, time.Time{}
	f := store.Filter{Owner: a.Facts.Lead, State: "granted", Limit: store.ListMax} // the lead of a grant stays who it is
	for {
		docs, err := tx.List(ctx, DocKind, f)
		if err != nil {
			return "", fmt.Errorf("application: list: %w", err)
		}
		for _, d := range docs {
			f.After = d.ID
			var o Application
			if err := d.Decode(&o); err != nil {
				return "", fmt.Errorf("application: list: %w", err)
			}
			if o.ID == a.ID || o.Grant == "" || o.Grant != a.Facts.Former.Grant {
				continue
			}
			if signed := o.signed(); signed.After(at) && (a.Grant == "" || signed.Before(a.signed())) {
				out, at = o.ID, signed
			}
		}
		if len(docs) < f.Limit {
			return out, nil
		}
	}
}

// signed is when the last side signed.
func (a *Application) signed() time.Time {
	var at time.Time
	for _, s := range a.Signatures {
		if s.At.After(at) {
			at = s.At
		}
	}
	return at
}

func (s *Service) compare(ctx context.Context, tx *store.Tx, a *Application, from, to int) ([]Change, error) {
	before, err := s.fields(ctx, tx, a, from)
	if err != nil {
		return nil, err
	}
	after, err := s.fields(ctx, tx, a, to)
	if err != nil {
		return nil, err
	}
	f, err := s.forms.Get(a.Facts.Kind, 0)
	if err != nil {
		return nil, err
	}
	return differences(f, before, after), nil
}

// fields are the places and values of a version; 0 is the application as it stands.
func (s *Service) fields(ctx context.Context, tx *store.Tx, a *Application, version int) (map[string]string, error) {
	if version != 0 {
		a = &Application{ID: a.ID}
		if _, err := tx.Get(ctx, versionKind, fmt.Sprintf("%s/%d", a.ID, version), a); err != nil {
			return nil, fmt.Errorf("application: version: %w", err)
		}
	}
	d, err := s.draft(ctx, tx, a)
	if err != nil {
		return nil, err
	}
	doc, err := d.document()
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	flatten("", doc, out)
	return out, nil
}

// flatten writes the values of a document under their pointers. A list of plain values is one value, an item a line.
func flatten(at string, v any, into map[string]string) {
	switch x := v.(type) {
	case map[string]any:
		for name, child := range x {
			flatten(at+"/"+name, child, into)
		}
	case []any:
		lines := make([]string, 0, len(x))
		for i, child := range x {
			if _, plain := child.(map[string]any); plain {
				flatten(fmt.Sprintf("%s/%d", at, i), child, into)
				continue
			}
			lines = append(lines, plainly(child))
		}
		into[at] = strings.Join(lines, "\n")
	default:
		into[at] = plainly(v)
	}
}

func plainly(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case json.Number:
		if x == "0" {
			return ""
		}
	}
	return fmt.Sprint(v)
}

// counted are facts that follow from the words beside them.
var counted = [...]string{"/facts/reason", "/facts/methods", "/facts/ethics/exemption", "/facts/receiver/key"}

func differences(f *form.Form, before, after map[string]string) []Change {
	all := maps.Clone(before)
	maps.Copy(all, after)
	out := []Change{}
	for _, at := range slices.Sorted(maps.Keys(all)) {
		was, is := before[at], after[at]
		if was == is || slices.Contains(counted[:], at) || strings.HasPrefix(at, "/form") || strings.HasPrefix(at, "/facts/form") {
			continue
		}
		c := Change{Pointer: at, Label: f.Label(at), Old: was, New: is}
		if strings.Contains(was, "\n") || strings.Contains(is, "\n") {
			c.Lines = lines(was, is)
		}
		out = append(out, c)
	}
	return out
}

// lines is the difference of two texts, without the heads of the hunks' file.
func lines(was, is string) []string {
	end := func(s string) []byte { return []byte(strings.TrimSuffix(s, "\n") + "\n") }
	text := string(diff.Diff("old", end(was), "new", end(is)))
	all := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(all) < 4 {
		return nil
	}
	return all[3:] // "diff old new", "--- old", "+++ new"
}
