// Package abroad keeps the files under which data may go abroad (sichuan-32).
//
// It promises: a file is made by the unit responsible for the data, says for whom, what for, which fields, how many rows and until
// when it was assessed, and which condition of the law it goes under (a security assessment, a certificate, a filed contract), and is
// cleared only when the health authority and the security department have each cleared it, by different people and under a document
// number of their own; assessment, contract and clearances are files that who names them took in, and lie with the file from then on; every step is one transaction of policy's decision, the file's state and its log entry; what people
// write is erasable. Who may do what is policy's (machine cross-border).
//
// It does not promise that the assessment is right, nor does it open anything: an application that is to go abroad names a cleared
// file, and policy compares the two when it is submitted and decided. From then on the file carries what came of it: a signature, the grant
// and every use of it are refused from the moment on at which the file was refused, withdrawn or is over (Cleared).
package abroad

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// DocKind is the kind of a file's document in the store.
const DocKind = "abroad"

// machine is the name of its workflow.
const machine = "cross-border"

// The bounds of what people write.
const (
	maxText   = 16 << 10
	maxNumber = 120
	maxName   = 360
	maxWishes = 20
)

// Facts are what was assessed.
type Facts struct {
	Applicant  string                   `json:"applicant"` // institution for whose application it is
	Recipient  string                   `json:"recipient"` // institution abroad
	Country    string                   `json:"country"`   // of the recipient
	Purpose    string                   `json:"purpose"`
	Owner      string                   `json:"owner"` // institution responsible for the data: the filer's
	Wishes     policy.List[policy.Wish] `json:"wishes"`
	Rows       int64                    `json:"rows"` // of all packages together, at most
	Until      policy.Date              `json:"until"`
	Assessment string                   `json:"assessment"` // sha256:…
	Way        Way                      `json:"way,omitzero"`
}

// Way is the condition under which the law lets the data go, and the paper that shows that it is met.
type Way struct {
	Kind     string      `json:"kind" maxLength:"40" doc:"security-assessment, certification or standard-contract"`
	Document string      `json:"document" maxLength:"80" doc:"sha256:… of the notice of the result, the certificate, or the contract as it was filed"`
	Number   string      `json:"number" maxLength:"480" doc:"of that document"`
	Until    policy.Date `json:"until" maxLength:"10" doc:"last day on which it holds"`
}

func (w Way) facts() policy.Way {
	return policy.Way{Kind: w.Kind, Document: w.Document, Number: policy.Length(w.Number), Until: w.Until}
}

// File is a file as stored.
type File struct {
	ID         string        `json:"id"`
	State      string        `json:"state"`
	Filer      string        `json:"filer"`
	Facts      Facts         `json:"facts"`
	Reason     store.TextRef `json:"reason"`
	Clearances []Clearance   `json:"clearances"`
	Refusal    store.TextRef `json:"refusal,omitzero"`
	RefusedBy  string        `json:"refused_by,omitempty"`
	Made       time.Time     `json:"made"`
	Changed    time.Time     `json:"changed"`
}

// Clearance is one office's.
type Clearance struct {
	Office      string    `json:"office"` // health-authority | security-department
	Account     string    `json:"account"`
	Institution string    `json:"institution"`
	Number      string    `json:"number"`   // of the document
	Document    string    `json:"document"` // sha256:…
	At          time.Time `json:"at"`
}

// Question is the file as applications are compared with it.
func (f *File) Question() policy.Clearance {
	return policy.Clearance{State: f.State, Owner: f.Facts.Owner, Applicant: f.Facts.Applicant, Recipient: f.Facts.Recipient, Country: f.Facts.Country, Until: f.Facts.Until,
		Wishes: f.Facts.Wishes, Purpose: f.Facts.Purpose, Way: f.Facts.Way.facts()}
}

