package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

// commands lists all commands, in the order of the product's contract.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.serveCommand(), a.loginCommand(), a.whoamiCommand(),
		a.demoCommand(), a.catalogueCommand(), a.extractCommand(),
		a.applicationCommand(), a.agreementCommand(), a.grantCommand(), a.permitCommand(),
		a.explainCommand(), a.queryCommand(), a.jobCommand(), a.ledgerCommand(),
		a.handoverCommand(), a.auditCommand(),
	}
}

// group is a command that only holds others.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usageError{fmt.Errorf("unknown command %q of %s; see `%s --help`", args[0], c.CommandPath(), c.CommandPath())}
		}
		return nil
	}, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(children...)
	return c
}

// table writes aligned columns: a header and rows.
func table(w io.Writer, header []string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(header, "\t"))
	for _, r := range rows {
		fmt.Fprintln(t, strings.Join(r, "\t"))
	}
	_ = t.Flush()
}
