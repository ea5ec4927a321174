package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"carrel/broker/application"
	"carrel/broker/grant"
	"carrel/policy"
)

// template is what `application new --template` prints: a draft to fill in, for a year from the two days that it is given.
const template = `# An application for data. Fill in and send with: carrel application new FILE
facts:
  kind: query                  # query: noised answers; handover: a package, for quality-control centres
  purpose: research            # research | quality-control
  team: []                     # accounts of the other members
  from: "%s"
  to: "%s"
  funding: public              # none | public | institution | industry
  conflicts: none              # none | declared
  ethics: {document: "sha256:…"}   # of the ethics committee's document; or give texts.exemption
  cross_border: false          # true: name the recipient as abroad: {institution, country}, texts.answerable and the clearance
  identifiable: false
  use: {types: [HMB]}          # the purpose by the Data Use Ontology: GRU HMB DS POA MDS OTHER; see carrel application form query
  wishes:
    - {dataset: jinhe, columns: [person.*, encounter.*]}
texts:
  title: ""
  reason: ""                   # what the data are for, in a sentence (10 characters at least)
  methods: ""                  # how they are analysed, in a sentence (10 characters at least)
`

func (a *app) applicationCommand() *cobra.Command {
	return a.group("application", "Applications for data: from draft to decision",
		a.applicationForm(), a.applicationCheck(), a.applicationCopy(), a.applicationDiff(), a.attach(a.ofApplication(), "Attach a file of 10 MB at most; prints its sha256, by which the application refers to it"), a.attachments(a.ofApplication(), "What is attached to an application"), a.fetch(a.ofApplication()), a.applicationDetach(),
		a.applicationNew(), a.applicationEdit(), a.applicationStep("submit", "Submit for review", nil), a.applicationShow(), a.applicationList(),
		a.applicationPrint(), a.applicationSeal(), a.applicationReview(), a.applicationSheet(), a.applicationStep("retract", "Take one's own vote back", nil),
		a.applicationSay("ask", "Ask the applicant; the clock stops until the answer"), a.applicationSay("answer", "Answer the open question"),
		a.applicationSay("appeal", "Put a denial before another panel"), a.applicationStep("amend", "Begin an amendment of what was granted", nil),
		a.applicationStep("renew", "Begin a renewal of what was granted", nil), a.applicationDecide(), a.applicationStep("withdraw", "Take an application back", nil))
}

func (a *app) applicationNew() *cobra.Command {
	var tmpl bool
	cmd := &cobra.Command{
		Use: "new FILE", Short: "Begin an application from a YAML or JSON file",
		Example: "  carrel application new --template > study.yaml\n  carrel application new study.yaml",
		Args:    a.upTo(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if tmpl {
				today := policy.DateOf(time.Now())
				_, err := fmt.Fprintf(a.out, template, today, policy.DateOf(time.Now().AddDate(1, 0, -1)))
				return err
			}
			if len(args) != 1 {
				return a.usage("请给出申请文件，或用 --template 打印样本", "name the file of the application, or print one with --template")
			}
			d, err := a.readDraft(args[0])
			if err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var made application.Application
			if err := c.post(cmd.Context(), "/applications", d, &made); err != nil {
				return err
			}
			return a.print(made, func(w io.Writer) {
				fmt.Fprintf(w, a.say("已建立申请 %s（%s）；提交：carrel application submit %s\n", "application %s (%s); submit it with: carrel application submit %s\n"), made.ID, a.ruleName(appStates, made.State), made.ID)
			})
		},
	}
	cmd.Flags().BoolVar(&tmpl, "template", false, "print a draft to fill in")
	return cmd
}

// readDraft reads YAML (of which JSON is a part) strictly: an unknown member is an error that names it.
func (a *app) readDraft(file string) (application.Draft, error) {
	var d application.Draft
	raw, err := os.ReadFile(file)
	if err != nil {
		return d, err
	}
	var any map[string]any
	if err := yaml.Unmarshal(raw, &any); err != nil {
		return d, a.usage("%s 既不是 YAML 也不是 JSON：%v", "%s is neither YAML nor JSON: %v", file, err)
	}
	if len(any) == 0 { // would empty the draft without a word
		return d, a.usage("%s 为空；样本见 `carrel application new --template`", "%s is empty; `carrel application new --template` prints a sample", file)
	}
	b, err := json.Marshal(any)
	if err != nil {
		return d, a.usage("%s 含有 JSON 无法表示的内容", "%s holds something that JSON cannot", file)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return d, a.misfit(file, err)
	}
	return d, nil
}

