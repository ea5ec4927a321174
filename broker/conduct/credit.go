package conduct

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/store"
	"carrel/policy"
)

// Entry is what somebody with the office enters, orders or proposes about a party.
type Entry struct {
	Party    string      `json:"party" maxLength:"200" doc:"person/ACCOUNT or institution/ID"`
	Sort     string      `json:"sort" maxLength:"40"`
	Reason   string      `json:"reason" maxLength:"4000"`
	Article  string      `json:"article" maxLength:"40" doc:"id of the article it rests on, e.g. ndr-31"`
	Evidence string      `json:"evidence" maxLength:"80" doc:"sha256:… of the evidence"`
	Until    policy.Date `json:"until,omitempty" maxLength:"10" doc:"last day; empty is what policy says"`
}

// begin fills a new matter of what was entered.
func (s *Service) begin(in Entry) func(m *matter.Matter) error {
	return func(m *matter.Matter) error {
		unit, err := s.unit(in.Party)
		if err != nil {
			return err
		}
		m.Party, m.Unit, m.Sort, m.Article, m.Evidence, m.Until = in.Party, unit, in.Sort, in.Article, in.Evidence, in.Until
		return nil
	}
}

// Enter puts an entry into a credit file. Expulsion ends all grants of the party in the same transaction.
func (s *Service) Enter(ctx context.Context, id auth.Identity, in Entry) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "credit.enter", texts: map[string]string{"reason": in.Reason}, fill: s.begin(in),
		after: func(_ context.Context, _ *store.Tx, dec policy.Decision, m *matter.Matter) error {
			m.From = policy.DateOf(s.desk.Now())
			return until(m, dec, policy.LimitUntil)
		}})
}

// until takes the last day from policy where nobody gave one.
func until(m *matter.Matter, dec policy.Decision, limit string) error {
	last, ok := dec.Limit(limit)
	if !ok {
		return errors.New("conduct: policy names no last day")
	}
	if m.Until == "" {
		m.Until = policy.Date(last)
	}
	return nil
}

// entry is the credit entry that a measure is.
func (s *Service) entry(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, of *matter.Matter) error {
	m := &matter.Matter{ID: act.NewID(prefix(matter.Credit)), Noun: matter.Credit, Sort: "rung-" + of.Sort, State: "standing", Party: of.Party, Unit: of.Unit,
		Article: of.Article, Evidence: of.Evidence, Link: of.ID, From: policy.DateOf(s.desk.Now()), Texts: of.Texts,
		Steps: []matter.Step{{At: s.desk.Now().UTC(), By: id.Account, Act: "measure.order", To: "standing"}}}
	if err := until(m, dec, policy.LimitCreditUntil); err != nil {
		return err
	}
	return s.beget(ctx, tx, id, dec, m)
}

// rectification is the duty that a supervised rectification imposes.
func (s *Service) rectification(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, of *matter.Matter) error {
	return s.beget(ctx, tx, id, dec, &matter.Matter{ID: act.NewID(prefix(matter.Duty)), Noun: matter.Duty, Sort: "rectification", State: "due", Party: of.Party,
		Unit: of.Unit, Link: of.ID, From: policy.DateOf(s.desk.Now()), Until: of.Until, Texts: of.Texts,
		Steps: []matter.Step{{At: s.desk.Now().UTC(), By: id.Account, Act: "measure.order", To: "due"}}})
}

// beget stores a matter that another one brings with it, under the decision of that one.
func (s *Service) beget(ctx context.Context, tx *store.Tx, id auth.Identity, dec policy.Decision, m *matter.Matter) error {
	if err := matter.Put(ctx, tx, m, 0); err != nil {
		return err
	}
	if err := folder.Lay(ctx, tx, m.Evidence, m.Link, m.ID); err != nil {
		return fmt.Errorf("conduct: %w", err)
	}
	_, err := s.desk.Record(ctx, tx, id, dec, act.Step{Kind: "conduct." + m.Noun + ".made", Object: "conduct/" + m.Noun + "/" + m.ID,
		Facts: map[string]string{"party": m.Party, "sort": m.Sort, "to": m.State, "of": m.Link}})
	return err
}

