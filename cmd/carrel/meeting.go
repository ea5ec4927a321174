package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/application"
	"carrel/broker/board"
	"carrel/policy"
)

func (a *app) meetingCommand() *cobra.Command {
	return a.group("meeting", "Meetings of a board: agenda, attendance, votes, minutes",
		a.meetingAgenda(), a.meetingCall(), a.meetingList(), a.meetingShow(), a.meetingPrint(),
		a.meetingStep("attend", "Register as present; for oneself only"), a.meetingStep("leave", "Leave the meeting"),
		a.meetingStep("open", "Open the meeting, with a quorum (chair)"), a.meetingVote(), a.meetingDecide(),
		a.meetingStep("close", "Close the meeting (chair)"), a.meetingStep("cancel", "Cancel a meeting that was not opened (chair)"),
		a.meetingMinute(), a.meetingSign())
}

func (a *app) printMeeting(w io.Writer, m board.Meeting) {
	fmt.Fprintf(w, "%s  %s  %s  %s  %s %s\n", m.ID, m.Panel, m.Day, a.stateName("boards", "meeting", m.State), a.say("主持", "chair"), m.Chair)
	var present []string
	for _, s := range m.Present {
		present = append(present, s.Account)
	}
	fmt.Fprintf(w, "  %s %s\n", a.say("议程：", "agenda:"), strings.Join(m.Items, ", "))
	fmt.Fprintf(w, "  %s %s\n", a.say("到会：", "present:"), strings.Join(present, ", "))
	if m.Minutes != "" {
		fmt.Fprintf(w, "  %s %s\n", a.say("纪要：", "minutes:"), m.Minutes)
	}
}

// posted posts to a route and prints what came back.
func posted[T any](a *app, cmd *cobra.Command, path string, body any, show func(io.Writer, T)) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	var got T
	if err := c.post(cmd.Context(), path, body, &got); err != nil {
		return err
	}
	return a.print(got, func(w io.Writer) { show(w, got) })
}

// gotten gets a route and prints what came back.
func gotten[T any](a *app, cmd *cobra.Command, path string, show func(io.Writer, T)) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	var got T
	if err := c.get(cmd.Context(), path, &got); err != nil {
		return err
	}
	return a.print(got, func(w io.Writer) { show(w, got) })
}

func (a *app) meetingAgenda() *cobra.Command {
	return &cobra.Command{
		Use: "agenda PANEL", Short: "What waits for a board (ethics, science, authority)", Example: "  carrel meeting agenda ethics", Args: a.exact(1, "a board"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return gotten(a, cmd, "/panels/"+url.PathEscape(args[0])+"/agenda", func(w io.Writer, items []board.Item) {
				rows := [][]string{}
				for _, i := range items {
					rows = append(rows, []string{i.Application, i.Review, i.Kind, i.File, i.Institution, string(i.Due)})
				}
				list(w, a.say("没有待审议事项", "nothing waits"), []string{a.say("申请", "APPLICATION"), a.say("审查", "REVIEW"), a.say("种类", "KIND"), a.say("文件", "FILE"), a.say("单位", "INSTITUTION"), a.say("期限", "DUE")}, rows)
			})
		},
	}
}

func (a *app) meetingCall() *cobra.Command {
	var in board.CallInput
	var day string
	cmd := &cobra.Command{
		Use: "call PANEL --day DATE [--item APPLICATION …]", Short: "Call a meeting, with all that waits or with the items that are named; you are its chair",
		Example: "  carrel meeting call ethics --day 2026-12-03 --item ap-…", Args: a.exact(1, "a board"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.Panel, in.Day = args[0], policy.Date(day)
			return posted(a, cmd, "/meetings", in, a.printMeeting)
		},
	}
	cmd.Flags().StringVar(&day, "day", "", "day of the meeting")
	cmd.Flags().StringArrayVar(&in.Items, "item", nil, "an application; may be given several times")
	return cmd
}

func (a *app) meetingList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Meetings that you may see, newest first", Example: "  carrel meeting list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return gotten(a, cmd, "/meetings", func(w io.Writer, all []board.Meeting) {
				rows := [][]string{}
				for _, m := range all {
					rows = append(rows, []string{m.ID, m.Panel, string(m.Day), a.stateName("boards", "meeting", m.State), m.Chair, fmt.Sprint(len(m.Items))})
				}
				list(w, a.say("没有会议", "no meetings"), []string{a.say("编号", "NUMBER"), a.say("委员会", "PANEL"), a.say("日期", "DAY"), a.say("状态", "STATE"), a.say("主持", "CHAIR"), a.say("议程", "ITEMS")}, rows)
			})
		},
	}
}

func (a *app) meetingShow() *cobra.Command {
	return &cobra.Command{
		Use: "show MEETING", Short: "One meeting with its record: who attended, who took no part, votes and decisions", Example: "  carrel meeting show mt-…", Args: a.exact(1, "a meeting"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return gotten(a, cmd, "/meetings/"+url.PathEscape(args[0]), a.printMinutes)
		},
	}
}