// misfit says which member of a file does not fit the form.
func (a *app) misfit(file string, err error) error {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return a.usage("%s：%s 不能是 %s；请对照 `carrel application new --template`", "%s: %s cannot be a %s; compare `carrel application new --template`", file, wrong.Field, wrong.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return a.usage("%s：没有成员 %s；请对照 `carrel application new --template`", "%s: there is no member %s; compare `carrel application new --template`", file, name)
	}
	return a.usage("%s：%v", "%s: %v", file, err)
}

// applicationStep is a command that posts to one of an application's steps.
func (a *app) applicationStep(name, short string, body any) *cobra.Command {
	return &cobra.Command{
		Use: name + " APPLICATION", Short: short, Example: "  carrel application " + name + " ap-…", Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.step(cmd, args[0], name, body) },
	}
}

func (a *app) step(cmd *cobra.Command, id, name string, body any) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	var got application.Application
	if err := c.post(cmd.Context(), "/applications/"+url.PathEscape(id)+"/"+name, body, &got); err != nil {
		return err
	}
	return a.print(got, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s", got.ID, a.ruleName(appStates, got.State))
		if len(got.Needed) > 0 && got.Grant == "" {
			fmt.Fprintf(w, "  %s %s (%s %d)", a.say("审查：", "reviews:"), strings.Join(got.Needed, ", "), a.say("票数", "votes"), len(got.Reviews))
		}
		if got.Grant != "" {
			fmt.Fprintf(w, "  %s %s", a.say("授权", "grant"), got.Grant)
		}
		fmt.Fprintln(w)
	})
}

func (a *app) applicationDecide() *cobra.Command {
	var in application.DecisionInput
	var from, to string
	var owed []string
	cmd := &cobra.Command{
		Use: "decide APPLICATION --choice approve|deny|return --grounds TEXT", Short: "The authority's decision",
		Example: `  carrel application decide ap-… --choice approve --grounds "Lawful and useful." --condition "Report yearly."`, Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.oneOf("choice", in.Choice, "approve", "deny", "return"); err != nil {
				return err
			}
			in.From, in.To = policy.Date(from), policy.Date(to)
			for _, o := range owed {
				of, rest, _ := strings.Cut(o, "@")
				kind, body, _ := strings.Cut(of, "/")
				due, text, ok := strings.Cut(rest, "=")
				if !ok {
					return a.usage("--obligation 应写成 种类@日期=内容", "write --obligation as KIND@DATE=TEXT")
				}
				in.Obligations = append(in.Obligations, application.ObligationInput{Kind: kind, Due: policy.Date(due), Text: text, Body: body})
			}
			return a.step(cmd, args[0], "decide", in)
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Choice, "choice", "", "approve, deny or return")
	f.StringVar(&in.Grounds, "grounds", "", "why")
	f.StringArrayVar(&in.Conditions, "condition", nil, "a condition; may be given several times")
	f.StringArrayVar(&owed, "obligation", nil, "a condition that is met by evidence until a day, as KIND@DATE=TEXT (report, ethics, training, inspection, publication, deletion), or KIND/REVIEW@DATE=TEXT where that review judges the evidence and not the authority")
	f.Float64Var(&in.Epsilon, "epsilon", 0, "ε of the grant, in place of what was asked for")
	f.StringVar(&from, "from", "", "first day, in place of what was asked for")
	f.StringVar(&to, "to", "", "last day, in place of what was asked for")
	return cmd
}

