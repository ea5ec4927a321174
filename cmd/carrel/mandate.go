package main

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"carrel/broker/application"
	"carrel/broker/board"
	"carrel/policy"
)

func (a *app) deputyCommand() *cobra.Command {
	return a.group("deputy", "Who stands in for whom, in which post, and how long", a.deputyName(),
		a.papers("deputies", "  carrel deputy list"), a.paperStep("end", "deputies", "End a deputyship", "  carrel deputy end bp-…"))
}

func (a *app) inviteCommand() *cobra.Command {
	return a.group("invite", "Reviewers from outside, for one review of one application", a.inviteSend(), a.papers("invitations", "  carrel invite list"), a.inviteAccept(),
		a.paperStep("decline", "invitations", "Decline an invitation", "  carrel invite decline bp-…"), a.paperStep("end", "invitations", "Take an invitation back", "  carrel invite end bp-…"))
}

func (a *app) recuseCommand() *cobra.Command {
	return a.group("recuse", "Take no part: in an application, or in all of an institution in which you have an interest", a.recuseFrom(), a.recuseInterest(),
		a.papers("interests", "  carrel recuse list"), a.paperStep("end", "interests", "End a declared interest (discipline office)", "  carrel recuse end bp-…"))
}

func (a *app) printPaper(w io.Writer, p board.Paper) {
	fmt.Fprintf(w, "%s  %s  %s  %s … %s", p.ID, p.Party, a.stateName("boards", p.Noun, p.State), p.From, p.Until)
	switch p.Noun {
	case board.Deputy:
		fmt.Fprintf(w, "  %s %s  %s", a.say("代理", "for"), p.For, p.Role)
	case board.Invitation:
		fmt.Fprintf(w, "  %s  %s", p.Application, p.Review)
	case board.Interest:
		fmt.Fprintf(w, "  %s", p.About)
	}
	fmt.Fprintln(w)
}

func (a *app) papers(what, example string) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Those that you may see", Example: example, Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return gotten(a, cmd, "/"+what, func(w io.Writer, all []board.Paper) {
				rows := [][]string{}
				for _, p := range all {
					about := p.About
					switch p.Noun {
					case board.Deputy:
						about = p.For + "  " + p.Role
					case board.Invitation:
						about = p.Application + "  " + p.Review
					}
					rows = append(rows, []string{p.ID, p.Party, about, string(p.From), string(p.Until), a.stateName("boards", p.Noun, p.State)})
				}
				list(w, a.say("没有记录", "none"), []string{a.say("编号", "NUMBER"), a.say("人员", "WHO"), a.say("事项", "ABOUT"), a.say("自", "FROM"), a.say("至", "UNTIL"), a.say("状态", "STATE")}, rows)
			})
		},
	}
}

func (a *app) paperStep(name, what, short, example string) *cobra.Command {
	return &cobra.Command{
		Use: name + " NUMBER", Short: short, Example: example, Args: a.exact(1, "its number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return posted(a, cmd, "/"+what+"/"+url.PathEscape(args[0])+"/"+name, nil, a.printPaper)
		},
	}
}

func (a *app) deputyName() *cobra.Command {
	var in board.DeputyInput
	var from, until string
	cmd := &cobra.Command{
		Use: "name DEPUTY --role ROLE --from DATE --until DATE [--for ACCOUNT]", Short: "Name a deputy for one of your posts, or as the authority for somebody of your house",
		Example: "  carrel deputy name he --role authority --from 2026-12-01 --until 2026-12-14", Args: a.exact(1, "the deputy's account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Deputy, in.From, in.Until = args[0], policy.Date(from), policy.Date(until)
			return posted(a, cmd, "/deputies", in, a.printPaper)
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.For, "for", "", "whom she stands in for; you, when it is left out")
	f.StringVar(&in.Role, "role", "", "the post")
	f.StringVar(&from, "from", "", "first day")
	f.StringVar(&until, "until", "", "last day")
	return cmd
}

func (a *app) inviteSend() *cobra.Command {
	var in board.InvitationInput
	var until string
	cmd := &cobra.Command{
		Use: "send APPLICATION --review KIND --account ACCOUNT --until DATE", Short: "Invite somebody to one review",
		Example: "  carrel invite send ap-… --review ethics --account liang --until 2026-12-20", Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Application, in.Until = args[0], policy.Date(until)
			return posted(a, cmd, "/invitations", in, a.printPaper)
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Review, "review", "", "kind of review")
	f.StringVar(&in.Account, "account", "", "who is invited")
	f.StringVar(&until, "until", "", "last day")
	return cmd
}

func (a *app) inviteAccept() *cobra.Command {
	var in board.Declaration
	cmd := &cobra.Command{
		Use: "accept NUMBER --confidential --conflict none|declared", Short: "Accept an invitation: you keep it confidential and have no conflict",
		Example: "  carrel invite accept bp-… --confidential --conflict none", Args: a.exact(1, "an invitation"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return posted(a, cmd, "/invitations/"+url.PathEscape(args[0])+"/accept", in, a.printPaper)
		},
	}
	cmd.Flags().BoolVar(&in.Confidential, "confidential", false, "I keep to myself what I see")
	cmd.Flags().StringVar(&in.Conflict, "conflict", "", "none or declared")
	return cmd
}

func (a *app) recuseFrom() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "from APPLICATION --reason TEXT", Short: "Take no part in an application", Example: `  carrel recuse from ap-… --reason "I work with the team."`, Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return posted(a, cmd, "/applications/"+url.PathEscape(args[0])+"/recuse", map[string]string{"reason": reason}, func(w io.Writer, got application.Application) {
				fmt.Fprintln(w, got.ID, a.say("已回避", "recused"))
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why")
	return cmd
}

func (a *app) recuseInterest() *cobra.Command {
	var in board.InterestInput
	var until string
	cmd := &cobra.Command{
		Use: "interest INSTITUTION --until DATE", Short: "Declare an interest in an institution: others judge what it applies for",
		Example: "  carrel recuse interest jinhe-university --until 2027-11-30", Args: a.exact(1, "an institution"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Institution, in.Until = args[0], policy.Date(until)
			return posted(a, cmd, "/interests", in, a.printPaper)
		},
	}
	cmd.Flags().StringVar(&until, "until", "", "last day")
	return cmd
}