// meetingPrint prints the record as a page for paper.
func (a *app) meetingPrint() *cobra.Command {
	return &cobra.Command{
		Use: "print MEETING", Short: "The record of a meeting as a page for paper (A4, both languages, places for signatures and seal), to standard output",
		Example: "  carrel meeting print mt-… > record.html", Args: a.exact(1, "a meeting"),
		RunE: func(cmd *cobra.Command, args []string) error {
			type sheet struct {
				HTML string `json:"html"`
			}
			return gotten(a, cmd, "/meetings/"+url.PathEscape(args[0])+"/print", func(w io.Writer, page sheet) { fmt.Fprint(w, page.HTML) })
		},
	}
}

func (a *app) meetingStep(name, short string) *cobra.Command {
	return &cobra.Command{
		Use: name + " MEETING", Short: short, Example: "  carrel meeting " + name + " mt-…", Args: a.exact(1, "a meeting"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return posted(a, cmd, "/meetings/"+url.PathEscape(args[0])+"/"+name, nil, a.printMeeting)
		},
	}
}

// meetingMinute takes the file of the minutes in and puts it on record.
func (a *app) meetingMinute() *cobra.Command {
	return a.meetingMinutes("minute", "Put the file of the minutes on record", func(cmd *cobra.Command, path string) (string, error) {
		x, err := a.upload(cmd, "/papers", path, "")
		if err != nil {
			return "", err
		}
		return x.Hash, nil
	})
}

// meetingSign signs the minutes that are in a file of this machine, which stays here.
func (a *app) meetingSign() *cobra.Command {
	return a.meetingMinutes("sign", "Sign the minutes in this file (chair)", func(_ *cobra.Command, path string) (string, error) {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }()
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return "", err
		}
		return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
	})
}

func (a *app) meetingMinutes(name, short string, hash func(cmd *cobra.Command, path string) (string, error)) *cobra.Command {
	return &cobra.Command{
		Use: name + " MEETING FILE", Short: short, Example: "  carrel meeting " + name + " mt-… minutes.pdf", Args: a.exact(2, "a meeting and the file of its minutes"),
		RunE: func(cmd *cobra.Command, args []string) error {
			digest, err := hash(cmd, args[1])
			if err != nil {
				return err
			}
			return posted(a, cmd, "/meetings/"+url.PathEscape(args[0])+"/"+name, map[string]string{"digest": digest}, a.printMeeting)
		},
	}
}

func (a *app) meetingVote() *cobra.Command {
	var in application.ReviewInput
	var file string
	var found []string
	cmd := &cobra.Command{
		Use: "vote MEETING APPLICATION --kind KIND --verdict approve|reject|abstain --sheet FILE|--found QUESTION=CHOICE --findings TEXT", Short: "Cast your own vote in the meeting",
		Example: `  carrel meeting vote mt-… ap-… --kind ethics --verdict approve --sheet ethics.yaml --findings "No objection."`, Args: a.exact(2, "a meeting and an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.oneOf("verdict", in.Verdict, "approve", "reject", "abstain"); err != nil {
				return err
			}
			if err := a.opinion(cmd, &in, file, found); err != nil {
				return err
			}
			body := map[string]any{"application": args[1], "review": in}
			return posted(a, cmd, "/meetings/"+url.PathEscape(args[0])+"/vote", body, func(w io.Writer, got application.Application) {
				fmt.Fprintln(w, got.ID, a.ruleName(appStates, got.State))
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Kind, "kind", "", "kind of review, as the application names them")
	f.StringVar(&in.Verdict, "verdict", "", "approve, reject or abstain")
	f.StringVar(&in.Findings, "findings", "", "what was found, in words")
	f.StringVar(&file, "sheet", "", "the opinion sheet, filled in (see: carrel application sheet KIND)")
	f.StringArrayVar(&found, "found", nil, "one finding of the current sheet, as QUESTION=CHOICE; may be repeated")
	return cmd
}

func (a *app) meetingDecide() *cobra.Command {
	var in application.DecisionInput
	var listed bool
	cmd := &cobra.Command{
		Use: "decide MEETING APPLICATION … --choice approve|deny|return --grounds TEXT", Short: "Decide in a meeting of the authority; several are renewals of low risk, decided by their list",
		Example: `  carrel meeting decide mt-… ap-… ap-… --choice approve --grounds "Renewals without a change."`, Args: a.least(2, "a meeting and an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.oneOf("choice", in.Choice, "approve", "deny", "return"); err != nil {
				return err
			}
			body := map[string]any{"applications": args[1:], "listed": listed, "decision": in}
			return posted(a, cmd, "/meetings/"+url.PathEscape(args[0])+"/decide", body, func(w io.Writer, all []board.Outcome) {
				for _, o := range all {
					said := a.ruleName(appStates, o.State)
					if o.Problem != nil {
						said = o.Problem.Text.In(a.lang)
					}
					fmt.Fprintln(w, o.Application, said)
				}
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Choice, "choice", "", "approve, deny or return")
	f.StringVar(&in.Grounds, "grounds", "", "why")
	f.StringArrayVar(&in.Conditions, "condition", nil, "a condition; may be given several times")
	f.BoolVar(&listed, "listed", false, "decide a single one as a renewal of low risk too")
	return cmd
}
