package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/grant"
)

// grantMoves are the commands that stop a grant for a time, and that decide about a change of its purpose.
func (a *app) grantMoves() []*cobra.Command {
	suspend := a.grantMove("suspend", "suspend", "Stop a grant until it is resumed")
	resume := a.grantMove("resume", "resume", "Let a suspended grant stand again")
	var purpose string
	change := a.grantMove("change", "purpose", "Declare that the purpose changes: the grant rests until the authority decides", func() map[string]any {
		return map[string]any{"purpose": purpose}
	})
	change.Flags().StringVar(&purpose, "purpose", "research", "class of the new purpose: research or quality-control")
	var choice string
	decide := a.grantMove("decide", "purpose/decide", "Decide about a change of purpose", func() map[string]any { return map[string]any{"choice": choice} })
	decide.Flags().StringVar(&choice, "choice", "", "approve or deny")
	decide.PreRunE = func(*cobra.Command, []string) error { return a.oneOf("choice", choice, "approve", "deny") }
	var condition, evidence string
	discharge := a.grantMove("discharge", "discharge", "Put on file that a condition of the decision is met", func() map[string]any {
		return map[string]any{"condition": condition, "evidence": evidence}
	})
	discharge.Flags().StringVar(&condition, "condition", "", "number of the condition, as carrel grant show prints it")
	discharge.Flags().StringVar(&evidence, "evidence", "", "sha256:… of the document")
	return []*cobra.Command{suspend, resume, change, decide, discharge, a.grantTraining()}
}

// grantMove is a command that posts its reason, and what more adds, to a route of the grant and prints the grant.
func (a *app) grantMove(name, where, short string, more ...func() map[string]any) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: name + " GRANT --reason TEXT", Short: short, Example: "  carrel grant " + name + ` g-… --reason "…"`, Args: a.exact(1, "a grant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			body := map[string]any{"reason": reason}
			for _, f := range more {
				for k, v := range f() {
					body[k] = v
				}
			}
			var v grant.View
			if err := c.post(cmd.Context(), "/grants/"+url.PathEscape(args[0])+"/"+where, body, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { a.printGrant(w, v) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why; of a change, the new purpose in words")
	return cmd
}

// permitVisas shows a permit as visas of the GA4GH.
func (a *app) permitVisas() *cobra.Command {
	return &cobra.Command{
		Use: "visas FILE", Short: "Your permit as GA4GH visas, one a line, and the Passport that holds them", Example: "  carrel permit visas permit.jwt", Args: a.exact(1, "a file with the permit, or -"),
		RunE: func(cmd *cobra.Command, args []string) error {
			raw, err := a.readFile(args[0])
			if err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var p grant.Passport
			if err := c.post(cmd.Context(), "/permits/visas", map[string]string{"token": strings.TrimSpace(string(raw))}, &p); err != nil {
				return err
			}
			return a.print(p, func(w io.Writer) {
				for _, v := range p.Visas {
					fmt.Fprintln(w, v)
				}
				fmt.Fprintln(w, p.Passport)
			})
		},
	}
}

// standing is what a permit's state is called.
func (a *app) standing(state string) string {
	switch state {
	case grant.PermitActive:
		return a.say("有效", "good now")
	case grant.PermitSuspended:
		return a.say("无效：授权已暂停", "not good: its grant is suspended")
	case grant.PermitRevoked:
		return a.say("无效：授权已撤销或已结束", "not good: its grant has ended, or its subject lost the right")
	case grant.PermitExpired:
		return a.say("无效：已过期；请用 carrel permit get 重新领取", "not good: expired; get a new one with `carrel permit get`")
	}
	return a.say("无效：并非本服务签发", "not good: not a permit of this service")
}

// grantTraining opens the grant on synthetic data that everybody has.
func (a *app) grantTraining() *cobra.Command {
	return &cobra.Command{
		Use: "training", Short: "Your grant on synthetic data, to train with; its budget is fresh every week", Example: `  carrel query --grant training "SELECT COUNT(*) FROM encounter"`, Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v grant.View
			if err := c.post(cmd.Context(), "/training", nil, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) {
				fmt.Fprintln(w, a.say("合成数据：不对应任何真实个人", "synthetic data: no real person is in it"))
				a.printGrant(w, v)
			})
		},
	}
}
