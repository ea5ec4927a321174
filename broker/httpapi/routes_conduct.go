package httpapi

import (
	"context"
	"net/http"
	"time"

	"carrel/broker/auth"
	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/broker/resident"
	"carrel/policy"
)

// What comes in without an account is bounded as a whole too: so many at once, and one more each interval.
const (
	complaintBurst = 20
	complaintEvery = 3 * time.Second
)

// Told is a text about a matter.
type Told struct {
	ByID
	Body struct {
		Text string `json:"text" maxLength:"16384"`
	}
}

// Filed is whose file is read, and what for.
type Filed struct {
	Party   string `query:"party" maxLength:"200" doc:"person/ACCOUNT or institution/ID; empty is one's own"`
	Purpose string `query:"purpose" maxLength:"1000" doc:"why, when it is outside one's unit; on record"`
}

type (
	matterReply  = reply[*matter.Matter]
	mattersReply = reply[[]conduct.View]
	entryBody    struct{ Body conduct.Entry }
)

func oneMatter(m *matter.Matter, err error) (*matterReply, error) { return &matterReply{m}, err }

func someMatters(list []conduct.View, err error) (*mattersReply, error) {
	return &mattersReply{listed(list)}, err
}

func (s *server) conduct() {
	s.credit()
	s.measures()
	s.incidents()
	s.reports()
	s.assessments()
	s.complaints()
	s.wishes()
}

// files registers the reading of a noun's file.
func (s *server) files(where, summary, noun string) {
	route(s, http.MethodGet, where, summary, func(ctx context.Context, id auth.Identity, in *Filed) (*mattersReply, error) {
		return someMatters(s.c.Conduct.Read(ctx, id, noun, in.Party, in.Purpose))
	})
}

func (s *server) credit() {
	type creditExport struct {
		Body struct {
			Party   string `json:"party" maxLength:"200"`
			Purpose string `json:"purpose" maxLength:"1000"`
		}
	}
	c := s.c.Conduct
	s.files("/conduct/credit", "A credit file", matter.Credit)
	route(s, http.MethodPost, "/conduct/credit", "Enter into a credit file", func(ctx context.Context, id auth.Identity, in *entryBody) (*matterReply, error) {
		return oneMatter(c.Enter(ctx, id, in.Body))
	})
	route(s, http.MethodPost, "/conduct/credit/{id}/appeal", "Appeal against an entry", func(ctx context.Context, id auth.Identity, in *Told) (*matterReply, error) {
		return oneMatter(c.Appeal(ctx, id, in.ID, in.Body.Text))
	})
	route(s, http.MethodPost, "/conduct/credit/{id}/uphold", "Reject an appeal", func(ctx context.Context, id auth.Identity, in *Told) (*matterReply, error) {
		return oneMatter(c.Uphold(ctx, id, in.ID, in.Body.Text))
	})
	route(s, http.MethodPost, "/conduct/credit/{id}/lift", "Grant an appeal", func(ctx context.Context, id auth.Identity, in *Told) (*matterReply, error) {
		return oneMatter(c.Lift(ctx, id, in.ID, in.Body.Text))
	})
	route(s, http.MethodPost, "/conduct/export", "A signed export for the unified credit platform", func(ctx context.Context, id auth.Identity, in *creditExport) (*reply[*conduct.Export], error) {
		x, err := c.Export(ctx, id, in.Body.Party, in.Body.Purpose)
		return &reply[*conduct.Export]{x}, err
	})
}

