package main

import (
	"io"
	"net/url"

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
	return []*cobra.Command{suspend, resume, change, decide}
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
