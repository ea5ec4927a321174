// Package notice tells people that something waits for them or has happened to what is theirs: in an inbox, by e-mail, and to the
// systems of institutions by signed webhooks.
//
// It promises: a notice comes into being in the transaction of the step that it tells of, or not at all; who is told of which step,
// and in which words, is policy's data (notices.json), and whoever policy would not let read the thing is not told of it; what
// leaves the service names a kind of step and a number and nothing else: no person, no title, no word that somebody wrote, no
// account; every message to one destination goes out in order, is tried again until it arrives or has failed for five days, and
// carries the same number each time, so that a receiver can tell a second copy. An address is used only once its owner has
// shown that mail to it reaches her; it is an erasable text.
//
// It does not promise that anybody reads: deadlines run by their dates, not by notices. A message may arrive twice, when the
// service is killed between the sending and the note that it was sent.
package notice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// The kinds of documents in the store, and the states of a notice.
const (
	DocKind     = "notice"
	channelKind = "notice-channel"
	hookKind    = "notice-hook"
	postKind    = "notice-post"

	StateUnread = "unread"
	StateRead   = "read"
)

// maxTold bounds who hears of one step, so that no step writes without end.
const maxTold = 200

// People is who has an account now.
type People interface {
	Identity(account string) (auth.Identity, bool)
	Accounts() []auth.Identity
}

// Finder says what a thing of the store is to whom. The thing is named as in the log: "application/ap-…".
type Finder func(ctx context.Context, tx *store.Tx, id string) (policy.Object, error)

// Find makes a finder of things that are stored as documents of one kind.
func Find[T any, P interface {
	*T
	Object() policy.Object
}](kind string) Finder {
	return func(ctx context.Context, tx *store.Tx, id string) (policy.Object, error) {
		thing := P(new(T))
		if _, err := tx.Get(ctx, kind, id, thing); err != nil {
			return policy.Object{}, fmt.Errorf("notice: read a thing: %w", err)
		}
		return thing.Object(), nil
	}
}

// Mailer hands one message over to a mail server.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Mail is one e-mail. ID is the same each time the message is tried.
type Mail struct {
	ID, To, Subject, Body string
}

// Config is what the use cases are made of. Mailer may be nil: then nobody can register an address.
type Config struct {
	Desk    act.Desk
	People  People
	Finders map[string]Finder // by the noun before the slash
	Mailer  Mailer
	Client  *http.Client // for webhooks; HookClient makes a safe one
	Secret  []byte       // of which the webhooks' secrets and the codes that confirm addresses are made
	BaseURL string       // of the pages, for links; "" leaves links out
	Logger  *slog.Logger
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	c    Config
	desk act.Desk
	wake chan struct{}
}

// New makes the use cases.
func New(c Config) (*Service, error) {
	if err := c.Desk.Check(); err != nil {
		return nil, err
	}
	if c.People == nil || c.Finders == nil || c.Client == nil || len(c.Secret) < 32 || c.Logger == nil {
		return nil, errors.New("notice: the use cases need a directory, finders, a client, a secret of 32 bytes and a logger")
	}
	return &Service{c: c, desk: c.Desk, wake: make(chan struct{}, 1)}, nil
}

// Notice is one message in somebody's inbox.
type Notice struct {
	ID      string      `json:"id"`
	Account string      `json:"account"`
	Kind    string      `json:"kind"`   // of the step, as in the log
	Object  string      `json:"object"` // as in the log
	Text    policy.Text `json:"text"`
	Due     policy.Date `json:"due,omitempty"`
	At      time.Time   `json:"at"`
	Read    *time.Time  `json:"read,omitempty"`
}

// event is policy's word on one kind of step.
type event struct {
	Read string            `json:"read"` // the action that an addressee must be allowed on the thing; "" where the addressee is a party
	When map[string]string `json:"when"` // facts that the step must have
	Tell []tell            `json:"tell"`
}

// tell is one group of addressees and what they are told.
type tell struct {
	Who  []string    `json:"who"` // lead, team, reviewers, data-owners, institution, party, role:…
	Text policy.Text `json:"text"`
	// Hook is whether systems of the institutions in question are told as well.
	Hook bool `json:"hook"`
}