func (s *server) measures() {
	type (
		dutyResult struct {
			Body struct {
				conduct.Entry
				Duty string `json:"duty,omitempty" maxLength:"80" doc:"the duty that was imposed; empty for one that begins now"`
			}
		}
		dutyDeclaration struct {
			Body struct {
				Duty  string      `json:"duty,omitempty" maxLength:"80"`
				Text  string      `json:"text" maxLength:"16384"`
				Until policy.Date `json:"until" maxLength:"10"`
			}
		}
	)
	c := s.c.Conduct
	s.files("/conduct/measures", "Measures of supervision about a party", matter.Measure)
	route(s, http.MethodPost, "/conduct/proposals", "Propose a measure", func(ctx context.Context, id auth.Identity, in *entryBody) (*matterReply, error) {
		return oneMatter(c.Propose(ctx, id, in.Body))
	})
	route(s, http.MethodPost, "/conduct/measures", "Order a measure", func(ctx context.Context, id auth.Identity, in *entryBody) (*matterReply, error) {
		return oneMatter(c.Order(ctx, id, in.Body))
	})
	route(s, http.MethodPost, "/conduct/measures/{id}/order", "Order a measure that was proposed", func(ctx context.Context, id auth.Identity, in *ByID) (*matterReply, error) {
		return oneMatter(c.Adopt(ctx, id, in.ID))
	})
	route(s, http.MethodPost, "/conduct/measures/{id}/decline", "Decline a proposal", func(ctx context.Context, id auth.Identity, in *Told) (*matterReply, error) {
		return oneMatter(c.Decline(ctx, id, in.ID, in.Body.Text))
	})
	s.files("/conduct/duties", "Duties with a date of a party", matter.Duty)
	route(s, http.MethodPost, "/conduct/duties", "Impose a check, a rectification, a training …", func(ctx context.Context, id auth.Identity, in *entryBody) (*matterReply, error) {
		return oneMatter(c.Impose(ctx, id, in.Body))
	})
	route(s, http.MethodPost, "/conduct/duties/record", "Put the result of a duty on record", func(ctx context.Context, id auth.Identity, in *dutyResult) (*matterReply, error) {
		return oneMatter(c.Done(ctx, id, in.Body.Duty, in.Body.Entry))
	})
	route(s, http.MethodPost, "/conduct/duties/declare", "Declare conflicts of interest and funding", func(ctx context.Context, id auth.Identity, in *dutyDeclaration) (*matterReply, error) {
		return oneMatter(c.Declare(ctx, id, in.Body.Duty, in.Body.Text, in.Body.Until))
	})
}

func (s *server) incidents() {
	type (
		incidentReport struct{ Body conduct.Report }
		incidentMore   struct {
			ByID
			Body conduct.Report
		}
		incidentTold struct {
			ByID
			Body struct {
				Addressee string `json:"addressee" maxLength:"100" doc:"an office, or persons"`
			}
		}
		incidentEnd struct {
			ByID
			Body struct {
				Grounds  string `json:"grounds" maxLength:"16384"`
				Harmless string `json:"harmless,omitempty" maxLength:"16384" doc:"why individuals need not be told"`
			}
		}
	)
	c := s.c.Conduct
	route(s, http.MethodPost, "/conduct/incidents", "Report an incident, actual or possible", func(ctx context.Context, id auth.Identity, in *incidentReport) (*matterReply, error) {
		return oneMatter(c.Report(ctx, id, in.Body))
	})
	route(s, http.MethodGet, "/conduct/incidents", "Incidents that you may see", func(ctx context.Context, id auth.Identity, _ *none) (*mattersReply, error) {
		return someMatters(c.Incidents(ctx, id, ""))
	})
	route(s, http.MethodGet, "/conduct/incidents/{id}", "One incident with its clock", func(ctx context.Context, id auth.Identity, in *ByID) (*mattersReply, error) {
		return someMatters(c.Incidents(ctx, id, in.ID))
	})
	route(s, http.MethodPost, "/conduct/incidents/{id}/amend", "Add to an incident", func(ctx context.Context, id auth.Identity, in *incidentMore) (*matterReply, error) {
		return oneMatter(c.Amend(ctx, id, in.ID, in.Body))
	})
	route(s, http.MethodPost, "/conduct/incidents/{id}/tell", "Put on record who was told", func(ctx context.Context, id auth.Identity, in *incidentTold) (*matterReply, error) {
		return oneMatter(c.Tell(ctx, id, in.ID, in.Body.Addressee))
	})
	route(s, http.MethodPost, "/conduct/incidents/{id}/close", "Close an incident", func(ctx context.Context, id auth.Identity, in *incidentEnd) (*matterReply, error) {
		return oneMatter(c.Close(ctx, id, in.ID, in.Body.Grounds, in.Body.Harmless))
	})
	route(s, http.MethodGet, "/conduct/incidents/{id}/affected", "Who saw what, when, under which grant", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[*conduct.Affected], error) {
		x, err := c.Affected(ctx, id, in.ID)
		return &reply[*conduct.Affected]{x}, err
	})
}

