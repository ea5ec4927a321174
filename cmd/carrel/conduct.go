package main

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/conduct"
	"carrel/broker/conduct/matter"
	"carrel/policy"
)

func (a *app) conductCommand() *cobra.Command {
	return a.group("conduct", "Credit files, measures, duties, incidents, complaints and residents' wishes",
		a.conductFile(), a.conductEvidence(), a.conductEnter(), a.conductOn("appeal", "Appeal against an entry", "credit"), a.conductOn("uphold", "Reject an appeal", "credit"),
		a.conductOn("lift", "Grant an appeal: the entry counts no more", "credit"), a.conductExport(), a.sanctionCommand(), a.dutyCommand(), a.incidentCommand(), a.upwardCommand(), a.assessmentCommand(),
		a.complaintCommand())
}

// told posts to the service and prints the matter that comes back.
func (a *app) told(cmd *cobra.Command, path string, body any) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	var m matter.Matter
	if err := c.post(cmd.Context(), "/conduct/"+path, body, &m); err != nil {
		return err
	}
	return a.print(m, func(w io.Writer) { a.printMatter(w, m) })
}

func (a *app) printMatter(w io.Writer, m matter.Matter) {
	fmt.Fprintf(w, "%s  %s  %s", m.ID, a.sortName(m.Noun, m.Sort), a.stateName("matters", m.Noun, m.State))
	if m.Party != "" {
		fmt.Fprintf(w, "  %s", m.Party)
	}
	if m.Until != "" {
		fmt.Fprintf(w, "  %s %s", a.say("至", "until"), m.Until)
	}
	if !m.Due.IsZero() {
		fmt.Fprintf(w, "  %s %s", a.say("期限", "due"), minute(m.Due))
	}
	var owed []string
	_, open := m.Deadline()
	for _, to := range m.Addressed {
		if open && !slices.Contains(m.Told, to) {
			owed = append(owed, to)
		}
	}
	if len(owed) > 0 {
		fmt.Fprintf(w, "\n%s %s", a.say("须通知：", "to be told:"), strings.Join(owed, ", "))
	}
	if len(m.Told) > 0 {
		fmt.Fprintf(w, "\n%s %s", a.say("已通知：", "told:"), strings.Join(m.Told, ", "))
	}
	fmt.Fprintln(w)
}

// matters gets a list and prints it.
func (a *app) matters(cmd *cobra.Command, path string) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	var all []conduct.View
	if err := c.get(cmd.Context(), "/conduct/"+path, &all); err != nil {
		return err
	}
	return a.print(all, func(w io.Writer) {
		rows := [][]string{}
		for _, v := range all {
			rows = append(rows, []string{v.ID, a.sortName(v.Noun, v.Sort), a.stateName("matters", v.Noun, v.State), v.Party, string(v.From), string(v.Until), a.when(v), v.Article, author(v), strings.Join(strings.Fields(v.Texts["reason"]), " ")})
		}
		list(w, a.say("没有记录", "nothing on file"), []string{a.say("编号", "NUMBER"), a.say("类别", "SORT"), a.say("状态", "STATE"), a.say("对象", "PARTY"), a.say("自", "FROM"), a.say("至", "UNTIL"), a.say("期限", "DUE"),
			a.say("依据", "ARTICLE"), a.say("经办", "BY"), a.say("理由", "REASON")}, rows)
	})
}

// author is who put a matter on file.
func author(v conduct.View) string {
	if len(v.Steps) == 0 {
		return ""
	}
	return v.Steps[0].By
}

func (a *app) when(v conduct.View) string {
	if v.Due.IsZero() {
		return ""
	}
	due := minute(v.Due)
	if v.Overdue {
		due += " " + a.say("已逾期", "overdue")
	}
	return due
}

func (a *app) conductFile() *cobra.Command {
	var party, purpose, noun string
	cmd := &cobra.Command{
		Use: "file [--party PARTY --purpose TEXT]", Short: "A credit file: one's own, or another's for a stated purpose",
		Example: `  carrel conduct file --party person/li --purpose "Review of a new application."`, Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.oneOf("of", noun, "credit", "measures", "duties"); err != nil {
				return err
			}
			return a.matters(cmd, noun+"?"+url.Values{"party": {party}, "purpose": {purpose}}.Encode())
		},
	}
	cmd.Flags().StringVar(&party, "party", "", "person/ACCOUNT or institution/ID; empty is your own file")
	cmd.Flags().StringVar(&purpose, "purpose", "", "why you look at a file outside your unit; it is put on record")
	cmd.Flags().StringVar(&noun, "of", "credit", "credit, measures or duties")
	return cmd
}

// entryFlags are the flags of what is entered about a party.
func entryFlags(cmd *cobra.Command, in *conduct.Entry, noun string) {
	f := cmd.Flags()
	f.StringVar(&in.Party, "party", "", "person/ACCOUNT or institution/ID")
	f.StringVar(&in.Sort, "sort", "", "kind: "+sortList(noun))
	f.StringVar(&in.Reason, "reason", "", "why, or the result")
	f.StringVar(&in.Article, "article", "", "id of the article it rests on, e.g. ndr-31")
	f.StringVar(&in.Evidence, "evidence", "", "the evidence: a file, which is taken in, or the sha256:… of one that you took in")
	f.Var(dateFlag{&in.Until}, "until", "last day; empty is what policy says")
}