// Appeal, Uphold and Lift are what may be done with an entry; the grounds are an erasable text.
func (s *Service) Appeal(ctx context.Context, id auth.Identity, entry, grounds string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "credit.appeal", id: entry, texts: map[string]string{"grounds": grounds}})
}

// Uphold rejects an appeal.
func (s *Service) Uphold(ctx context.Context, id auth.Identity, entry, grounds string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "credit.uphold", id: entry, texts: map[string]string{"grounds": grounds}})
}

// Lift grants an appeal: the entry counts no more. Grants that it ended stay ended; one applies again.
func (s *Service) Lift(ctx context.Context, id auth.Identity, entry, grounds string) (*matter.Matter, error) {
	return s.take(ctx, id, step{act: "credit.lift", id: entry, texts: map[string]string{"grounds": grounds}})
}

// ExportType is the use that an export's signature is for.
const ExportType = "carrel-credit+jws"

// Export is what the unified credit information platform gets: the bytes that were signed, and the signature over them. It holds
// no reason in words and no evidence, but its hash.
type Export struct {
	Payload   string `json:"payload"`
	Signature string `json:"signature"` // detached JWS, ES256, of the service's key
}

// Exported is the payload.
type Exported struct {
	Origin  string          `json:"origin"`
	Made    time.Time       `json:"made"`
	Party   string          `json:"party"`
	Entries []ExportedEntry `json:"entries"`
}

// ExportedEntry is one entry of the payload.
type ExportedEntry struct {
	ID       string      `json:"id"`
	Sort     string      `json:"sort"`
	Article  string      `json:"article"`
	Evidence string      `json:"evidence"`
	From     policy.Date `json:"from"`
	Until    policy.Date `json:"until"`
}

// Export signs the entries of a party that policy lets go to the credit platform; those that it does not are left out.
func (s *Service) Export(ctx context.Context, id auth.Identity, party, purpose string) (*Export, error) {
	texts := map[string]string{"purpose": purpose}
	if err := matter.Wording(texts); err != nil {
		return nil, err
	}
	unit, err := s.unit(party)
	if err != nil {
		return nil, err
	}
	var out *Export
	logged := act.Step{Kind: "conduct.credit.exported", Object: "conduct/credit", Facts: map[string]string{"party": party}}
	err = s.desk.Do(ctx, id, logged, func(tx *store.Tx) error {
		payload := Exported{Origin: s.desk.Operator, Made: s.desk.Now().UTC(), Party: party, Entries: []ExportedEntry{}}
		// Whether the person may export at all is asked of an entry that could go.
		dec, err := s.ask(ctx, id, "credit.export", &matter.Matter{Noun: matter.Credit, State: "standing", Party: party, Unit: unit, Until: policy.DateOf(s.desk.Now())}, texts, "")
		if err != nil {
			return err
		}
		err = s.each(ctx, tx, matter.Credit, party, func(m *matter.Matter) error {
			one, err := s.desk.Policy.Decide(ctx, s.question(id, "credit.export", m, texts))
			if err == nil && one.Allow {
				payload.Entries = append(payload.Entries, ExportedEntry{ID: m.ID, Sort: m.Sort, Article: m.Article, Evidence: m.Evidence, From: m.From, Until: m.Until})
			}
			return err
		})
		if err != nil {
			return err
		}
		if out, err = s.signed(payload); err != nil {
			return err
		}
		logged.Facts["entries"] = fmt.Sprint(len(payload.Entries))
		_, err = s.desk.Record(ctx, tx, id, dec, logged)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Service) signed(p Exported) (*Export, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(p); err != nil {
		return nil, fmt.Errorf("conduct: encode export: %w", err)
	}
	payload := strings.TrimSpace(b.String())
	jws, err := s.c.Signer().SignDetached(ExportType, []byte(payload))
	if err != nil {
		return nil, fmt.Errorf("conduct: sign export: %w", err)
	}
	return &Export{Payload: payload, Signature: jws}, nil
}
