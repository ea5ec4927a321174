package main

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"carrel/anonymize/dp"
	"carrel/broker/catalogue"
	"carrel/broker/record"
)

// open is a client that needs no session: the public part of the service.
func (a *app) open() (*api, error) {
	if c, err := a.api(); err == nil || a.as != "" {
		return c, err
	}
	return newAPI(orDefault(a.server, defaultServer), ""), nil
}

type listing struct {
	Datasets []catalogue.Brief `json:"datasets"`
	Hits     []catalogue.Hit   `json:"hits,omitempty"`
}

func (a *app) catalogueCommand() *cobra.Command {
	list := &cobra.Command{
		Use: "list", Short: "Datasets of the public catalogue", Example: "  carrel catalogue list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			var l listing
			if err := c.get(cmd.Context(), "/catalogue", &l); err != nil {
				return err
			}
			return a.print(l.Datasets, func(w io.Writer) {
				rows := [][]string{}
				for _, d := range l.Datasets {
					note := ""
					if d.Synthetic {
						note = a.say("合成数据", "synthetic")
					}
					rows = append(rows, []string{d.ID, d.Title.In(a.lang), d.Owner, strconv.Itoa(d.Level), strconv.Itoa(d.Tables), strconv.Itoa(d.Fields), note})
				}
				table(w, []string{a.say("数据集", "DATASET"), a.say("名称", "TITLE"), a.say("责任单位", "OWNER"), a.say("数据级别", "LEVEL"), a.say("表", "TABLES"), a.say("字段", "FIELDS"), ""}, rows)
			})
		},
	}
	show := &cobra.Command{
		Use: "show DATASET", Short: "Tables and fields of a dataset, with labels, units, bounds and their reasons",
		Example: "  carrel catalogue show jinhe --lang zh", Args: a.exact(1, "a dataset"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			var v catalogue.View
			if err := c.get(cmd.Context(), "/catalogue/"+url.PathEscape(args[0]), &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) { a.printDataset(w, v) })
		},
	}
	return a.group("catalogue", "The public catalogue of datasets; its versions, labels and exchange with other services", list, show, a.catalogueSearch(), a.catalogueCodes(),
		a.catalogueRegister(), a.versionCommand(), a.assessCommand(), a.catalogueExport(), a.catalogueImport(), a.peerCommand(), a.transferCommand())
}

func (a *app) printDataset(w io.Writer, v catalogue.View) {
	fmt.Fprintf(w, "%s  %s\n%s\n", v.ID, v.Title.In(a.lang), v.Description.In(a.lang))
	for _, c := range v.CodeSets {
		fmt.Fprintf(w, "  codes('%s')  %s: %s\n", c.Name, c.Label.In(a.lang), strings.Join(c.Members, " "))
	}
	for _, t := range v.Tables {
		note := a.say("公共表", "public table")
		if !t.Public {
			note = fmt.Sprintf(a.say("每人至多 %d 行（%s）", "at most %d rows a person (%s)"), t.MaxRowsPerPerson, t.MaxRowsReason.In(a.lang))
			if t.MaxRowsPerPerson == 1 {
				note = fmt.Sprintf(a.say("每人一行（%s）", "one row a person (%s)"), t.MaxRowsReason.In(a.lang))
			}
		}
		fmt.Fprintf(w, "\n%s  %s — %s\n", t.Name, t.Label.In(a.lang), note)
		rows := [][]string{}
		for _, f := range t.Fields {
			bounds := ""
			if f.Min != "" || f.Max != "" {
				bounds = f.Min + " … " + f.Max
			}
			if len(f.Values) > 0 {
				bounds = fmt.Sprintf(a.say("%d 个取值", "%d values"), len(f.Values))
			}
			key := ""
			if f.PublicKey {
				key = a.say("可分组", "public key")
			}
			rows = append(rows, []string{"  " + f.Name, f.Label.In(a.lang), a.fieldType(f.Type), f.Unit, bounds, a.fieldRole(string(f.Role)), strconv.Itoa(f.Level), key})
		}
		table(w, []string{"  " + a.say("字段", "FIELD"), a.say("名称", "LABEL"), a.say("类型", "TYPE"), a.say("单位", "UNIT"), a.say("范围", "RANGE"), a.say("角色", "ROLE"), a.say("级别", "LEVEL"), ""}, rows)
	}
}

func (a *app) ledgerCommand() *cobra.Command {
	show := &cobra.Command{
		Use: "show", Short: "Privacy budgets that you may see, of grants, researchers and person universes", Example: "  carrel ledger show", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var all []record.Budget
			if err := c.get(cmd.Context(), "/ledger", &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				rows := [][]string{}
				for _, b := range all {
					state := ""
					switch {
					case b.Closed:
						state = a.say("已结束", "ended")
					case b.Frozen:
						state = a.say("已冻结", "frozen")
					}
					rows = append(rows, []string{b.ID, b.Kind, fmt.Sprintf("%.4g", b.Spent), fmt.Sprintf("%.4g", b.Left), fmt.Sprintf("%.4g", b.Limit), string(b.Accounting), state})
				}
				list(w, a.say("没有您可查看的预算", "no budgets that you may see"), []string{a.say("账户", "ACCOUNT"), a.say("种类", "KIND"), a.say("已用 ε", "SPENT ε"), a.say("剩余 ε", "LEFT ε"), a.say("上限 ε", "LIMIT ε"), a.say("记账", "ACCOUNTING"), ""}, rows)
				if slices.ContainsFunc(all, func(b record.Budget) bool { return b.Accounting == dp.ZCDP }) {
					fmt.Fprintln(w, a.say("zcdp：多个问题的花费按 ρ 相加，再换算成 ε，因此已用与剩余之和大于上限", "zcdp: costs add up as ρ and are shown as ε, so spent and left come to more than the limit"))
				}
			})
		},
	}
	return a.group("ledger", "Privacy budgets", show)
}