// Cleared is a file as uses that rest on it are told of it, now. Where nothing is named nothing goes abroad; what is named and is not there
// has no state, and what that means policy says.
func Cleared(ctx context.Context, tx *store.Tx, id string) (policy.Cleared, error) {
	out := policy.Cleared{File: id}
	if id == "" {
		return out, nil
	}
	f, _, err := Load(ctx, tx, id)
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrInvalid):
		return out, nil
	case err != nil:
		return out, err
	}
	out.State, out.Until, out.Way, out.WayUntil = f.State, f.Facts.Until, f.Facts.Way.Kind, f.Facts.Way.Until
	return out, nil
}

func (f *File) workflow() policy.Case {
	c := policy.Case{Kind: machine, Purpose: f.Facts.Purpose, State: f.State, Lead: f.Filer, Institution: f.Facts.Applicant,
		DataOwners: policy.List[string]{f.Facts.Owner}, Due: f.Facts.Until, Abroad: policy.Abroad{Institution: f.Facts.Recipient, Country: f.Facts.Country},
		Way: f.Facts.Way.facts()}
	for _, s := range f.Clearances {
		c.Signatures = append(c.Signatures, policy.Signature{Side: s.Office, Account: s.Account, Institution: s.Institution})
	}
	return c
}

func (f *File) object() policy.Object {
	return policy.Object{Kind: DocKind, Owner: f.Filer, Institution: f.Facts.Applicant, DataOwners: policy.List[string]{f.Facts.Owner}, State: f.State}
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	desk act.Desk
}

// New makes the use cases.
func New(desk act.Desk) (*Service, error) {
	if err := desk.Check(); err != nil {
		return nil, err
	}
	return &Service{desk: desk}, nil
}

func what() policy.Text { return policy.Text{ZH: "出境申请", EN: "cross-border file"} }

// Load reads a file inside a transaction. It judges nothing.
func Load(ctx context.Context, tx *store.Tx, id string) (*File, int64, error) {
	f := new(File)
	rev, err := tx.Get(ctx, DocKind, id, f)
	if err != nil {
		return nil, 0, fmt.Errorf("abroad: load: %w", err)
	}
	return f, rev, nil
}

func (s *Service) access(ctx context.Context, id auth.Identity, action string, f *File) (policy.Decision, error) {
	return s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: action, Object: f.object()})
}

// seen is the file as its workflow sees it, with the papers that a step rests on: what the step names, in the folder of who takes it, and
// what lets the data go, which lies there when the file is made and with the file from then on.
func (f *File) seen(ctx context.Context, tx *store.Tx, id auth.Identity, named string) (policy.Case, error) {
	c := f.workflow()
	own := folder.Own(id.Account)
	var err error
	if c.Papers, err = folder.Under(ctx, tx, named, own); err != nil {
		return c, fmt.Errorf("abroad: %w", err)
	}
	way, err := folder.Under(ctx, tx, f.Facts.Way.Document, own, f.ID)
	if err != nil {
		return c, fmt.Errorf("abroad: %w", err)
	}
	c.Papers = append(c.Papers, way...)
	return c, nil
}

// move asks policy for a step and takes the state that it names. A document that the step names lies with the file from then on.
func (s *Service) move(ctx context.Context, tx *store.Tx, id auth.Identity, f *File, m policy.Move, o policy.Opinion) (policy.Decision, error) {
	seen, err := f.seen(ctx, tx, id, o.Evidence)
	if err != nil {
		return policy.Decision{}, err
	}
	dec, err := s.desk.Ask(ctx, policy.TransitionQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: machine, Move: m, Case: seen, Opinion: o})
	if err != nil {
		return dec, err
	}
	if err := folder.Lay(ctx, tx, o.Evidence, folder.Own(id.Account), f.ID); err != nil {
		return dec, fmt.Errorf("abroad: %w", err)
	}
	state, ok := dec.State()
	if !ok {
		return dec, errors.New("abroad: policy named no state")
	}
	f.State, f.Changed = state, s.desk.Now().UTC()
	return dec, nil
}