// Tell makes the notices of a step that was just put on record, in its transaction. It is act's Teller.
func (s *Service) Tell(ctx context.Context, tx *store.Tx, actor string, step act.Step) error {
	var events map[string][]event
	if err := s.desk.Policy.Data(ctx, "carrel/notices", &events); err != nil {
		return fmt.Errorf("notice: policy's data: %w", err)
	}
	for _, e := range events[step.Kind] {
		if !holds(e.When, step.Facts) {
			continue
		}
		object, err := s.find(ctx, tx, step.Object)
		if err != nil {
			return err
		}
		about := thing{Object: object, party: step.Facts["party"]}
		if about.reviewers, err = s.reviewers(ctx, object.Reviews); err != nil {
			return err
		}
		if err := s.event(ctx, tx, actor, step, e, about); err != nil {
			return err
		}
	}
	return nil
}

func holds(when, facts map[string]string) bool {
	for k, v := range when {
		if facts[k] != v {
			return false
		}
	}
	return true
}

// thing is what a step was about, as far as it says who is concerned.
type thing struct {
	policy.Object
	reviewers []string // roles that hold its reviews
	party     string
}

// reviewers are the roles that hold reviews of these kinds.
func (s *Service) reviewers(ctx context.Context, kinds []string) ([]string, error) {
	if len(kinds) == 0 {
		return nil, nil
	}
	var reviews map[string]struct {
		Role string `json:"role"`
	}
	if err := s.desk.Policy.Data(ctx, "carrel/reviews", &reviews); err != nil {
		return nil, fmt.Errorf("notice: policy's data: %w", err)
	}
	var roles []string
	for _, kind := range kinds {
		if r := reviews[kind].Role; r != "" {
			roles = append(roles, r)
		}
	}
	return roles, nil
}

// event tells everybody whom one line of policy's data names; whoever took the step knows.
func (s *Service) event(ctx context.Context, tx *store.Tx, actor string, step act.Step, e event, about thing) error {
	told := map[string]bool{actor: true}
	for _, t := range e.Tell {
		for _, id := range s.addressees(t, about) {
			if told[id.Account] || len(told) > maxTold {
				continue
			}
			may, err := s.mayRead(ctx, id, e.Read, about.Object)
			if err != nil {
				return err
			}
			if !may {
				continue
			}
			told[id.Account] = true
			if err := s.put(ctx, tx, id, step, t.Text); err != nil {
				return err
			}
		}
		if t.Hook {
			if err := s.hooked(ctx, tx, step, about.Object, t.Text); err != nil {
				return err
			}
		}
	}
	return nil
}

// find reads what a step's object is to whom. What no finder knows concerns roles and parties only.
func (s *Service) find(ctx context.Context, tx *store.Tx, object string) (policy.Object, error) {
	noun, id, _ := strings.Cut(object, "/")
	finder, ok := s.c.Finders[noun]
	if !ok || id == "" {
		return policy.Object{}, nil
	}
	o, err := finder(ctx, tx, id)
	if err != nil {
		return o, fmt.Errorf("notice: find what a step was about: %w", err)
	}
	return o, nil
}

// mayRead keeps a notice from saying that there is something to who may not know it.
func (s *Service) mayRead(ctx context.Context, id auth.Identity, action string, o policy.Object) (bool, error) {
	if action == "" {
		return true, nil
	}
	dec, err := s.desk.Policy.Decide(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: action, Object: o})
	if err != nil {
		return false, fmt.Errorf("notice: ask policy: %w", err)
	}
	return dec.Allow, nil
}

// addressees are the accounts that a group stands for, in the directory's order.
func (s *Service) addressees(t tell, o thing) []auth.Identity {
	var out []auth.Identity
	for _, id := range s.c.People.Accounts() {
		if slices.ContainsFunc(t.Who, func(who string) bool { return s.is(id, who, o) }) {
			out = append(out, id)
		}
	}
	return out
}

// is says whether an account belongs to a group.
func (s *Service) is(id auth.Identity, who string, o thing) bool {
	insider := id.Account == o.Owner || slices.Contains(o.Team, id.Account)
	switch who {
	case "lead":
		return id.Account == o.Owner
	case "team":
		return slices.Contains(o.Team, id.Account)
	case "reviewers":
		return !insider && slices.ContainsFunc(id.Roles, func(r string) bool { return slices.Contains(o.reviewers, r) })
	case "data-owners":
		return slices.Contains(id.Roles, "owner") && slices.ContainsFunc(o.DataOwners, func(house string) bool { return s.desk.Same(house, id.Institution) })
	case "institution":
		return s.desk.Same(o.Institution, id.Institution)
	case "party":
		house, ok := strings.CutPrefix(o.party, "institution/")
		return o.party == "person/"+id.Account || ok && s.desk.Same(house, id.Institution)
	}
	role, ok := strings.CutPrefix(who, "role:")
	return ok && !insider && slices.Contains(id.Roles, role)
}

