package main

import (
	"github.com/spf13/cobra"
)

// commands lists all commands, in the order of the product's contract.
func (a *app) commands() []*cobra.Command {
	return []*cobra.Command{
		a.serveCommand(), a.group("admin", "Work of the operator on the machine itself", a.adminRotateKeys()), a.loginCommand(), a.whoamiCommand(),
		a.demoCommand(), a.catalogueCommand(), a.extractCommand(),
		a.applicationCommand(), a.paperCommand(), a.abroadCommand(), a.agreementCommand(), a.grantCommand(), a.accessCommand(), a.permitCommand(),
		a.explainCommand(), a.queryCommand(), a.jobCommand(), a.ledgerCommand(),
		a.handoverCommand(), a.meetingCommand(), a.deputyCommand(), a.inviteCommand(), a.recuseCommand(), a.conductCommand(), a.institutionCommand(), a.superviseCommand(), a.wishCommand(), a.meCommand(), a.noticesCommand(), a.auditCommand(), a.sqlCommand(), a.dummyCommand(), a.policyCommand(),
	}
}

// group is a command that only holds others.
func (a *app) group(use, short string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return a.usage("%[2]s 没有子命令 %[1]q；请看 `%[2]s --help`", "%[2]s has no command %[1]q; see `%[2]s --help`", args[0], c.CommandPath())
		}
		return nil
	}, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(children...)
	return c
}
