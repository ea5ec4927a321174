package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"carrel/broker/catalogue"
	"carrel/broker/catalogue/register"
)

// versionCommand is who reads and signs versions.
func (a *app) versionCommand() *cobra.Command {
	list := &cobra.Command{
		Use: "list DATASET", Short: "Versions of a dataset with date, state, signatures and label", Example: "  carrel catalogue version list jinhe", Args: a.exact(1, "a dataset"),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := a.versions(cmd, args[0])
			if err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) { a.printVersions(w, all) })
		},
	}
	return a.group("version", "Versions of a dataset: read their reports, check and approve them", list, a.versionReport(), a.versionPropose(),
		a.signing("check", "Sign the version that waits, as checker"), a.signing("approve", "Sign the version that was checked, as approver"),
		a.signing("confirm", "Confirm the de-identification grade of the current version, for the authority: until then it is provisional"))
}

func (a *app) versions(cmd *cobra.Command, dataset string) ([]register.Version, error) {
	c, err := a.api()
	if err != nil {
		return nil, err
	}
	var all []register.Version
	return all, c.get(cmd.Context(), "/catalogue/"+url.PathEscape(dataset)+"/versions", &all)
}

func (a *app) printVersions(w io.Writer, all []register.Version) {
	rows := [][]string{}
	for _, v := range all {
		rows = append(rows, []string{strconv.FormatInt(v.Version, 10), string(v.Date), a.ruleName("holdings/states", v.State), v.Kind, v.Checked.By, v.Approved.By, v.Label.Text.In(a.language()), v.Digest})
	}
	list(w, a.say("尚无版本", "no versions yet"), []string{a.say("版本", "VERSION"), a.say("日期", "DATE"), a.say("状态", "STATE"), a.say("种类", "KIND"), a.say("复核", "CHECKED"), a.say("终审", "APPROVED"), a.say("标识", "LABEL"), a.say("摘要", "DIGEST")}, rows)
}

func (a *app) versionReport() *cobra.Command {
	return &cobra.Command{
		Use: "report DATASET", Short: "Quality and risk report of the newest version: pass rates of coded columns, de-identification grade with its reasons", Example: "  carrel catalogue version report jinhe", Args: a.exact(1, "a dataset"),
		RunE: func(cmd *cobra.Command, args []string) error {
			all, err := a.versions(cmd, args[0])
			if err != nil {
				return err
			}
			if len(all) == 0 {
				return a.print(nil, func(w io.Writer) { fmt.Fprintln(w, a.say("尚无版本", "no versions yet")) })
			}
			v := all[0]
			return a.print(v, func(w io.Writer) {
				rows := [][]string{}
				for _, c := range v.Quality.Codes {
					rows = append(rows, []string{c.Column, c.System, strconv.FormatInt(c.Checked, 10), strconv.FormatInt(c.Passed, 10), fmt.Sprintf("%.4f", c.Rate)})
				}
				table(w, []string{a.say("字段", "COLUMN"), a.say("代码系统", "CODES"), a.say("检查", "CHECKED"), a.say("合格", "PASSED"), a.say("合格率", "RATE")}, rows)
				fmt.Fprintf(w, a.say("风险: 级别 %d，准标识符 %d 个，敏感字段 %d 个，dp_scope %s\n", "risk: level %d, %d quasi-identifiers, %d sensitive fields, dp_scope %s\n"), v.Risk.Level, len(v.Risk.Quasi), len(v.Risk.Sensitive), v.Risk.DPScope)
				a.printGrade(w, v)
				fmt.Fprintln(w, a.say("签署时用: ", "sign with --digest ")+v.Digest)
			})
		},
	}
}

