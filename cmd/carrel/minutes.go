package main

import (
	"fmt"
	"io"

	"carrel/broker/application"
	"carrel/broker/board"
)

// printMinutes shows a meeting with what was done there.
func (a *app) printMinutes(w io.Writer, r board.Record) {
	lang := a.language()
	fmt.Fprintf(w, "%s  %s  %s  %s  %s %s\n", r.ID, r.PanelText.In(lang), r.Day, r.StateText.In(lang), a.say("主持", "chair"), r.Chair)
	for _, x := range r.Attended {
		left := ""
		if !x.Left.IsZero() {
			left = fmt.Sprintf(a.say("，%s 提前离会", ", left early %s"), second(x.Left))
		}
		fmt.Fprintf(w, "  %s %s (%s), %s%s\n", a.say("到会：", "present:"), a.held(x.Account, x.For), x.Institution, second(x.Came), left)
	}
	for i, h := range r.Heard {
		fmt.Fprintf(w, "%d. %s  %s\n", i+1, h.Application, h.Title)
		a.printHeard(w, h)
	}
	if r.Minutes != "" {
		fmt.Fprintf(w, "%s %s\n", a.say("纪要：", "minutes:"), r.Minutes)
	}
	for _, x := range r.Course {
		fmt.Fprintf(w, "  %s  %s  %s\n", second(x.At), a.held(x.By, x.For), x.Text.In(lang))
	}
}

func (a *app) printHeard(w io.Writer, h application.Heard) {
	if !h.Seen {
		fmt.Fprintln(w, "   "+a.say("内容不对您公开", "not for you"))
		return
	}
	for _, r := range h.Recused {
		fmt.Fprintf(w, "   %s %s\n", a.say("回避：", "took no part:"), r.Account)
	}
	for _, v := range h.Votes {
		if !v.Retracted.IsZero() {
			fmt.Fprintf(w, "   %s %s, %s\n", a.say("收回的表决：", "vote taken back:"), a.held(v.Reviewer, v.For), second(v.Retracted))
			continue
		}
		a.printReview(w, "   ", v)
	}
	for _, v := range h.Decided {
		a.printDecided(w, "   ", v)
		if v.Listed {
			fmt.Fprintln(w, "     "+a.say("低风险续期批量决定之一", "one of a list of renewals of low risk"))
		}
	}
	if len(h.Votes)+len(h.Decided) == 0 {
		fmt.Fprintln(w, "   "+a.say("未表决", "nothing was voted or decided"))
	}
}
