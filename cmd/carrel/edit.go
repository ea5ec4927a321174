package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"carrel/broker/application"
)

func (a *app) applicationEdit() *cobra.Command {
	var current bool
	var rev int64
	cmd := &cobra.Command{
		Use: "edit APPLICATION FILE", Short: "Replace a draft by a YAML or JSON file, of the form of `new`",
		Example: "  carrel application edit ap-… --current > study.yaml\n  carrel application edit ap-… study.yaml",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && current {
				return nil
			}
			return a.exact(2, "an application and a file, or --current")(c, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			path := "/applications/" + url.PathEscape(args[0])
			if current {
				return a.printDraft(cmd, c, path)
			}
			d, err := a.readDraft(args[1])
			if err != nil {
				return err
			}
			var got application.Application
			if err := c.do(cmd.Context(), http.MethodPut, path+"?rev="+strconv.FormatInt(rev, 10), d, &got); err != nil {
				return err
			}
			return a.print(got, func(w io.Writer) {
				fmt.Fprintf(w, a.say("已更改申请 %s（%s）；提交：carrel application submit %s\n", "application %s (%s) is changed; submit it with: carrel application submit %s\n"), got.ID, a.ruleName(appStates, got.State), got.ID)
			})
		},
	}
	f := cmd.Flags()
	f.BoolVar(&current, "current", false, "print the draft as it is, to change it")
	f.Int64Var(&rev, "rev", 0, "the revision that you saw (\"carrel application show --json\"); another one is a conflict")
	return cmd
}

// printDraft prints an application as a file that new and edit read.
func (a *app) printDraft(cmd *cobra.Command, c *api, path string) error {
	var v application.View
	if err := c.get(cmd.Context(), path, &v); err != nil {
		return err
	}
	b, err := json.Marshal(application.Draft{Facts: v.Facts, Texts: v.Texts})
	if err != nil {
		return err
	}
	var form map[string]any // through JSON, whose names are the form's
	if err := json.Unmarshal(b, &form); err != nil {
		return err
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(form); err != nil {
		return fmt.Errorf("write the draft: %w", err)
	}
	_, err = a.out.Write(out.Bytes())
	return err
}