// put writes one notice, and one message if its reader has an address.
func (s *Service) put(ctx context.Context, tx *store.Tx, id auth.Identity, step act.Step, text policy.Text) error {
	n := Notice{ID: act.NewID("no"), Account: id.Account, Kind: step.Kind, Object: step.Object, Text: text, Due: policy.Date(step.Facts["due"]), At: s.desk.Now().UTC()}
	if err := tx.Put(ctx, DocKind, n.ID, 0, store.Index{Owner: id.Account, State: StateUnread}, n); err != nil {
		return fmt.Errorf("notice: put: %w", err)
	}
	return s.mailed(ctx, tx, n)
}

// Reminder tells these accounts of a thing that is due, once a thing and day, and the systems of their institutions with them; it is for
// whoever watches the clock.
func (s *Service) Reminder(ctx context.Context, tx *store.Tx, accounts []string, kind, object string, due policy.Date, text policy.Text) (int, error) {
	sent := 0
	var houses []string
	step := act.Step{Kind: kind, Object: object, Facts: map[string]string{"due": string(due)}}
	for _, account := range accounts {
		id, ok := s.c.People.Identity(account)
		if !ok {
			continue
		}
		mark := "reminder/" + kind + "/" + object + "/" + account + "/" + string(policy.DateOf(s.desk.Now()))
		if _, err := tx.Get(ctx, DocKind+"-mark", mark, nil); !errors.Is(err, store.ErrNotFound) {
			if err != nil {
				return sent, fmt.Errorf("notice: reminder: %w", err)
			}
			continue
		}
		if err := tx.Put(ctx, DocKind+"-mark", mark, 0, store.Index{}, struct{}{}); err != nil {
			return sent, fmt.Errorf("notice: reminder: %w", err)
		}
		if err := s.put(ctx, tx, id, step, text); err != nil {
			return sent, err
		}
		houses = append(houses, id.Institution)
		sent++
	}
	return sent, s.hooked(ctx, tx, step, policy.Object{DataOwners: houses}, text)
}

// Inbox is a person's notices, newest first; with unread only those that she has not read.
func (s *Service) Inbox(ctx context.Context, id auth.Identity, unread bool, after string) ([]Notice, error) {
	out := []Notice{}
	step := act.Step{Kind: "notice.listed", Object: "notices"}
	err := s.desk.Browse(ctx, id, step, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "notice.list"})
		if err != nil {
			return dec, err
		}
		f := store.Filter{Owner: id.Account, Newest: true, After: after}
		if unread {
			f.State = StateUnread
		}
		docs, err := tx.List(ctx, DocKind, f)
		if err != nil {
			return dec, fmt.Errorf("notice: list: %w", err)
		}
		for _, d := range docs {
			var n Notice
			if err := d.Decode(&n); err != nil {
				return dec, fmt.Errorf("notice: list: %w", err)
			}
			out = append(out, n)
		}
		return dec, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Unread is how many notices a person has not read, at most store.ListDefault. It is her own number and not put on record.
func (s *Service) Unread(ctx context.Context, id auth.Identity) (int, error) {
	n := 0
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		docs, err := tx.List(ctx, DocKind, store.Filter{Owner: id.Account, State: StateUnread})
		n = len(docs)
		return err
	})
	if err != nil {
		return 0, act.Problem(fmt.Errorf("notice: count: %w", err))
	}
	return n, nil
}

// Seen marks a person's own notice as read; a second time changes nothing.
func (s *Service) Seen(ctx context.Context, id auth.Identity, notice string) (*Notice, error) {
	n := new(Notice)
	step := act.Step{Kind: "notice.read", Object: "notice/" + notice}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "notice.list"})
		if err != nil {
			return err
		}
		rev, err := tx.Get(ctx, DocKind, notice, n)
		if err != nil || n.Account != id.Account {
			return errors.Join(problem.Absent(policy.Text{ZH: "通知", EN: "notice"}), err)
		}
		if n.Read != nil {
			return nil
		}
		now := s.desk.Now().UTC()
		n.Read = &now
		if err := tx.Put(ctx, DocKind, n.ID, rev, store.Index{Owner: n.Account, State: StateRead}, n); err != nil {
			return fmt.Errorf("notice: read: %w", err)
		}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return n, nil
}
