package yardstick

import (
	"fmt"

	"carrel/policy"
)

// share is how often a kind of question is asked among a thousand, and by how many different persons or about how many different
// things: the rest is asked again on the same day.
type share struct {
	asked, fresh int
	of           func(who string) policy.Question
}

// Day is a thousand questions that the service is asked on a day, in the order of a day: kinds, sizes and repetitions as they were counted when three boards,
// two researchers, a centre and an auditor went through all pages in a browser (11,762 decisions, one of eight of them new). A person's
// route is asked for with each page and seldom changes; commands are asked for each case that a page shows; of a draft there is one
// submission. Queries, which nobody sends by a page, are put to twenty, each a new one.
func Day() []policy.Question {
	var out []policy.Question
	for _, s := range shares() {
		for i := range s.asked {
			out = append(out, s.of(fmt.Sprint("person-", i*s.fresh/s.asked)))
		}
	}
	mixed := make([]policy.Question, len(out))
	for i, q := range out {
		mixed[i*stride%len(out)] = q
	}
	return mixed
}

// stride has no factor in common with a thousand, so kinds follow each other as they do on a day and every place is taken.
const stride = 617

func shares() []share {
	by := func(who string) policy.Subject {
		s := subject()
		s.Account = who
		return s
	}
	led := func(who string) policy.Case {
		c := theCase()
		c.Lead = who
		return c
	}
	return []share{
		{436, 27, func(who string) policy.Question {
			return policy.RouteQuestion{At: at, Subject: by(who), Route: "POST /api/v1/query"}
		}},
		{260, 14, func(who string) policy.Question { // an entry of the menu that is not hers
			return policy.RouteQuestion{At: at, Subject: by(who), Route: "GET /api/v1/audit/export"}
		}},
		{130, 39, func(who string) policy.Question {
			o := object()
			o.Owner = who
			return policy.AccessQuestion{At: at, Subject: by(who), Action: "query.run", Object: o}
		}},
		{20, 5, func(who string) policy.Question { // somebody else's grant
			o := object()
			o.Team = nil
			return policy.AccessQuestion{At: at, Subject: by(who), Action: "query.run", Object: o}
		}},
		{80, 14, func(who string) policy.Question {
			return policy.CommandsQuestion{At: at, Subject: by(who), Machine: "application", Case: led(who)}
		}},
		{23, 18, func(who string) policy.Question { // an invitation that she may not send
			return policy.BoardQuestion{At: at, Subject: by(who), Act: "invitation.send", Board: policy.Board{
				Noun: "invitation", Party: "(anybody)", House: "(anywhere)", Review: "ethics", From: "2026-11-21", Until: "2026-11-21", Case: led("li"),
			}}
		}},
		{6, 3, func(who string) policy.Question {
			return policy.SeatsQuestion{At: at, Subject: by(who), Machine: "application", Case: led(who)}
		}},
		{11, 10, func(who string) policy.Question {
			return policy.TransitionQuestion{At: at, Subject: by(who), Machine: "application", Move: policy.Move{Command: "withdraw"}, Case: led(who)}
		}},
		{1, 1, func(who string) policy.Question {
			return policy.TransitionQuestion{At: at, Subject: by(who), Machine: "application", Move: policy.Move{Command: "withdraw"}, Case: led("li")}
		}},
		{10, 4, func(who string) policy.Question {
			return policy.ConductQuestion{At: at, Subject: by(who), Act: "credit.read", Matter: policy.Matter{Noun: "credit", Party: "person/" + who, Unit: "jinhe-university", Texts: map[string]int{}}}
		}},
		{3, 2, func(who string) policy.Question { // without its papers: a denial of real size
			a := application()
			a.Lead = who
			return policy.SubmissionQuestion{At: at, Subject: by(who), Application: a, Datasets: catalogue()}
		}},
		{18, 18, func(who string) policy.Question { return asked(by(who), query(8)) }},
		{2, 2, func(who string) policy.Question { return asked(by(who), query(wideColumns)) }},
	}
}

// asked is the query of somebody who leads its grant.
func asked(who policy.Subject, q policy.QueryQuestion) policy.QueryQuestion {
	q.Subject, q.Grant.Lead = who, who.Account
	return q
}