func (a *app) applicationList() *cobra.Command {
	var inbox bool
	var words, state, after string
	cmd := &cobra.Command{
		Use: "list", Short: "Applications that you may see, newest first", Example: "  carrel application list --inbox\n  carrel application list --search stroke --state reviewed", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			page := func(after, limit string) (items []application.Item, err error) {
				q := url.Values{"inbox": {strconv.FormatBool(inbox)}, "q": {words}, "state": {state}, "after": {after}, "limit": {limit}}
				return items, c.get(cmd.Context(), "/applications?"+q.Encode(), &items)
			}
			var items []application.Item
			if inbox {
				items, err = everyPage(after, page)
				soonestFirst(items)
			} else {
				items, err = page(after, "100")
			}
			if err != nil {
				return err
			}
			return a.print(items, func(w io.Writer) {
				rows := [][]string{}
				for _, i := range items {
					due := string(i.Due)
					if i.Overdue {
						due += a.say("（已逾期）", " overdue")
					}
					rows = append(rows, []string{i.ID, i.StateText.In(a.lang), i.Lead, i.Institution, strings.Join(i.Datasets, ","), i.Title, due, a.commandNames(i.Commands)})
				}
				list(w, a.say("没有申请", "no applications"), []string{a.say("申请", "APPLICATION"), a.say("状态", "STATE"), a.say("负责人", "LEAD"), a.say("单位", "INSTITUTION"), a.say("数据集", "DATASETS"), a.say("题目", "TITLE"), a.say("期限", "DUE"), a.say("您可以", "YOU MAY")}, rows)
			})
		},
	}
	cmd.Flags().BoolVar(&inbox, "inbox", false, "only what waits for you, what is due first on top")
	cmd.Flags().StringVar(&words, "search", "", "words that must stand in number, title, lead, institution, dataset or state")
	cmd.Flags().StringVar(&state, "state", "", "only those in this state, e.g. reviewed")
	cmd.Flags().StringVar(&after, "after", "", "number of the last application of the page before")
	return cmd
}

// pageOf is how many applications a page of an inbox has.
const pageOf = 200

// everyPage reads an inbox to its end: pages are newest first, and what is due first is often the oldest.
func everyPage(after string, page func(after, limit string) ([]application.Item, error)) ([]application.Item, error) {
	var all []application.Item
	for {
		items, err := page(after, strconv.Itoa(pageOf))
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if len(items) < pageOf {
			return all, nil
		}
		after = items[len(items)-1].ID
	}
}

// soonestFirst sorts an inbox by the day by which something is owed; what has none comes last.
func soonestFirst(items []application.Item) {
	slices.SortStableFunc(items, func(x, y application.Item) int {
		if (x.Due == "") != (y.Due == "") {
			return cmp.Compare(len(y.Due), len(x.Due))
		}
		return cmp.Compare(x.Due, y.Due)
	})
}

func (a *app) commandNames(commands []policy.Command) string {
	var out []string
	for _, c := range commands {
		out = append(out, c.Label.In(a.lang))
	}
	return strings.Join(out, ", ")
}

func (a *app) applicationShow() *cobra.Command {
	return &cobra.Command{
		Use: "show APPLICATION", Short: "One application with policy's findings, reviews and what it waits for", Example: "  carrel application show ap-…", Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v application.View
			if err := c.get(cmd.Context(), "/applications/"+url.PathEscape(args[0]), &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { a.printApplication(w, v) })
		},
	}
}

func (a *app) agreementCommand() *cobra.Command {
	show := &cobra.Command{
		Use: "show APPLICATION", Short: "The agreement's text and digest", Example: "  carrel agreement show ap-…", Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v application.AgreementView
			if err := c.get(cmd.Context(), "/applications/"+url.PathEscape(args[0])+"/agreement", &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) {
				fmt.Fprintf(w, "%s\n\n%s %s\n", v.Text.In(a.lang), a.say("摘要", "digest"), v.Digest)
				for _, s := range v.Signatures {
					fmt.Fprintf(w, "%s %s: %s\n", a.say("已签", "signed"), s.Side, s.Account)
				}
			})
		},
	}
	var side, digest string
	sign := &cobra.Command{
		Use: "sign APPLICATION --side applicant|host|processor|owner --digest DIGEST", Short: "Sign the agreement of this digest for one side",
		Example: "  carrel agreement sign ap-… --side applicant --digest sha256:…", Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.step(cmd, args[0], "agreement/sign", map[string]string{"side": side, "digest": digest})
		},
	}
	sign.Flags().StringVar(&side, "side", "", "applicant, host, processor or owner")
	sign.Flags().StringVar(&digest, "digest", "", "digest of the text that you read, from \"carrel agreement show\"")
	return a.group("agreement", "Agreements", show, sign)
}

