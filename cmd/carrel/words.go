package main

import (
	"fmt"
	"io"
	"strings"

	"carrel/broker/application"
	"carrel/policy"
)

// printWords shows what people wrote in an application: what it is about, what was asked and answered, and what was appealed against.
func (a *app) printWords(w io.Writer, v application.View) {
	line := func(zh, en, text string) {
		if text != "" {
			fmt.Fprintf(w, "%s %s\n", a.say(zh, en), text)
		}
	}
	switch v.File {
	case application.FileAmendment:
		line("变更：", "amends", v.Of)
	case application.FileRenewal:
		line("续期：", "renews", v.Of)
	}
	line("用途说明：", "reason:", v.Texts[application.TextReason])
	line("方法：", "methods:", v.Texts[application.TextMethods])
	for _, q := range v.Questions {
		line("提问：", "question:", q.Text)
		line("答复：", "answer:", q.Answer)
	}
	for _, p := range v.Appeals {
		line("申诉：", "appeal:", p.Grounds)
		if p.Verdict != nil {
			fmt.Fprintf(w, "%s\n", a.say("申诉所针对的决定：", "against:"))
			for _, r := range p.Reviews {
				a.printReview(w, "  ", r)
			}
			a.printDecided(w, "  ", *p.Verdict)
		}
	}
}

func (a *app) printApplication(w io.Writer, v application.View) {
	fmt.Fprintf(w, "%s  %s  %s\n", v.ID, a.ruleName(appStates, v.State), v.Texts[application.TextTitle])
	fmt.Fprintf(w, "%s %s, %s … %s\n", a.say("负责人", "lead"), v.Facts.Lead, v.Facts.From, v.Facts.To)
	for _, x := range v.Facts.Wishes {
		fmt.Fprintf(w, "%s %s: %s\n", a.say("数据集", "dataset"), x.Dataset, strings.Join(x.Columns, ", "))
	}
	a.printWords(w, v)
	findings := v.Check
	if v.Findings != nil {
		findings = &v.Findings.Decision
	}
	if findings != nil {
		a.printFindings(w, v, *findings)
	}
	for _, r := range v.Reviews {
		a.printReview(w, "", r)
	}
	if v.Verdict != nil {
		a.printDecided(w, "", *v.Verdict)
	}
	for _, x := range v.Waits {
		fmt.Fprintf(w, "%s %s (%s)\n", a.say("等待", "waits for"), a.waited(x), x.Text.In(a.language()))
	}
	if len(v.Commands) > 0 {
		fmt.Fprintf(w, "%s %s\n", a.say("您可以：", "you may:"), a.commandNames(v.Commands))
	}
}

// printFindings shows what policy said: its notes, and each ground with what it cites and whether that was in force on the day.
func (a *app) printFindings(w io.Writer, v application.View, d policy.Decision) {
	fmt.Fprintf(w, "%s\n", a.say("策略意见：", "policy says:"))
	for _, o := range d.Obligations {
		if o.Kind == policy.ObligeWarning {
			fmt.Fprintf(w, "  ! %s (%s)\n", o.Text.In(a.language()), o.Value)
		}
	}
	validity := map[string]string{"in-force": a.say("有效", "in force"), "expired": a.say("已失效", "expired"), "not-yet": a.say("尚未施行", "not in force yet"), "unverified": a.say("未核实", "unverified")}
	source := func(id, valid string) string {
		title := v.Sources[id].In(a.language())
		if title == "" {
			title = id
		}
		return fmt.Sprintf(a.say("《%s》，%s", "%s; %s"), title, validity[valid])
	}
	for _, r := range d.Reasons {
		fmt.Fprintf(w, "  - %s (%s, %s)\n    %s\n", r.Text.In(a.language()), r.Rule, r.Article, source(r.Source, r.Validity))
		if r.Fallback != nil {
			fmt.Fprintf(w, "    %s %s\n", a.say("由下列依据承接：", "carried by:"), source(r.Fallback.Source, r.Fallback.Validity))
		}
	}
}

// printReview shows one opinion: the vote, what the sheet asked and was answered, and the words.
func (a *app) printReview(w io.Writer, indent string, r application.ReviewView) {
	fmt.Fprintf(w, "%s%s %s: %s, %s — %s\n", indent, a.say("审查", "review"), r.Kind, r.Verdict, a.held(r.Reviewer, r.For), r.Findings)
	if len(r.Found) > 0 {
		fmt.Fprintf(w, "%s  %s %s\n", indent, a.say("意见表版本", "opinion sheet"), r.Sheet)
	}
	for _, f := range r.Found {
		fmt.Fprintf(w, "%s    %s: %s\n", indent, f.Text.In(a.language()), f.Answer.In(a.language()))
	}
	for _, o := range r.Obligations {
		fmt.Fprintf(w, "%s  %s %s\n", indent, a.say("建议的条件：", "asks for:"), o)
	}
}

// printDecided shows the authority's decision.
func (a *app) printDecided(w io.Writer, indent string, v application.VerdictView) {
	number := ""
	if v.Number != nil {
		number = " " + v.Number.Text.In(a.language())
	}
	fmt.Fprintf(w, "%s%s%s %s, %s — %s\n", indent, a.say("决定", "decision"), number, v.Choice, a.held(v.Decider, v.For), v.Grounds)
	for _, c := range v.Conditions {
		fmt.Fprintf(w, "%s  %s %s\n", indent, a.say("条件：", "condition:"), c)
	}
	for _, o := range v.Obligations {
		fmt.Fprintf(w, "%s  %s %s  %s %s  %s\n", indent, a.say("条件：", "condition:"), o.Kind, a.say("期限", "due"), o.Due, o.Words)
	}
}

// held is an account, with the one whose post it held when it was somebody else's.
func (a *app) held(account, whose string) string {
	if whose == "" {
		return account
	}
	return account + fmt.Sprintf(a.say("（代理 %s）", " (deputy for %s)"), whose)
}
