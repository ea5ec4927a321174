package policy

// Mandate is what an account holds for a time beside its own posts, and what binds it: whom it stands in for, what it was
// invited to, where its interests lie. The directory fills it in at every request.
type Mandate struct {
	Deputies    List[Deputy]     `json:"deputies"`
	Invitations List[Invitation] `json:"invitations"`
	Interests   List[string]     `json:"interests"` // institutions in which the person declared an interest
}

// Deputy is one post that is held for somebody else.
type Deputy struct {
	Role string `json:"role"`
	For  string `json:"for"` // account
	// Interests are that person's: what she may have no part in is not for who takes her seat.
	Interests List[string] `json:"interests"`
}

// Invitation is one review of one application that somebody from outside was invited to, and accepted.
type Invitation struct {
	Application string `json:"application"`
	Review      string `json:"review"`
}

// Sitting is the meeting that an application is before now. The zero value is none.
type Sitting struct {
	Meeting string     `json:"meeting"`
	Panel   string     `json:"panel"` // see boards.json
	Day     Date       `json:"day"`
	Present List[Seat] `json:"present"`
}

// Seat is somebody who is present.
type Seat struct {
	Account     string       `json:"account"`
	Institution string       `json:"institution"`
	Interests   List[string] `json:"interests"`
}

// ObligePost is a post that an accepted mandate brings. Value: the role.
const ObligePost = "post"

// ObligeDeputy says for whom a deputy acted: without that post the decision would have been a denial. Value: the account.
const ObligeDeputy = "deputy"

// Board holds the facts of a meeting, a deputyship, an invitation or a declared interest.
type Board struct {
	Noun    string       `json:"noun"`  // meeting | deputy | invitation | interest
	State   string       `json:"state"` // "" before it exists
	Panel   string       `json:"panel"` // meeting: see boards.json
	Chair   string       `json:"chair"`
	Day     Date         `json:"day"` // meeting
	Present List[Seat]   `json:"present"`
	Items   List[string] `json:"items"`   // applications on the agenda
	Waiting List[string] `json:"waiting"` // applications that wait for the panel and are before no other meeting
	Minutes string       `json:"minutes"` // digest on file
	Digest  string       `json:"digest"`  // that the step brings along
	Papers  List[Paper]  `json:"papers"`  // that lie under the digest, where who brings it takes files in

	Party       string       `json:"party"`       // account: who deputises, is invited, has the interest; "" is nobody known
	House       string       `json:"house"`       // his institution
	Roles       List[string] `json:"roles"`       // his own posts, and those that he holds for others in the time
	For         string       `json:"for"`         // deputy: for whom
	ForHouse    string       `json:"for_house"`   // that one's institution
	ForRoles    List[string] `json:"for_roles"`   // that one's own posts
	Role        string       `json:"role"`        // deputy: the post
	Application string       `json:"application"` // invitation
	Review      string       `json:"review"`      // invitation: kind
	Case        Case         `json:"case"`        // invitation: the application
	Twice       bool         `json:"twice"`       // the same stands already
	About       string       `json:"about"`       // interest: institution
	From        Date         `json:"from"`
	Until       Date         `json:"until"`
	Silent      bool         `json:"silent"`   // accepting: confidentiality is undertaken
	Conflict    string       `json:"conflict"` // accepting: "" undeclared | none | declared
	Interests   List[string] `json:"interests"`
}

// BoardQuestion asks whether the subject may take a step in a meeting, a deputyship, an invitation or about an interest. An
// approval's obligations name the state that it leads to, and the effects.
type BoardQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Act     string  `json:"act"` // see boards.json
	Board   Board   `json:"board"`
}

// Decision names the rule document.
func (BoardQuestion) Decision() string { return "carrel.board.decision" }

// Valid reports whether the question is well formed.
func (q BoardQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the act", q.Act)
	b := q.Board
	f.texts(b.Noun, b.State, b.Panel, b.Chair, b.Minutes, b.Digest, b.Party, b.House, b.For, b.ForHouse, b.Role, b.Application, b.Review, b.About, b.Conflict)
	f.lists(b.Items, b.Waiting, b.Roles, b.ForRoles, b.Interests)
	f.dates(b.Day, b.From, b.Until)
	f.seats(b.Present)
	f.papers(b.Papers)
	f.workflow("application", b.Case)
	return f.err
}

// The obligations of a reminder.
const (
	ObligeRemind   = "remind"   // whoever holds the thing is told
	ObligeEscalate = "escalate" // Value: the role that is told
)

// DueQuestion asks who is to be told of a thing that is owed by a day.
type DueQuestion struct {
	At      Moment  `json:"at"`
	Subject Subject `json:"subject"`
	Kind    string  `json:"kind"` // review | decision | answer | signature | duty | complaint
	Left    int     `json:"left"` // working days until the day, 0 on the day and after
	Late    int     `json:"late"` // working days since
}

// Decision names the rule document.
func (DueQuestion) Decision() string { return "carrel.due.decision" }

// Valid reports whether the question is well formed.
func (q DueQuestion) Valid() error {
	var f form
	f.at(q.At)
	f.subject(q.Subject)
	f.need("the kind", q.Kind)
	f.natural("a number of days", int64(q.Left), int64(q.Late))
	return f.err
}

func (f *form) mandate(m Mandate) {
	if len(m.Deputies) > MaxItems || len(m.Invitations) > MaxItems {
		f.fail("a list is too long")
		return
	}
	for _, d := range m.Deputies {
		f.need("a deputy's post", d.Role)
		f.need("a deputy's principal", d.For)
		f.lists(d.Interests)
	}
	for _, i := range m.Invitations {
		f.need("an invitation's application", i.Application)
		f.need("an invitation's review", i.Review)
	}
	f.lists(m.Interests)
}

func (f *form) seats(seats List[Seat]) {
	if len(seats) > MaxItems {
		f.fail("a list is too long")
		return
	}
	for _, s := range seats {
		f.need("an account", s.Account)
		f.texts(s.Institution)
		f.lists(s.Interests)
	}
}

// board checks what meetings and recusals add to a case.
func (f *form) board(c Case) {
	f.texts(c.ID, c.Sitting.Meeting, c.Sitting.Panel)
	f.lists(c.Recused)
	f.dates(c.Sitting.Day)
	f.seats(c.Sitting.Present)
	for _, r := range c.Reviews {
		f.texts(r.For)
	}
}
