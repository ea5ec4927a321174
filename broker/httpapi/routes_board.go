package httpapi

import (
	"context"
	"net/http"

	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/board"
	"carrel/broker/paper"
)

// meetings are how reviews and decisions are held together.
func (s *server) meetings() {
	type (
		one           = reply[*board.Meeting]
		calledMeeting struct {
			Body board.CallInput
		}
		panel struct {
			Panel string `path:"panel" maxLength:"80"`
		}
		meetingMinutes struct {
			ByID
			Body struct {
				Digest string `json:"digest" maxLength:"80" doc:"sha256:… of the minutes"`
			}
		}
		meetingVote struct {
			ByID
			Body struct {
				Application string                  `json:"application" maxLength:"80"`
				Review      application.ReviewInput `json:"review"`
			}
		}
		meetingDecision struct {
			ByID
			Body struct {
				Applications []string                  `json:"applications" maxItems:"100"`
				Listed       bool                      `json:"listed,omitempty" doc:"as renewals of low risk, by their list"`
				Decision     application.DecisionInput `json:"decision"`
			}
		}
		recusal struct {
			OnRevision
			Body struct {
				Reason string `json:"reason" maxLength:"32768"`
			}
		}
	)
	b := s.c.Boards
	route(s, http.MethodGet, "/panels/{panel}/agenda", "What waits for a board", func(ctx context.Context, id auth.Identity, in *panel) (*reply[[]board.Item], error) {
		items, err := b.Agenda(ctx, id, in.Panel)
		return &reply[[]board.Item]{listed(items)}, err
	})
	route(s, http.MethodPost, "/meetings", "Call a meeting; who calls it is its chair", func(ctx context.Context, id auth.Identity, in *calledMeeting) (*one, error) {
		m, err := b.Call(ctx, id, in.Body)
		return &one{m}, err
	})
	route(s, http.MethodGet, "/meetings", "Meetings that you may see, newest first", func(ctx context.Context, id auth.Identity, _ *none) (*reply[[]board.Meeting], error) {
		all, err := b.Meetings(ctx, id)
		return &reply[[]board.Meeting]{listed(all)}, err
	})
	route(s, http.MethodGet, "/meetings/{id}", "One meeting with its record: who attended, who took no part, votes and decisions", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[*board.Record], error) {
		m, err := b.Show(ctx, id, in.ID)
		return &reply[*board.Record]{m}, err
	})
	route(s, http.MethodGet, "/meetings/{id}/print", "The record of a meeting for print, with places for signatures and seal", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[sheet], error) {
		page, err := s.c.Print(ctx, id, in.ID, paper.Minutes)
		return &reply[sheet]{sheet{string(page)}}, err
	})
	for _, step := range [][2]string{{"attend", "Register as present; for oneself only"}, {"leave", "Leave the meeting"}, {"open", "Open the meeting, with a quorum"}, {"close", "Close the meeting"}, {"cancel", "Cancel a meeting that was not opened"}} {
		route(s, http.MethodPost, "/meetings/{id}/"+step[0], step[1], func(ctx context.Context, id auth.Identity, in *ByID) (*one, error) {
			m, err := b.Take(ctx, id, in.ID, step[0], "")
			return &one{m}, err
		})
	}
	for _, step := range [][2]string{{"minute", "Put the minutes on file: a file that you took in (POST /papers), by its hash"}, {"sign", "Sign the minutes of this hash, as chair"}} {
		route(s, http.MethodPost, "/meetings/{id}/"+step[0], step[1], func(ctx context.Context, id auth.Identity, in *meetingMinutes) (*one, error) {
			m, err := b.Take(ctx, id, in.ID, step[0], in.Body.Digest)
			return &one{m}, err
		})
	}
	route(s, http.MethodPost, "/meetings/{id}/vote", "Cast one's own vote in the meeting", func(ctx context.Context, id auth.Identity, in *meetingVote) (*reply[*application.Application], error) {
		a, err := b.Vote(ctx, id, in.ID, in.Body.Application, in.Body.Review)
		return &reply[*application.Application]{a}, err
	})
	route(s, http.MethodPost, "/meetings/{id}/decide", "Decide in a meeting of the authority: one application, or renewals of low risk by their list", func(ctx context.Context, id auth.Identity, in *meetingDecision) (*reply[[]board.Outcome], error) {
		all, err := b.Decide(ctx, id, in.ID, in.Body.Applications, in.Body.Listed, in.Body.Decision)
		return &reply[[]board.Outcome]{listed(all)}, err
	})
	route(s, http.MethodPost, "/applications/{id}/recuse", "Take no part in an application", func(ctx context.Context, id auth.Identity, in *recusal) (*reply[*application.Application], error) {
		a, err := s.c.Applications.Recuse(ctx, id, in.ID, in.Rev, in.Body.Reason)
		return &reply[*application.Application]{a}, err
	})
}

// sheet is a page for paper.
type sheet struct {
	HTML string `json:"html" doc:"a page for print on A4, in both languages"`
}

// mandates are deputies, invitations and declared interests.
func (s *server) mandates() {
	type (
		one         = reply[*board.Paper]
		namedDeputy struct {
			Body board.DeputyInput
		}
		sentInvitation struct {
			Body board.InvitationInput
		}
		acceptedInvitation struct {
			ByID
			Body board.Declaration
		}
		declaredInterest struct {
			Body board.InterestInput
		}
	)
	b := s.c.Boards
	route(s, http.MethodPost, "/deputies", "Name a deputy for a time", func(ctx context.Context, id auth.Identity, in *namedDeputy) (*one, error) {
		p, err := b.NameDeputy(ctx, id, in.Body)
		return &one{p}, err
	})
	route(s, http.MethodPost, "/invitations", "Invite somebody from outside to one review", func(ctx context.Context, id auth.Identity, in *sentInvitation) (*one, error) {
		p, err := b.Invite(ctx, id, in.Body)
		return &one{p}, err
	})
	route(s, http.MethodPost, "/invitations/{id}/accept", "Accept an invitation with its declarations", func(ctx context.Context, id auth.Identity, in *acceptedInvitation) (*one, error) {
		p, err := b.Accept(ctx, id, in.ID, in.Body)
		return &one{p}, err
	})
	route(s, http.MethodPost, "/interests", "Declare one's own interest in an institution", func(ctx context.Context, id auth.Identity, in *declaredInterest) (*one, error) {
		p, err := b.DeclareInterest(ctx, id, in.Body)
		return &one{p}, err
	})
	for _, step := range [][4]string{
		{"/deputies/{id}/end", "deputy.end", board.Deputy, "End a deputyship"}, {"/invitations/{id}/decline", "invitation.decline", board.Invitation, "Decline an invitation"},
		{"/invitations/{id}/end", "invitation.end", board.Invitation, "Take an invitation back"}, {"/interests/{id}/end", "interest.end", board.Interest, "End a declared interest"},
	} {
		route(s, http.MethodPost, step[0], step[3], func(ctx context.Context, id auth.Identity, in *ByID) (*one, error) {
			p, err := b.Give(ctx, id, step[1], step[2], in.ID)
			return &one{p}, err
		})
	}
	for path, noun := range map[string]string{"/deputies": board.Deputy, "/invitations": board.Invitation, "/interests": board.Interest} {
		route(s, http.MethodGet, path, "Those that you may see", func(ctx context.Context, id auth.Identity, _ *none) (*reply[[]board.Paper], error) {
			all, err := b.Papers(ctx, id, noun)
			return &reply[[]board.Paper]{listed(all)}, err
		})
	}
}
