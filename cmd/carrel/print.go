package main

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/application"
	papers "carrel/broker/paper"
)

// applicationPrint prints a document of an application as a page for paper.
func (a *app) applicationPrint() *cobra.Command {
	var what string
	cmd := &cobra.Command{
		Use: "print APPLICATION --what KIND", Short: "A page for paper (A4, both languages, places for the seals), to standard output",
		Example: "  carrel application print ap-… --what decision > decision.html", Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.oneOf("what", what, papers.Kinds()...); err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var page struct {
				HTML string `json:"html"`
			}
			if err := c.get(cmd.Context(), "/applications/"+url.PathEscape(args[0])+"/print/"+what, &page); err != nil {
				return err
			}
			return a.print(page, func(w io.Writer) { fmt.Fprint(w, page.HTML) })
		},
	}
	cmd.Flags().StringVar(&what, "what", "", strings.Join(papers.Kinds(), ", "))
	return cmd
}

// applicationSeal takes the scan of a sealed original in and puts it on file.
func (a *app) applicationSeal() *cobra.Command {
	var digest string
	cmd := &cobra.Command{
		Use: "seal APPLICATION SCAN --digest DIGEST", Short: "Put the scan of the sealed original on file (PDF, JPEG or PNG)", Example: "  carrel application seal ap-… scan.pdf --digest sha256:…",
		Args: a.exact(2, "an application and a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			scan, err := a.upload(cmd, "/papers", args[1], "")
			if err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var got application.Application
			body := map[string]string{"digest": digest, "hash": scan.Hash}
			if err := c.post(cmd.Context(), "/applications/"+url.PathEscape(args[0])+"/agreement/seal", body, &got); err != nil {
				return err
			}
			return a.print(got, func(w io.Writer) {
				fmt.Fprintf(w, "%s  %s  %s\n", got.ID, a.ruleName(appStates, got.State), scan.Hash)
			})
		},
	}
	cmd.Flags().StringVar(&digest, "digest", "", "digest of the agreement that was sealed, from \"carrel agreement show\"")
	return cmd
}