func (a *app) grantCommand() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "Grants that you may see", Example: "  carrel grant list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := a.grants(cmd)
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				rows := [][]string{}
				for _, g := range all {
					rows = append(rows, []string{g.ID, g.Kind, a.ruleName(grantStates, g.State), g.Lead, strings.Join(g.Datasets, ","), string(g.From) + " … " + string(g.To), fmt.Sprintf("%.3g", g.Epsilon)})
				}
				list(w, a.say("没有授权；批准并签署协议后才有", "no grants; one begins when an application is approved and its agreement signed"), []string{a.say("授权", "GRANT"), a.say("种类", "KIND"), a.say("状态", "STATE"), a.say("负责人", "LEAD"), a.say("数据集", "DATASETS"), a.say("期限", "PERIOD"), "ε"}, rows)
			})
		},
	}
	show := &cobra.Command{
		Use: "show GRANT", Short: "One grant with its conditions and budget", Example: "  carrel grant show g-…", Args: a.exact(1, "a grant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v grant.View
			if err := c.get(cmd.Context(), "/grants/"+url.PathEscape(args[0]), &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { a.printGrant(w, v) })
		},
	}
	var reason string
	revoke := &cobra.Command{
		Use: "revoke GRANT --reason TEXT", Short: "End a grant at once", Example: `  carrel grant revoke g-… --reason "Study stopped."`, Args: a.exact(1, "a grant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v grant.View
			if err := c.post(cmd.Context(), "/grants/"+url.PathEscape(args[0])+"/revoke", map[string]any{"reason": reason}, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { a.printGrant(w, v) })
		},
	}
	revoke.Flags().StringVar(&reason, "reason", "", "why")
	return a.group("grant", "Grants: the standing rights that signed agreements give", append([]*cobra.Command{list, show, revoke}, a.grantMoves()...)...)
}

func (a *app) grants(cmd *cobra.Command) ([]grant.Grant, error) {
	c, err := a.api()
	if err != nil {
		return nil, err
	}
	var all []grant.Grant
	return all, c.get(cmd.Context(), "/grants", &all)
}

func (a *app) printGrant(w io.Writer, v grant.View) {
	fmt.Fprintf(w, "%s  %s  %s  %s … %s\n", v.ID, v.Kind, a.ruleName(grantStates, v.State), v.From, v.To)
	fmt.Fprintf(w, "%s %s; %s %s\n", a.say("负责人", "lead"), v.Lead, a.say("成员", "team"), strings.Join(v.Team, ", "))
	fmt.Fprintf(w, "%s %s: %s\n", a.say("数据集", "dataset"), strings.Join(v.Datasets, ", "), strings.Join(v.Columns, ", "))
	if v.Reason != "" {
		fmt.Fprintf(w, "%s %s\n", a.say("理由：", "reason:"), v.Reason)
	}
	if r := v.EndCause; r != nil {
		fmt.Fprintf(w, "%s %s (%s, %s)\n", a.say("终止原因：", "ended because:"), r.Text.In(a.language()), r.Rule, r.Article)
	}
	for _, p := range v.Purposes {
		fmt.Fprintf(w, "%s %s\n", a.say("变更后的目的：", "purpose as amended:"), p)
	}
	for _, c := range v.Conditions {
		fmt.Fprintf(w, "%s %s\n", a.say("条件：", "condition:"), c)
	}
	a.printConditions(w, v)
	if v.Budget != nil {
		fmt.Fprintf(w, "%s ε %.4g, %s ε %.4g\n", a.say("预算", "budget"), v.Budget.Epsilon, a.say("剩余", "left"), v.Budget.Left)
	}
}

func (a *app) permitCommand() *cobra.Command {
	get := &cobra.Command{
		Use: "get GRANT", Short: "A signed permit of a grant, an hour at most", Example: "  carrel permit get g-… > permit.jwt", Args: a.exact(1, "a grant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var p struct {
				Permit json.RawMessage `json:"permit"`
				Token  string          `json:"token"`
			}
			if err := c.post(cmd.Context(), "/grants/"+url.PathEscape(args[0])+"/permit", map[string]any{}, &p); err != nil {
				return err
			}
			return a.print(p, func(w io.Writer) { fmt.Fprintln(w, p.Token) })
		},
	}
	status := &cobra.Command{
		Use: "status FILE", Short: "Whether a permit is good now", Example: "  carrel permit status permit.jwt", Args: a.exact(1, "a file with the permit, or -"),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := a.readFile(args[0])
			if err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var s grant.Status
			if err := c.post(cmd.Context(), "/permits/status", map[string]string{"token": strings.TrimSpace(string(raw))}, &s); err != nil {
				return err
			}
			return a.print(s, func(w io.Writer) {
				fmt.Fprintln(w, a.standing(s.State))
			})
		},
	}
	return a.group("permit", "Permits: the signed, short-lived tokens of grants", get, status, a.permitVisas())
}

// readFile reads a file, or standard input for "-".
func (a *app) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(io.LimitReader(a.in, 16<<20))
	}
	return os.ReadFile(name)
}