// File begins a file for the data of one's own institution.
func (s *Service) File(ctx context.Context, id auth.Identity, facts Facts, reason string) (*File, error) {
	if len(reason) > maxText || !utf8.ValidString(reason) || len(facts.Wishes) > maxWishes || len(facts.Country) > maxNumber || len(facts.Recipient) > maxName || len(facts.Applicant) > maxName || len(facts.Way.Number) > 4*maxNumber || !utf8.ValidString(facts.Way.Number) {
		return nil, tooLarge()
	}
	facts.Owner, facts.Way.Number = id.Institution, strings.TrimSpace(facts.Way.Number)
	facts.Recipient, facts.Country, facts.Applicant = strings.TrimSpace(facts.Recipient), strings.TrimSpace(facts.Country), strings.TrimSpace(facts.Applicant)
	f := &File{ID: act.NewID("cb"), Filer: id.Account, Facts: facts, Made: s.desk.Now().UTC()}
	step := act.Step{Kind: "abroad.filed", Object: "abroad/" + f.ID}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		if _, err := s.access(ctx, id, "abroad.file", f); err != nil {
			return err
		}
		dec, err := s.move(ctx, tx, id, f, policy.Move{Command: "file"}, policy.Opinion{Evidence: facts.Assessment, Rows: facts.Rows})
		if err != nil {
			return err
		}
		if err := folder.Lay(ctx, tx, facts.Way.Document, folder.Own(id.Account), f.ID); err != nil {
			return fmt.Errorf("abroad: %w", err)
		}
		if f.Reason, err = tx.PutText(ctx, reason); err != nil {
			return err
		}
		if err := tx.Put(ctx, DocKind, f.ID, 0, store.Index{Owner: f.Facts.Owner, State: f.State, Parent: f.Facts.Applicant}, f); err != nil {
			return err
		}
		step.Facts = map[string]string{"applicant": facts.Applicant, "recipient": facts.Recipient, "country": facts.Country, "rows": fmt.Sprint(facts.Rows), "until": string(facts.Until), "assessment": facts.Assessment,
			"way": facts.Way.Kind, "way_document": facts.Way.Document, "way_until": string(facts.Way.Until)}
		step.Commit = map[string]string{"reason": f.Reason.Commitment}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// step is one step on a file that exists.
func (s *Service) step(ctx context.Context, id auth.Identity, file, action, kind string, fn func(tx *store.Tx, f *File, logged *act.Step) (policy.Decision, error)) (*File, error) {
	var out *File
	logged := act.Step{Kind: kind, Object: "abroad/" + file}
	err := s.desk.Do(ctx, id, logged, func(tx *store.Tx) error {
		f, rev, err := Load(ctx, tx, file)
		if err != nil {
			return act.Conceal(err, what())
		}
		if _, err := s.access(ctx, id, "abroad.read", f); err != nil {
			return act.Conceal(err, what())
		}
		if _, err := s.access(ctx, id, action, f); err != nil {
			return err
		}
		from, mine := f.State, logged
		mine.Facts = map[string]string{}
		dec, err := fn(tx, f, &mine)
		if err != nil {
			return err
		}
		if err := tx.Put(ctx, DocKind, f.ID, rev, store.Index{Owner: f.Facts.Owner, State: f.State, Parent: f.Facts.Applicant}, f); err != nil {
			return err
		}
		mine.Facts["from"], mine.Facts["to"] = from, f.State
		_, err = s.desk.Record(ctx, tx, id, dec, mine)
		out = f
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Clear clears the file for one office, under the number of its document.
func (s *Service) Clear(ctx context.Context, id auth.Identity, file, office, number, document string) (*File, error) {
	if len(number) > maxNumber || !utf8.ValidString(number) {
		return nil, tooLarge()
	}
	return s.step(ctx, id, file, "abroad.clear", "abroad.cleared", func(tx *store.Tx, f *File, logged *act.Step) (policy.Decision, error) {
		dec, err := s.move(ctx, tx, id, f, policy.Move{Command: "clear", Side: office}, policy.Opinion{Words: policy.Length(number), Evidence: document})
		if err != nil {
			return dec, err
		}
		f.Clearances = append(f.Clearances, Clearance{Office: office, Account: id.Account, Institution: id.Institution, Number: number, Document: document, At: f.Changed})
		logged.Facts["office"], logged.Facts["document"] = office, document
		return dec, nil
	})
}

// Refuse refuses the file, or takes a clearance back.
func (s *Service) Refuse(ctx context.Context, id auth.Identity, file, reason string) (*File, error) {
	if len(reason) > maxText || !utf8.ValidString(reason) {
		return nil, tooLarge()
	}
	return s.step(ctx, id, file, "abroad.refuse", "abroad.refused", func(tx *store.Tx, f *File, logged *act.Step) (policy.Decision, error) {
		dec, err := s.move(ctx, tx, id, f, policy.Move{Command: "refuse"}, policy.Opinion{Words: policy.Length(reason)})
		if err != nil {
			return dec, err
		}
		if f.Refusal, err = tx.PutText(ctx, reason); err != nil {
			return dec, err
		}
		f.RefusedBy = id.Account
		logged.Commit = map[string]string{"reason": f.Refusal.Commitment}
		return dec, nil
	})
}

// Withdraw takes the file back.
func (s *Service) Withdraw(ctx context.Context, id auth.Identity, file string) (*File, error) {
	return s.step(ctx, id, file, "abroad.withdraw", "abroad.withdrawn", func(tx *store.Tx, f *File, _ *act.Step) (policy.Decision, error) {
		return s.move(ctx, tx, id, f, policy.Move{Command: "withdraw"}, policy.Opinion{})
	})
}

// View is a file as a person sees it.
type View struct {
	File
	Reason   string           `json:"reason"`
	Refusal  string           `json:"refusal,omitempty"`
	Commands []policy.Command `json:"commands"`
}

// Show shows a file to who may see it, and puts the view on record.
func (s *Service) Show(ctx context.Context, id auth.Identity, file string) (*View, error) {
	var v *View
	err := s.desk.Look(ctx, id, act.Step{Kind: "abroad.viewed", Object: "abroad/" + file}, what(), func(tx *store.Tx) (policy.Decision, error) {
		f, _, err := Load(ctx, tx, file)
		if err != nil {
			return policy.Decision{}, err
		}
		dec, err := s.access(ctx, id, "abroad.read", f)
		if err != nil {
			return dec, err
		}
		v = &View{File: *f}
		if v.Reason, err = words(ctx, tx, f.Reason); err != nil {
			return dec, err
		}
		if v.Refusal, err = words(ctx, tx, f.Refusal); err != nil {
			return dec, err
		}
		seen, err := f.seen(ctx, tx, id, "")
		if err != nil {
			return dec, err
		}
		offers, err := s.desk.Policy.Decide(ctx, policy.CommandsQuestion{At: s.desk.Moment(), Subject: id.Subject(), Machine: machine, Case: seen})
		if err != nil {
			return dec, fmt.Errorf("abroad: ask for commands: %w", err)
		}
		v.Commands = offers.Commands()
		return dec, nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Place is the folder of a file: its assessment and the documents of its clearances, for who may read it.
func (s *Service) Place(file string) folder.Place {
	return folder.Place{ID: file, Object: "abroad/" + file, What: what(), Read: func(ctx context.Context, tx *store.Tx, id auth.Identity) (policy.Decision, error) {
		f, _, err := Load(ctx, tx, file)
		if err != nil {
			return policy.Decision{}, err
		}
		return s.access(ctx, id, "abroad.read", f)
	}}
}

// List shows the files that the person may see, newest first.
func (s *Service) List(ctx context.Context, id auth.Identity) ([]File, error) {
	return act.Shelf[File]{Kind: DocKind, Name: "abroad", Object: (*File).object}.List(ctx, s.desk, id, store.ListMax)
}

func words(ctx context.Context, tx *store.Tx, ref store.TextRef) (string, error) {
	if ref.ID == "" {
		return "", nil
	}
	t, err := tx.GetText(ctx, ref.ID)
	if errors.Is(err, store.ErrErased) {
		return "", nil
	}
	return t, err
}

func tooLarge() error {
	return problem.New(problem.TooLarge, "内容过长或不是有效的 UTF-8；请缩短。", "A text is too long or not valid UTF-8; shorten it.")
}