// signing is one of the two signatures under a version.
func (a *app) signing(step, short string) *cobra.Command {
	var digest string
	cmd := &cobra.Command{
		Use: step + " DATASET --digest DIGEST", Short: short, Example: "  carrel catalogue version " + step + " jinhe --digest sha256:…", Args: a.exact(1, "a dataset"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v register.Version
			if err := c.post(cmd.Context(), "/catalogue/"+url.PathEscape(args[0])+"/versions/"+step, map[string]string{"digest": digest}, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) {
				a.printVersions(w, []register.Version{v})
				a.printGrade(w, v)
				if next := map[string]string{"check": "approve", "approve": "confirm"}[step]; next != "" {
					fmt.Fprintf(w, a.say("下一步：carrel catalogue version %s %s --digest %s\n", "next: carrel catalogue version %s %s --digest %s\n"), next, args[0], v.Digest)
				}
			})
		},
	}
	cmd.Flags().StringVar(&digest, "digest", "", "digest of the version that you read (see report)")
	return cmd
}

func (a *app) assessCommand() *cobra.Command {
	var in register.AssessmentInput
	cmd := &cobra.Command{
		Use: "assess DATASET --kind KIND --evidence HASH --until DATE", Short: "Sign that answers, packages or the extract of the current version are anonymous",
		Example: "  carrel catalogue assess jinhe --kind answer --evidence sha256:… --until 2027-12-31", Args: a.exact(1, "a dataset"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var x catalogue.Assessment
			if err := c.post(cmd.Context(), "/catalogue/"+url.PathEscape(args[0])+"/assessments", in, &x); err != nil {
				return err
			}
			return a.print(x, func(w io.Writer) { fmt.Fprintln(w, x.ID) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.Kind, "kind", "", "extract, package or answer")
	f.StringVar(&in.Evidence, "evidence", "", "sha256:… of the assessment")
	f.StringVar((*string)(&in.Until), "until", "", "last day that it holds")
	return cmd
}

// paper reads something signed from a file.
func paper(file string, into any) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s is not a file that carrel wrote", file)
	}
	return nil
}

// signed sends something and prints the signed paper that comes back, to be kept in a file.
func (a *app) signed(cmd *cobra.Command, path string, in, out any) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	if in == nil {
		err = c.get(cmd.Context(), path, out)
	} else {
		err = c.post(cmd.Context(), path, in, out)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(a.out).Encode(out)
}

func (a *app) catalogueExport() *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "The public catalogue as a signed list in item codes, for another service", Example: "  carrel catalogue export > list.json", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.signed(cmd, "/exchange/catalogue", nil, &register.Signed{})
		},
	}
}

func (a *app) catalogueImport() *cobra.Command {
	return &cobra.Command{
		Use: "import FILE", Short: "Take the signed list of another service", Example: "  carrel catalogue import list.json", Args: a.exact(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p register.Signed
			if err := paper(args[0], &p); err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var n register.Count
			if err := c.post(cmd.Context(), "/exchange/catalogue", p, &n); err != nil {
				return err
			}
			return a.print(n, func(w io.Writer) {
				fmt.Fprintf(w, a.say("已接收 %d 个数据集，%d 个字段，其中 %d 个对应目录数据元\n", "took %d datasets, %d fields, %d of them under an item of the catalogue\n"), n.Datasets, n.Fields, n.Items)
			})
		},
	}
}

func (a *app) peerCommand() *cobra.Command {
	return &cobra.Command{
		Use: "peer NAME KEYS", Short: "Put another service's keys on record, as its people gave them to you", Example: "  carrel catalogue peer carrel.example/other keys.json", Args: a.exact(2, "a name and a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := register.Peer{Name: args[0]}
			if err := paper(args[1], &p.Keys); err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			return c.post(cmd.Context(), "/exchange/peers", p, nil)
		},
	}
}

