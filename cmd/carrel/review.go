package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"carrel/broker/application"
)

func (a *app) applicationReview() *cobra.Command {
	var in application.ReviewInput
	var file string
	var found []string
	cmd := &cobra.Command{
		Use: "review APPLICATION --kind KIND --verdict approve|reject|abstain --sheet FILE|--found QUESTION=CHOICE --findings TEXT", Short: "Put a review on record",
		Example: `  carrel application sheet ethics > ethics.yaml
  carrel application review ap-… --kind ethics --verdict approve --sheet ethics.yaml --findings "No objection."`, Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.oneOf("verdict", in.Verdict, "approve", "reject", "abstain"); err != nil {
				return err
			}
			if err := a.opinion(cmd, &in, file, found); err != nil {
				return err
			}
			return a.step(cmd, args[0], "review", in)
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

// filledSheet is an opinion sheet as a file.
type filledSheet struct {
	Kind    string            `json:"kind" yaml:"kind"`
	Version string            `json:"version" yaml:"version"`
	Answers map[string]string `json:"answers" yaml:"answers"`
}

// opinion takes the sheet from a file, or the current one with findings from flags.
func (a *app) opinion(cmd *cobra.Command, in *application.ReviewInput, file string, found []string) error {
	s := filledSheet{Answers: map[string]string{}}
	switch {
	case file != "":
		raw, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := yaml.Unmarshal(raw, &s); err != nil {
			return a.usage("%s 不是意见表；请用 carrel application sheet 打印", "%s is no opinion sheet; print one with: carrel application sheet", file)
		}
		if in.Kind == "" {
			in.Kind = s.Kind
		}
		maps.DeleteFunc(s.Answers, func(_, choice string) bool { return choice == "" }) // left as it was printed: policy says which it wants
	case len(found) > 0:
		c, err := a.api()
		if err != nil {
			return err
		}
		var sheet application.Sheet
		if err := c.get(cmd.Context(), "/reviews/"+url.PathEscape(in.Kind)+"/sheet", &sheet); err != nil {
			return err
		}
		s.Version = sheet.Version
	}
	for _, f := range found {
		q, choice, ok := strings.Cut(f, "=")
		if !ok || q == "" {
			return a.usage("--found 应写成 问题=选项", "write --found as QUESTION=CHOICE")
		}
		s.Answers[q] = choice
	}
	in.Sheet, in.Answers = s.Version, s.Answers
	return nil
}

func (a *app) applicationSheet() *cobra.Command {
	return &cobra.Command{
		Use: "sheet KIND", Short: "The opinion sheet of a kind of review, to fill in", Example: "  carrel application sheet ethics > ethics.yaml", Args: a.exact(1, "a kind of review"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var sheet application.Sheet
			if err := c.get(cmd.Context(), "/reviews/"+url.PathEscape(args[0])+"/sheet", &sheet); err != nil {
				return err
			}
			return a.print(sheet, func(w io.Writer) { a.printSheet(w, sheet) })
		},
	}
}

// printSheet prints a sheet as the YAML that `review --sheet` reads: choices stand in the comments, nothing is answered.
func (a *app) printSheet(w io.Writer, s application.Sheet) {
	fmt.Fprintf(w, "# %s\nkind: %s\nversion: %q\nanswers:\n", a.say(s.Title.ZH, s.Title.EN), s.Kind, s.Version)
	for _, q := range s.Questions {
		must := ""
		if !q.Mandatory {
			must = a.say("（可不填）", " (may be left out)")
		}
		fmt.Fprintf(w, "  # %s%s\n", a.say(q.Text.ZH, q.Text.EN), must)
		for _, c := range q.Choices {
			fmt.Fprintf(w, "  #   %s: %s\n", c.Value, a.say(c.Text.ZH, c.Text.EN))
		}
		fmt.Fprintf(w, "  %s: \"\"\n", q.ID)
	}
}

// applicationSay is a step that brings a text along.
func (a *app) applicationSay(name, short string) *cobra.Command {
	var text string
	cmd := &cobra.Command{
		Use: name + " APPLICATION --text TEXT", Short: short, Example: "  carrel application " + name + ` ap-… --text "…"`, Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.step(cmd, args[0], name, json.RawMessage(mustText(text)))
		},
	}
	cmd.Flags().StringVar(&text, "text", "", "in words")
	return cmd
}

// mustText is the body of a step with a text; a string always encodes.
func mustText(text string) []byte {
	b, _ := json.Marshal(map[string]string{"text": text})
	return b
}
