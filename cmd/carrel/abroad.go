package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"carrel/broker/abroad"
)

// abroadTemplate is what `abroad file --template` prints.
const abroadTemplate = `# A file to send data abroad, made by the unit responsible for them. Send it with: carrel abroad file FILE
facts:
  applicant: ""                # institution for whose application it is
  recipient: ""                # institution abroad that receives
  country: ""                  # of the recipient
  purpose: research            # research | quality-control
  wishes:
    - {dataset: jinhe, columns: [cv_event.*]}
  rows: 0                      # of all packages together, as assessed
  until: "2027-12-31"
  assessment: report.pdf       # the assessment: a file, which is taken in, or the sha256:… of one that you took in
  way:                         # the condition of the law under which they go
    kind: standard-contract    # security-assessment | certification | standard-contract
    document: contract.pdf     # the notice of the result, the certificate, or the contract as it was filed: a file or its sha256:…
    number: ""                 # of that document; of a contract, of its filing
    until: "2027-12-31"        # last day on which it holds, no earlier than that of the file
reason: ""
`

func (a *app) abroadCommand() *cobra.Command {
	var office, number, document string
	clear := a.abroadStep("clear", "Clear a file for one office, under its document number", func(cmd *cobra.Command) (any, error) {
		err := a.takeIn(cmd, &document)
		return map[string]string{"office": office, "number": number, "document": document}, err
	})
	clear.Example = "  carrel abroad clear cb-… --office health-authority --number 'No. 12' --document clearance.pdf"
	clear.Flags().StringVar(&office, "office", "", "health-authority or security-department")
	clear.Flags().StringVar(&number, "number", "", "number of the office's document")
	clear.Flags().StringVar(&document, "document", "", "the document: a file, which is taken in, or the sha256:… of one that you took in")
	var reason string
	refuse := a.abroadStep("refuse", "Refuse a file, or take a clearance back", func(*cobra.Command) (any, error) { return map[string]string{"reason": reason}, nil })
	refuse.Example = "  carrel abroad refuse cb-… --reason 'The recipient is not named.'"
	refuse.Flags().StringVar(&reason, "reason", "", "why")
	return a.group("abroad", "Sending data abroad: filed by the responsible unit, cleared by two offices",
		a.abroadFile(), a.abroadList(), a.abroadShow(), clear, refuse, a.abroadStep("withdraw", "Take a file back", func(*cobra.Command) (any, error) { return nil, nil }),
		a.attachments(a.ofAbroad(), "The assessment and the clearances of a file"), a.fetch(a.ofAbroad()))
}

func (a *app) abroadFile() *cobra.Command {
	var tmpl bool
	cmd := &cobra.Command{
		Use: "file FILE", Short: "File data of one's own institution to go abroad", Args: a.upTo(1, "a file"),
		Example: "  carrel abroad file --template > abroad.yaml\n  carrel abroad file abroad.yaml",
		RunE: func(cmd *cobra.Command, args []string) error {
			if tmpl {
				_, err := io.WriteString(a.out, abroadTemplate)
				return err
			}
			if len(args) != 1 {
				return a.usage("请给出出境申请文件，或用 --template 打印样本", "name the file, or print one with --template")
			}
			raw, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			var body map[string]any
			if err := yaml.Unmarshal(raw, &body); err != nil {
				return a.usage("%s 既不是 YAML 也不是 JSON：%v", "%s is neither YAML nor JSON: %v", args[0], err)
			}
			if facts, ok := body["facts"].(map[string]any); ok {
				if err := a.takeInOf(cmd, facts, "assessment"); err != nil {
					return err
				}
				if way, ok := facts["way"].(map[string]any); ok {
					if err := a.takeInOf(cmd, way, "document"); err != nil {
						return err
					}
				}
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var f abroad.File
			if err := c.post(cmd.Context(), "/abroad", body, &f); err != nil {
				return err
			}
			return a.printAbroad(f)
		},
	}
	cmd.Flags().BoolVar(&tmpl, "template", false, "print a file to fill in")
	return cmd
}

// takeInOf takes in the file that a member of a document names, and puts its hash there.
func (a *app) takeInOf(cmd *cobra.Command, of map[string]any, member string) error {
	named, ok := of[member].(string)
	if !ok {
		return nil
	}
	if err := a.takeIn(cmd, &named); err != nil {
		return err
	}
	of[member] = named
	return nil
}

func (a *app) abroadStep(name, short string, fill func(cmd *cobra.Command) (any, error)) *cobra.Command {
	return &cobra.Command{
		Use: name + " FILE", Short: short, Example: "  carrel abroad " + name + " cb-…", Args: a.exact(1, "a cross-border file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := fill(cmd)
			if err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var f abroad.File
			if err := c.post(cmd.Context(), "/abroad/"+url.PathEscape(args[0])+"/"+name, body, &f); err != nil {
				return err
			}
			return a.printAbroad(f)
		},
	}
}

func (a *app) printAbroad(f abroad.File) error {
	return a.print(f, func(w io.Writer) {
		fmt.Fprintf(w, "%s  %s  %s → %s (%s)  %s %s  %s %d  %s %s\n", f.ID, a.ruleName("workflow/cross-border/states", f.State), f.Facts.Owner, f.Facts.Recipient, f.Facts.Country, a.say("申请单位", "for"), f.Facts.Applicant, a.say("行数上限", "rows"), f.Facts.Rows, a.say("至", "until"), f.Facts.Until)
		if way := f.Facts.Way; way.Kind != "" {
			fmt.Fprintf(w, "  %s  %s  %s %s  %s\n", a.ruleName("workflow/cross-border/ways", way.Kind), way.Number, a.say("至", "until"), way.Until, way.Document)
		}
		for _, c := range f.Clearances {
			fmt.Fprintf(w, "  %s  %s  %s\n", c.Office, c.Number, c.Document)
		}
	})
}

func (a *app) abroadList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Cross-border files that you may see", Example: "  carrel abroad list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var all []abroad.File
			if err := c.get(cmd.Context(), "/abroad", &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				rows := [][]string{}
				for _, f := range all {
					rows = append(rows, []string{f.ID, a.ruleName("workflow/cross-border/states", f.State), f.Facts.Owner, f.Facts.Recipient, string(f.Facts.Until)})
				}
				list(w, a.say("没有出境申请", "no files"), []string{a.say("编号", "FILE"), a.say("状态", "STATE"), a.say("责任单位", "OWNER"), a.say("接收方", "RECIPIENT"), a.say("至", "UNTIL")}, rows)
			})
		},
	}
}

func (a *app) abroadShow() *cobra.Command {
	return &cobra.Command{
		Use: "show FILE", Short: "One cross-border file", Example: "  carrel abroad show cb-…", Args: a.exact(1, "a cross-border file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var raw json.RawMessage
			if err := c.get(cmd.Context(), "/abroad/"+url.PathEscape(args[0]), &raw); err != nil {
				return err
			}
			var v abroad.View
			if err := json.Unmarshal(raw, &v); err != nil {
				return fmt.Errorf("the service answered something else: %w", err)
			}
			return a.printAbroad(v.File)
		},
	}
}