// dateFlag reads a day; whether it is one the service says.
type dateFlag struct{ to *policy.Date }

func (d dateFlag) String() string {
	if d.to == nil {
		return ""
	}
	return string(*d.to)
}

func (d dateFlag) Set(s string) error { *d.to = policy.Date(s); return nil }

func (d dateFlag) Type() string { return "date" }

// entered sends what rests on evidence; evidence that is a file of this machine is taken in first.
func (a *app) entered(cmd *cobra.Command, path string, evidence *string, body any) error {
	if err := a.takeIn(cmd, evidence); err != nil {
		return err
	}
	return a.told(cmd, path, body)
}

// entering is a command that posts an entry of a noun.
func (a *app) entering(use, short, example, path, noun string) *cobra.Command {
	var in conduct.Entry
	cmd := &cobra.Command{
		Use: use, Short: short, Example: example, Args: a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.entered(cmd, path, &in.Evidence, &in) },
	}
	entryFlags(cmd, &in, noun)
	return cmd
}

func (a *app) conductEnter() *cobra.Command {
	return a.entering("enter", "Enter into a credit file",
		`  carrel conduct enter --party person/li --sort misuse --reason "Used outside the grant." --article ndr-31 --evidence report.pdf`, "credit", matter.Credit)
}

// conductOn is a command about one matter with a text.
func (a *app) conductOn(name, short, noun string) *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use: name + " NUMBER --grounds TEXT", Short: short, Example: "  carrel conduct " + name + ` cr-… --grounds "The evidence was of another project."`, Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.told(cmd, noun+"/"+url.PathEscape(args[0])+"/"+name, map[string]string{"text": text})
		},
	}
	cmd.Flags().StringVar(&text, "grounds", "", "why")
	return cmd
}

func (a *app) conductExport() *cobra.Command {
	var party, purpose string
	cmd := &cobra.Command{
		Use: "export --party PARTY --purpose TEXT", Short: "A signed export for the unified credit platform",
		Example: `  carrel conduct export --party institution/u --purpose "Monthly report." > export.json`, Args: a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var x conduct.Export
			if err := c.post(cmd.Context(), "/conduct/export", map[string]string{"party": party, "purpose": purpose}, &x); err != nil {
				return err
			}
			return a.print(x, func(w io.Writer) { fmt.Fprintf(w, "%s\n%s\n", x.Payload, x.Signature) })
		},
	}
	cmd.Flags().StringVar(&party, "party", "", "person/ACCOUNT or institution/ID")
	cmd.Flags().StringVar(&purpose, "purpose", "", "what it is for")
	return cmd
}

func (a *app) sanctionCommand() *cobra.Command {
	adopt := &cobra.Command{
		Use: "adopt NUMBER", Short: "Order a measure that somebody else proposed", Example: "  carrel conduct sanction adopt me-…", Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.told(cmd, "measures/"+url.PathEscape(args[0])+"/order", nil)
		},
	}
	var grounds string
	decline := &cobra.Command{
		Use: "decline NUMBER --grounds TEXT", Short: "Leave a proposal", Example: `  carrel conduct sanction decline me-… --grounds "A talk was held already."`, Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.told(cmd, "measures/"+url.PathEscape(args[0])+"/decline", map[string]string{"text": grounds})
		},
	}
	decline.Flags().StringVar(&grounds, "grounds", "", "why")
	example := ` --party institution/u --sort rectify --reason "No officer is named." --article sichuan-36 --evidence report.pdf --until 2027-01-31`
	return a.group("sanction", "The six rungs: talk, rectify, admonish, criticise, sanction, refer",
		a.entering("propose", "Propose a measure to the office with the power", "  carrel conduct sanction propose"+example, "proposals", matter.Measure),
		a.entering("order", "Order a measure", "  carrel conduct sanction order"+example, "measures", matter.Measure), adopt, decline)
}

func (a *app) dutyCommand() *cobra.Command {
	example := ` --party institution/u --sort provider-check --reason "Yearly check." --evidence report.pdf --until 2027-06-30`
	var in struct {
		conduct.Entry
		Duty string `json:"duty,omitempty"`
	}
	record := &cobra.Command{
		Use: "record", Short: "Put the result of a check, a rectification, an inspection or a training on record", Example: "  carrel conduct duty record" + example,
		Args: a.exact(0, "no arguments; see --help"), RunE: func(cmd *cobra.Command, _ []string) error {
			return a.entered(cmd, "duties/record", &in.Evidence, &in)
		},
	}
	entryFlags(record, &in.Entry, matter.Duty)
	record.Flags().StringVar(&in.Duty, "duty", "", "number of the duty that was imposed; empty for one that begins now")
	var text, until string
	declare := &cobra.Command{
		Use: "declare --text TEXT --until DATE", Short: "Declare conflicts of interest and funding", Example: `  carrel conduct duty declare --text "None; public funding only." --until 2027-06-30`,
		Args: a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.told(cmd, "duties/declare", map[string]string{"text": text, "until": until})
		},
	}
	declare.Flags().StringVar(&text, "text", "", "the declaration")
	declare.Flags().StringVar(&until, "until", "", "last day that it holds")
	return a.group("duty", "Duties with a date: checks, rectifications, inspections, trainings, declarations",
		a.entering("impose", "Impose a duty", "  carrel conduct duty impose"+example, "duties", matter.Duty), record, declare)
}
