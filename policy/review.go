package policy

func (f *form) opinion(o Opinion) {
	f.texts(o.Sheet, o.Evidence, o.Condition)
	f.natural("a length", int64(o.Words), o.Rows)
	if len(o.Answers) > MaxItems {
		f.fail("a list is too long")
		return
	}
	f.conditions(o.Conditions)
	for _, a := range o.Answers {
		f.need("a finding", a.Question)
		f.texts(a.Choice)
	}
}

func (f *form) conditions(list []CaseCondition) {
	if len(list) > MaxItems {
		f.fail("a list is too long")
		return
	}
	for _, c := range list {
		f.texts(c.ID, c.Kind, c.State, c.Body)
		f.dates(c.Due)
	}
}

// file checks what an application says beyond what is wished and why.
func (f *form) file(a Application) {
	f.texts(a.File, a.Former.Grant, a.Former.State, a.Former.Purpose, a.Rules.Document, a.Rules.Version, a.Minors.Consent, a.Minors.Law, a.Clearance)
	f.finite(a.Former.Epsilon)
	f.dates(a.Rules.Date)
	f.lists(a.Codes)
}

func (f *form) cleared(c Cleared) {
	f.texts(c.File, c.State, c.Way)
	f.dates(c.Until, c.WayUntil)
}

func (f *form) clearance(c Clearance) {
	f.texts(c.State, c.Recipient, c.Purpose, c.Owner)
	f.dates(c.Until)
	f.way(c.Way)
	if len(c.Wishes) > MaxItems {
		f.fail("a list is too long")
		return
	}
	for _, w := range c.Wishes {
		f.texts(w.Dataset)
		f.lists(w.Columns)
	}
}

func (f *form) way(w Way) {
	f.texts(w.Kind, w.Document)
	f.natural("a length", int64(w.Number))
	f.dates(w.Until)
}

// SeatsQuestion asks which votes a case still waits for. An approval names each as an obligation of kind review: the kind, with
// "@" and the institution where an owner's own people assess its data.
type SeatsQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Machine string  `json:"machine"`
	Case    Case    `json:"case"`
}

// Decision names the rule document.
func (SeatsQuestion) Decision() string { return "carrel.transition.waits" }

// Valid reports whether the question is well formed.
func (q SeatsQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.workflow(q.Machine, q.Case)
	return f.err
}
