// Package matter is what all matters of conduct have in common: a credit entry, a measure of supervision, a duty with a date, an
// incident, a complaint, a resident's wish are documents of one shape that move from state to state by policy's word.
//
// It promises: texts that people write are kept apart, erasable, and only their lengths and salted commitments go anywhere else;
// a matter knows who took each of its steps and when; nothing here decides.
//
// It does not promise that what is written in a matter is true.
package matter

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// The nouns.
const (
	Credit    = "credit"
	Measure   = "measure"
	Duty      = "duty"
	Incident  = "incident"
	Complaint = "complaint"
	Wish      = "wish"
	// Report goes upward about an incident; an Assessment is one line of the assessment calendar (sichuan-35).
	Report     = "report"
	Assessment = "assessment"
	Proof      = "proof"
)

// The bounds of what people write.
const (
	MaxText  = 16 << 10 // bytes of one text
	MaxTexts = 12       // texts of one step
	MaxItems = 50       // members of a list
)

// DocKind is the kind of the documents of a noun in the store.
func DocKind(noun string) string { return "conduct-" + noun }

// Text is an erasable text with its length, which rules read.
type Text struct {
	store.TextRef
	Length int `json:"length"` // characters
}

// Matter is a matter as stored.
type Matter struct {
	ID        string          `json:"id"`
	Noun      string          `json:"noun"`
	Sort      string          `json:"sort"`
	State     string          `json:"state"`
	Party     string          `json:"party"` // person/ACCOUNT or institution/ID
	Unit      string          `json:"unit"`
	Region    string          `json:"region"`
	Article   string          `json:"article,omitempty"`
	Evidence  string          `json:"evidence,omitempty"`
	Link      string          `json:"link,omitempty"` // what it is about: a grant, a dataset, another matter
	Born      policy.Date     `json:"born,omitempty"` // wish: of the child that a guardian speaks for
	From      policy.Date     `json:"from,omitempty"`
	Until     policy.Date     `json:"until,omitempty"`
	Found     time.Time       `json:"found,omitzero"`
	Due       time.Time       `json:"due,omitzero"`
	Kinds     []string        `json:"kinds,omitempty"`
	Told      []string        `json:"told,omitempty"`
	Addressed []string        `json:"addressed,omitempty"` // who is to be told
	Texts     map[string]Text `json:"texts"`
	Steps     []Step          `json:"steps"`
}

// Step is one step of a matter.
type Step struct {
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Act   string    `json:"act"`
	To    string    `json:"to"` // state
	Late  bool      `json:"late,omitempty"`
	About string    `json:"about,omitempty"` // e.g. who was told
}

// Facts is the matter as policy sees it, with the texts of the step that is asked for.
func (m *Matter) Facts(texts map[string]string) policy.Matter {
	f := policy.Matter{Noun: m.Noun, Sort: m.Sort, State: m.State, Party: m.Party, Unit: m.Unit, Region: m.Region, Article: m.Article, Evidence: m.Evidence,
		Until: m.Until, From: m.From, Born: m.Born, Addressed: m.Addressed, Told: m.Told, Kinds: m.Kinds, Texts: map[string]int{}}
	if !m.Found.IsZero() {
		f.Found = policy.At(m.Found)
	}
	if !m.Due.IsZero() {
		f.Due = policy.At(m.Due)
	}
	for name, t := range m.Texts {
		f.Texts[name] = t.Length
	}
	for name, t := range texts {
		f.Texts[name] = policy.Length(t)
	}
	for _, s := range m.Steps {
		if s.Act != "credit.appeal" { // to appeal is no hand in the matter
			f.Actors = append(f.Actors, s.By)
		}
		if s.Act == "report.send" {
			f.Sent = policy.DateOf(s.At)
		}
	}
	return f
}

// Deadline is when the matter is over at the latest, zero when nothing says so, and whether it is open still. A day ends with its
// midnight in China. A duty that was done counts until its day.
func (m *Matter) Deadline() (time.Time, bool) {
	switch m.State {
	case "open", "registered", "due":
	case "sent":
		if m.Noun != Report { // a report waits for its receipt
			return time.Time{}, false
		}
	case "held":
		if m.Noun != Duty {
			return time.Time{}, false
		}
	default:
		return time.Time{}, false
	}
	if !m.Due.IsZero() || m.Until == "" {
		return m.Due, true
	}
	t, err := time.ParseInLocation(time.DateOnly, string(m.Until), time.FixedZone("CST", 8*3600))
	if err != nil {
		return time.Time{}, true
	}
	return t.AddDate(0, 0, 1), true
}

// Index is what a matter is listed by.
func (m *Matter) Index() store.Index {
	return store.Index{Owner: m.Party, State: m.State, Parent: m.Link}
}

// Load reads a matter of a noun with its revision.
func Load(ctx context.Context, tx *store.Tx, noun, id string) (*Matter, int64, error) {
	m := new(Matter)
	rev, err := tx.Get(ctx, DocKind(noun), id, m)
	if err != nil {
		return nil, 0, fmt.Errorf("matter: load: %w", err)
	}
	return m, rev, nil
}

// Put stores a matter; revision 0 is a new one.
func Put(ctx context.Context, tx *store.Tx, m *Matter, rev int64) error {
	return tx.Put(ctx, DocKind(m.Noun), m.ID, rev, m.Index(), m)
}

// All calls fn for every matter of a noun that the filter selects, oldest first.
func All(ctx context.Context, tx *store.Tx, noun string, f store.Filter, fn func(*Matter) error) error {
	f.Limit = store.ListMax
	for {
		docs, err := tx.List(ctx, DocKind(noun), f)
		if err != nil {
			return fmt.Errorf("matter: list: %w", err)
		}
		for _, d := range docs {
			m := new(Matter)
			if err := d.Decode(m); err != nil {
				return err
			}
			if err := fn(m); err != nil {
				return err
			}
			f.After = d.ID
		}
		if len(docs) < f.Limit {
			return nil
		}
	}
}

// Keep stores the texts of a step as erasable ones and returns their commitments for the log.
func (m *Matter) Keep(ctx context.Context, tx *store.Tx, texts map[string]string) (map[string]string, error) {
	commit := map[string]string{}
	if m.Texts == nil {
		m.Texts = map[string]Text{}
	}
	for name, t := range texts {
		ref, err := tx.PutText(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("matter: text: %w", err)
		}
		m.Texts[name] = Text{TextRef: ref, Length: policy.Length(t)}
		commit[name] = ref.Commitment
	}
	return commit, nil
}

// Wording refuses texts and lists that are too large, not UTF-8, or hold control characters; it repeats nothing of them.
func Wording(texts map[string]string, lists ...[]string) error {
	if len(texts) > MaxTexts {
		return tooLarge()
	}
	for name, t := range texts {
		if len(name) > 40 || len(t) > MaxText || !utf8.ValidString(t) {
			return tooLarge()
		}
		if strings.ContainsFunc(t, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f }) {
			return problem.New(problem.Invalid, "文字含有控制字符；请删去。", "A text holds control characters; take them out.")
		}
	}
	for _, l := range lists {
		if len(l) > MaxItems {
			return tooLarge()
		}
		for _, s := range l {
			if len(s) > 100 || !utf8.ValidString(s) {
				return tooLarge()
			}
		}
	}
	return nil
}

func tooLarge() error {
	return problem.New(problem.TooLarge, "文字过长或过多（每项上限 16 KB）；请缩短。", "A text is too long, or there are too many (16 KB each at most); shorten it.")
}
