package policy

import (
	"reflect"
	"strings"
)

// Credit is one entry of a credit file, as rules read it. Whether it counts, and for what, they say.
type Credit struct {
	ID    string `json:"id"`
	Sort  string `json:"sort"`  // see matters.json
	State string `json:"state"` // standing | appealed | upheld | lifted
	From  Date   `json:"from"`
	Until Date   `json:"until"` // last day
}

// Duty is something that a person or an institution owes by a date, or has done until a date.
type Duty struct {
	Sort  string `json:"sort"`
	Until Date   `json:"until"`
	Of    string `json:"of,omitempty"` // person | institution: whose it is
}

// Matter holds the facts of a matter of conduct that rules read: an entry, a measure, a duty, an incident, a complaint, a
// wish. It carries lengths of texts, never a text.
type Matter struct {
	Noun      string         `json:"noun"`  // credit | measure | duty | incident | complaint | wish
	Sort      string         `json:"sort"`  // kind within the noun
	State     string         `json:"state"` // "" before it exists
	Party     string         `json:"party"` // whom it concerns: "person/ACCOUNT" or "institution/ID"
	Unit      string         `json:"unit"`  // the institution that answers for the party, or for the incident
	Region    string         `json:"region"`
	Lies      string         `json:"lies,omitempty"` // region of the unit that answers, by the register; "" is not entered
	Home      string         `json:"home,omitempty"` // region of who operates the service, by the register
	Article   string         `json:"article"`
	Evidence  string         `json:"evidence"`        // sha256:…
	Papers    List[Paper]    `json:"papers"`          // the files that were taken in under that hash, by who asks or with the matter
	Born      Date           `json:"born,omitempty"`  // wish: of the child that a guardian speaks for; "" is the party itself
	Until     Date           `json:"until"`           // last day; "" where none was given
	Found     Moment         `json:"found"`           // incident: when it was discovered
	Due       Moment         `json:"due"`             // by when something is owed; "" is nothing
	Addressee string         `json:"addressee"`       // incident: who is told now
	Above     string         `json:"above,omitempty"` // incident: who supervises the unit
	Addressed List[string]   `json:"addressed"`       // report: to whom it goes
	Sent      Date           `json:"sent"`            // report: the day on which it went
	From      Date           `json:"from"`            // the first day; of a receipt its date
	Told      List[string]   `json:"told"`            // incident: who was told
	Kinds     List[string]   `json:"kinds"`           // incident: kinds of information
	Actors    List[string]   `json:"actors"`          // accounts that took a step before, but for the party's own appeal
	Texts     map[string]int `json:"texts"`           // characters of each text, by name
}

// LimitUntil and the others name the limits of an approved act of conduct: "name=value".
const (
	LimitUntil       = "until"        // last day that the sort allows
	LimitHours       = "hours"        // from discovery to the report of an incident
	LimitWorkingDays = "working-days" // to the answer of a complaint
	LimitAddressee   = "addressee"    // who is to be told of an incident; may stand several times
	LimitReportHours = "report-hours" // from discovery to the report upward
	LimitReportTo    = "report-to"    // who gets the report upward
	LimitReceiptDays = "receipt-days" // working days from the report upward to its receipt
	LimitNext        = "next"         // day by which the next assessment is due
	LimitLate        = "late"         // the day is over already
)

// ConductQuestion asks whether the subject may take a step in a matter of conduct. An approval's obligations name the state
// that it leads to, the effects that belong to it, and the limits.
type ConductQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Act     string  `json:"act"` // e.g. "credit.enter"; see matters.json
	Matter  Matter  `json:"matter"`
}

// Decision names the rule document.
func (ConductQuestion) Decision() string { return "carrel.conduct.decision" }

// Valid reports whether the question is well formed.
func (q ConductQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the act", q.Act)
	m := q.Matter
	f.texts(m.Noun, m.Sort, m.State, m.Party, m.Unit, m.Region, m.Lies, m.Home, m.Article, m.Evidence, m.Addressee, m.Above)
	f.lists(m.Told, m.Kinds, m.Actors, m.Addressed)
	f.dates(m.Until, m.From, m.Sent, m.Born)
	f.moments(m.Found, m.Due)
	f.papers(m.Papers)
	if m.Texts == nil || len(m.Texts) > MaxItems {
		f.fail("a matter names no texts, or too many")
	}
	for name, n := range m.Texts {
		f.need("a text's name", name)
		f.natural("a length", int64(n))
	}
	return f.err
}

// moments checks those that are given.
func (f *form) moments(ms ...Moment) {
	for _, m := range ms {
		if m != "" {
			f.at(m)
		}
	}
}

// conduct checks what the files say of a subject.
func (f *form) conduct(s Subject) {
	if len(s.Credit) > MaxItems || len(s.Duties) > MaxItems {
		f.fail("a list is too long")
		return
	}
	for _, c := range s.Credit {
		f.texts(c.ID, c.Sort, c.State)
		f.dates(c.From, c.Until)
	}
	for _, d := range s.Duties {
		f.texts(d.Sort, d.Of)
		f.dates(d.Until)
	}
}

// LimitCreditUntil names how long a measure stands in the credit file.
const LimitCreditUntil = "credit-until"

// Informed returns the question with its subject's facts filled in. Every question about a subject has him in its field Subject;
// a question without one comes back as it is.
func Informed(q Question, fill func(Subject) Subject) Question {
	v := reflect.ValueOf(q)
	if v.Kind() != reflect.Struct {
		return q
	}
	f := v.FieldByName("Subject")
	if !f.IsValid() || f.Type() != reflect.TypeFor[Subject]() {
		return q
	}
	told := reflect.New(v.Type()).Elem()
	told.Set(v)
	told.FieldByName("Subject").Set(reflect.ValueOf(fill(f.Interface().(Subject)))) //nolint:forcetypeassert // checked above
	out, ok := told.Interface().(Question)
	if !ok {
		return q
	}
	return out
}

// Limit returns the value of a limit "name=value" of an approval; false when the decision names none.
func (d Decision) Limit(name string) (string, bool) {
	all := d.Limits(name)
	if len(all) == 0 {
		return "", false
	}
	return all[0], true
}

// Limits returns all values of a limit that may stand several times.
func (d Decision) Limits(name string) []string {
	var out []string
	for _, o := range d.Oblige(ObligeLimit) {
		if v, ok := strings.CutPrefix(o, name+"="); ok {
			out = append(out, v)
		}
	}
	return out
}