func (s *server) complaints() {
	type complaint struct{ Body conduct.Complaint }
	c, brake := s.c.Conduct, conduct.NewBrake(complaintBurst, complaintEvery)
	route(s, http.MethodPost, "/conduct/complaints", "Complain or report, without an account", func(ctx context.Context, _ auth.Identity, in *complaint) (*reply[*conduct.Status], error) {
		if err := brake.Pass(s.c.Desk.Now()); err != nil {
			return nil, err
		}
		x, err := c.Complain(ctx, in.Body)
		return &reply[*conduct.Status]{x}, err
	})
	route(s, http.MethodGet, "/conduct/complaints", "The register of complaints, for those who handle them", func(ctx context.Context, id auth.Identity, _ *none) (*mattersReply, error) {
		return someMatters(c.Complaints(ctx, id))
	})
	route(s, http.MethodGet, "/conduct/complaints/{id}", "How a complaint stands, by its number", func(ctx context.Context, _ auth.Identity, in *ByID) (*reply[*conduct.Status], error) {
		x, err := c.Status(ctx, in.ID)
		return &reply[*conduct.Status]{x}, err
	})
	route(s, http.MethodPost, "/conduct/complaints/{id}/answer", "Answer a complaint", func(ctx context.Context, id auth.Identity, in *Told) (*matterReply, error) {
		return oneMatter(c.Answer(ctx, id, in.ID, in.Body.Text))
	})
}

func (s *server) wishes() {
	type residentWish struct {
		Body struct {
			Sort    string `json:"sort" maxLength:"40" doc:"object or authorise"`
			Dataset string `json:"dataset,omitempty" maxLength:"80" doc:"empty is every dataset"`
			Born    string `json:"born,omitempty" maxLength:"10" doc:"day of birth of the child for whom a guardian speaks, who is registered under the guardian's number; empty is oneself"`
		}
	}
	type proofOfIdentity struct {
		Body struct {
			Account  string `json:"account" maxLength:"80" doc:"the resident's account"`
			Document string `json:"document" maxLength:"128" doc:"number of the document that was shown; it is not kept"`
		}
	}
	c := s.c.Conduct
	route(s, http.MethodPost, "/conduct/proofs", "Link a resident's account to the person of a document, which is not kept", func(ctx context.Context, id auth.Identity, in *proofOfIdentity) (*matterReply, error) {
		return oneMatter(c.Prove(ctx, id, in.Body.Account, in.Body.Document))
	})
	type grown struct {
		Body struct {
			Account  string `json:"account" maxLength:"80" doc:"the account of who came of age"`
			Document string `json:"document" maxLength:"128" doc:"her own resident number; it is not kept"`
			Guardian string `json:"guardian" maxLength:"128" doc:"the guardian's number, under which she was registered as a child; it is not kept"`
		}
	}
	route(s, http.MethodPost, "/conduct/wishes/release", "Take back what a guardian wished for somebody who is of age by now", func(ctx context.Context, id auth.Identity, in *grown) (*reply[[]matter.Matter], error) {
		list, err := c.Release(ctx, id, in.Body.Account, in.Body.Document, in.Body.Guardian)
		return &reply[[]matter.Matter]{list}, err
	})
	route(s, http.MethodGet, "/me", "Which datasets, projects and handovers held one's own data, and since when one is out", func(ctx context.Context, id auth.Identity, _ *none) (*reply[*resident.Record], error) {
		x, err := s.c.Residents.Record(ctx, id)
		return &reply[*resident.Record]{x}, err
	})
	route(s, http.MethodGet, "/conduct/lists", "That every use after a wish was made with it, and which extracts must be built again by when", func(ctx context.Context, id auth.Identity, _ *none) (*reply[*resident.Audit], error) {
		x, err := s.c.Residents.Audit(ctx, id)
		return &reply[*resident.Audit]{x}, err
	})
	route(s, http.MethodPost, "/conduct/wishes", "Object to, or authorise, the use of one's own information", func(ctx context.Context, id auth.Identity, in *residentWish) (*matterReply, error) {
		return oneMatter(c.WishFor(ctx, id, in.Body.Sort, in.Body.Dataset, policy.Date(in.Body.Born)))
	})
	route(s, http.MethodGet, "/conduct/wishes", "One's own objections and authorisations", func(ctx context.Context, id auth.Identity, _ *none) (*mattersReply, error) {
		return someMatters(c.Wishes(ctx, id))
	})
	route(s, http.MethodPost, "/conduct/wishes/{id}/withdraw", "Take an objection or an authorisation back", func(ctx context.Context, id auth.Identity, in *ByID) (*matterReply, error) {
		return oneMatter(c.Unwish(ctx, id, in.ID))
	})
}