// transferCommand moves all that a unit holds to another unit's service.
func (a *app) transferCommand() *cobra.Command {
	var in register.CapacityInput
	prepare := &cobra.Command{
		Use: "prepare", Short: "As the unit that takes: sign what you have to keep the holdings with", Args: a.exact(0, "no arguments; see --help"),
		Example: `  carrel catalogue transfer prepare --from jinhe-health-commission --source carrel.example/jinhe --equipment "Two servers." --staff 2 --mlps 3 --evidence sha256:… > capacity.json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.signed(cmd, "/exchange/transfers/prepare", in, &register.Signed{})
		},
	}
	f := prepare.Flags()
	f.StringVar(&in.From, "from", "", "the unit that gives")
	f.StringVar(&in.Source, "source", "", "the name of its service")
	f.StringVar(&in.Equipment, "equipment", "", "the equipment that matches")
	f.IntVar(&in.Staff, "staff", 0, "how many named persons have the skill")
	f.IntVar(&in.MLPS, "mlps", 0, "level of classified protection of the system")
	f.StringVar(&in.Evidence, "evidence", "", "sha256:… of its certificate")
	var capacity, reason string
	offer := &cobra.Command{
		Use: "offer --capacity FILE --reason TEXT", Short: "As the unit that gives: list, seal and sign all that you hold; its use here ends", Args: a.exact(0, "no arguments; see --help"),
		Long: `List all that your unit holds (datasets, extracts, grants, budgets with every charge, duties), seal the extracts to the receiver under transfers/ of the data
directory, and sign the list. From then on nothing of it is used here, and there is no way back: nobody could know whether the receiver began to spend.`,
		Example: `  carrel catalogue transfer offer --capacity capacity.json --reason "The commission is merged." > bundle.json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			body := map[string]any{"reason": reason}
			var p register.Signed
			if err := paper(capacity, &p); err != nil {
				return err
			}
			body["capacity"] = p
			return a.signed(cmd, "/exchange/transfers/offer", body, &register.Bundle{})
		},
	}
	offer.Flags().StringVar(&capacity, "capacity", "", "file with the receiver's signed statement")
	offer.Flags().StringVar(&reason, "reason", "", "why the unit changes")
	receive := &cobra.Command{
		Use: "receive FILE", Short: "As the unit that takes: take everything on the list, or nothing, and sign it", Example: "  carrel catalogue transfer receive bundle.json > receipt.json", Args: a.exact(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var b register.Bundle
			if err := paper(args[0], &b); err != nil {
				return err
			}
			return a.signed(cmd, "/exchange/transfers/receive", b, &register.Signed{})
		},
	}
	complete := &cobra.Command{
		Use: "complete FILE", Short: "As the unit that gives: close the transfer with the receiver's signature", Example: "  carrel catalogue transfer complete receipt.json", Args: a.exact(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p register.Signed
			if err := paper(args[0], &p); err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			return c.post(cmd.Context(), "/exchange/transfers/complete", p, nil)
		},
	}
	return a.group("transfer", "Move all that a unit holds to another unit's service, by a list that both sign", prepare, offer, receive, complete)
}

func (a *app) catalogueSearch() *cobra.Command {
	var region, item string
	var level int
	cmd := &cobra.Command{
		Use: "search [WORDS]", Short: "Datasets and fields by words in Chinese or English, region, level and item", Example: "  carrel catalogue search 性别 --level 2\n  carrel catalogue search --item DE02.01.040.00", Args: a.upTo(1, "words"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			q := url.Values{"region": {region}, "item": {item}, "level": {strconv.Itoa(level)}}
			if len(args) > 0 {
				q.Set("q", args[0])
			}
			var l listing
			if err := c.get(cmd.Context(), "/catalogue?"+q.Encode(), &l); err != nil {
				return err
			}
			return a.print(l.Hits, func(w io.Writer) {
				rows := [][]string{}
				for _, h := range l.Hits {
					rows = append(rows, []string{h.Dataset, h.Table, h.Field, h.Label.In(a.language()), strconv.Itoa(h.Level), h.Item})
				}
				list(w, a.say("没有找到", "nothing found"), []string{a.say("数据集", "DATASET"), a.say("表", "TABLE"), a.say("字段", "FIELD"), a.say("名称", "LABEL"), a.say("级别", "LEVEL"), a.say("数据元", "ITEM")}, rows)
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&region, "region", "", "GB/T 2260, or how it begins")
	f.StringVar(&item, "item", "", "how the item begins: STANDARD / CODE, or the code")
	f.IntVar(&level, "level", 0, "at most this data level")
	return cmd
}
