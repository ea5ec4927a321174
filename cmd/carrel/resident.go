package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/audit"
	"carrel/broker/audit/verify"
	"carrel/broker/conduct/matter"
	"carrel/broker/problem"
	"carrel/broker/resident"
)

func (a *app) wishCommand() *cobra.Command {
	var sort, dataset, child string
	make := &cobra.Command{
		Use: "make", Short: "Object to, or authorise, the use of your data, from the next query on", Example: "  carrel wish make\n  carrel wish make --sort authorise --dataset jinhe\n  carrel wish make --child 2019-03-01",
		Args: a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.told(cmd, "wishes", map[string]string{"sort": sort, "dataset": dataset, "born": child})
		},
	}
	make.Flags().StringVar(&sort, "sort", "object", "object or authorise")
	make.Flags().StringVar(&dataset, "dataset", "", "a dataset; empty is all of them")
	make.Flags().StringVar(&child, "child", "", "day of birth of your child who is registered under your number; empty is yourself")
	list := &cobra.Command{
		Use: "list", Short: "Your own objections and authorisations", Example: "  carrel wish list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.matters(cmd, "wishes") },
	}
	back := &cobra.Command{
		Use: "withdraw NUMBER", Short: "Take an objection or an authorisation back", Example: "  carrel wish withdraw wi-…", Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.told(cmd, "wishes/"+url.PathEscape(args[0])+"/withdraw", nil)
		},
	}
	return a.group("wish", "A resident's objections and authorisations", make, list, back, a.wishProve(), a.wishRelease(), a.wishCheck())
}

// wishProve reads the number from the input: an argument would stand in the list of processes and in the shell's history.
func (a *app) wishProve() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "prove ACCOUNT", Short: "Link a resident's account to the document that you were shown; its number is read from the input and not kept",
		Example: "  carrel wish prove fang < number.txt\n  carrel wish prove fang --document-file number.txt", Args: a.exact(1, "an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			in := a.in
			if file != "" {
				f, err := os.Open(file)
				if err != nil {
					return err
				}
				defer func() { _ = f.Close() }() // only read
				in = f
			}
			line, err := bufio.NewReader(io.LimitReader(in, 1<<10)).ReadString('\n')
			if err != nil && !errors.Is(err, io.EOF) {
				return fmt.Errorf("read the number: %w", err)
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var m matter.Matter
			if err := c.post(cmd.Context(), "/conduct/proofs", map[string]string{"account": args[0], "document": strings.TrimSpace(line)}, &m); err != nil {
				return err
			}
			return a.print(m, func(w io.Writer) { a.printMatter(w, m) })
		},
	}
	cmd.Flags().StringVar(&file, "document-file", "", "file with the document's number (default: the first line of the input)")
	return cmd
}

func (a *app) wishCheck() *cobra.Command {
	var export, key string
	cmd := &cobra.Command{
		Use: "check", Short: "Show that every use of data after a wish was made with it",
		Long: `Replay the versions of residents' lists from the log, and compare every charge, every answer from record and every package with the
list in force at its place. With --export and --key it needs no service: the copy is verified first.`,
		Example: "  carrel wish check\n  carrel wish check --export log.ndjson --key \"$KEY\"", Args: a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var found resident.Audit
			if export == "" {
				c, err := a.api()
				if err != nil {
					return err
				}
				if err := c.get(cmd.Context(), "/conduct/lists", &found); err != nil {
					return err
				}
			} else {
				r, err := verify.Verify(cmd.Context(), verify.Options{Export: export, Key: key})
				if err != nil || !r.Verified {
					return problem.Wrap(err, problem.Unverified, "日志未通过验证；请先用 `carrel audit verify` 查明。", "The log does not verify; look into it with `carrel audit verify` first.")
				}
				if found.Checked, err = replayed(export); err != nil {
					return err
				}
			}
			if err := a.print(found, func(w io.Writer) { a.printLists(w, found) }); err != nil {
				return err
			}
			if len(found.Faults) > 0 {
				return problem.New(problem.Unverified, "有使用未遵照居民意愿；请报告监督机构。", "A use was not made with the wishes in force; tell the supervisor.")
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&export, "export", "", "check a file of \"carrel audit export\" instead of asking the service")
	cmd.Flags().StringVar(&key, "key", "", "the log's public key, for --export")
	return cmd
}

// replayed reads an export that was verified.
func replayed(export string) (resident.Checked, error) {
	f, err := os.Open(export)
	if err != nil {
		return resident.Checked{}, err
	}
	defer func() { _ = f.Close() }() // only read
	c := resident.NewChecker()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for i := int64(0); lines.Scan(); i++ {
		var last struct {
			Checkpoint string `json:"checkpoint"`
		}
		if json.Unmarshal(lines.Bytes(), &last) == nil && last.Checkpoint != "" {
			break
		}
		e, err := audit.ParseLeaf(lines.Bytes())
		if err != nil {
			return resident.Checked{}, err
		}
		if err := c.Entry(i, &e); err != nil {
			return resident.Checked{}, err
		}
	}
	return c.Result(), lines.Err()
}

func (a *app) printLists(w io.Writer, x resident.Audit) {
	mark := "✓"
	if len(x.Faults) > 0 {
		mark = "✗"
	}
	fmt.Fprintf(w, a.say("%s %d 次使用，%d 项意愿，%d 处不符\n", "%s %d uses, %d wishes, %d faults\n"), mark, x.Uses, x.Wishes, len(x.Faults))
	for _, f := range x.Faults {
		fmt.Fprintf(w, a.say("  第 %d 条 %s：用 %s，应为 %s\n", "  entry %d %s: with %s, in force was %s\n"), f.Index, f.Kind, f.Had, f.Want)
	}
	var rows [][]string
	for _, e := range x.Extracts {
		since := "-"
		if !e.Since.IsZero() {
			since = dayOf(e.Since)
		}
		rows = append(rows, []string{e.Dataset, e.Extract, e.Built, e.Now, since, a.yes(e.Retired)})
	}
	if len(rows) > 0 {
		table(w, []string{a.say("数据集", "DATASET"), a.say("提取集", "EXTRACT"), a.say("生成时名单", "BUILT WITH"), a.say("现行名单", "IN FORCE"), a.say("待更换自", "TO REPLACE SINCE"), a.say("停用", "RETIRED")}, rows)
	}
}

func (a *app) yes(b bool) string {
	if b {
		return a.say("是", "yes")
	}
	return a.say("否", "no")
}

func (a *app) meCommand() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "me", Short: "Which datasets, projects and handovers held your data, and since when you are out", Example: "  carrel me\n  carrel me --out my-record.json",
		Args: a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var raw []byte
			if err := c.get(cmd.Context(), "/me", &raw); err != nil {
				return err
			}
			if out != "" {
				return os.WriteFile(out, raw, 0o600)
			}
			var r resident.Record
			if err := json.Unmarshal(raw, &r); err != nil {
				return fmt.Errorf("read the record: %w", err)
			}
			return a.print(r, func(w io.Writer) { a.printRecord(w, r) })
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the record, with its proofs, to a file")
	return cmd
}

// childLine says what became of a guardian's wish for a child in one dataset.
func (a *app) childLine(c resident.Child) string {
	line := fmt.Sprintf(a.say("代 %s 出生的孩子（%s，自名单 %s）：", "for the child born on %s (%s, since list %s): "), c.Born, c.Dataset, c.Since)
	switch {
	case c.Waits:
		return line + a.say("名册没有监护人索引，重新生成提取集之前该数据集不被使用", "the register has no index of guardians, and nothing of the dataset is used until it is built again")
	case c.Fit == 0:
		return line + a.say("您的号码和这一生日名下没有人", "nobody stands under your number with this birthday")
	case c.Fit == 1:
		return line + a.say("已落实到一人", "in force for one person")
	case c.Sort == "authorise":
		return line + fmt.Sprintf(a.say("有 %d 人分不清，均未计入", "%d persons cannot be told apart, so none is in"), c.Fit)
	}
	return line + fmt.Sprintf(a.say("有 %d 人分不清，均已排除", "%d persons cannot be told apart, so all are out"), c.Fit)
}

func (a *app) printRecord(w io.Writer, r resident.Record) {
	if !r.Proved {
		fmt.Fprintln(w, a.say("尚未核验身份：请携证件到数据提供单位办理。", "Nobody has proved whose account this is yet: show your document at a providing institution."))
		return
	}
	var rows [][]string
	for _, c := range r.Datasets {
		since := "-"
		if c.Out {
			since = c.Since + " (" + a.say("日志第 ", "log entry ") + strconv.FormatInt(c.Entry, 10) + a.say(" 条", "") + ")"
		}
		authorised := a.yes(c.Authorised)
		if c.Out && c.Authorised {
			authorised += a.say("（以反对为准）", " (the objection counts)")
		}
		rows = append(rows, []string{c.Dataset, a.yes(c.Held), a.yes(c.Out), since, authorised})
	}
	list(w, a.say("没有数据集", "no datasets"), []string{a.say("数据集", "DATASET"), a.say("登记在册", "REGISTERED"), a.say("已排除", "OUT"), a.say("自名单", "SINCE LIST"), a.say("已授权", "AUTHORISED")}, rows)
	for _, c := range r.Children {
		fmt.Fprintln(w, a.childLine(c))
	}
	rows = nil
	for _, p := range r.Projects {
		rows = append(rows, []string{p.Application, p.Institution, p.Purpose, p.Dataset, strconv.Itoa(p.Answers), strconv.Itoa(p.Without)})
	}
	list(w, a.say("没有项目使用过", "no project has used them"), []string{a.say("项目", "PROJECT"), a.say("单位", "INSTITUTION"), a.say("用途", "PURPOSE"), a.say("数据集", "DATASET"), a.say("含您的回答", "ANSWERS WITH YOU"), a.say("排除后的回答", "WITHOUT YOU")}, rows)
	rows = nil
	for _, p := range r.Packages {
		pulled := "-"
		if !p.Pulled.IsZero() {
			pulled = minute(p.Pulled)
		}
		rows = append(rows, []string{p.Handover, p.Receiver, p.Dataset, pulled})
	}
	list(w, a.say("没有移交包含您的数据", "no handover holds your data"), []string{a.say("移交", "HANDOVER"), a.say("接收单位", "RECEIVER"), a.say("数据集", "DATASET"), a.say("领取", "FETCHED")}, rows)
	for _, c := range r.Incidents {
		fmt.Fprintln(w, a.say(c.Text.ZH, c.Text.EN))
	}
	for _, n := range r.Notices {
		fmt.Fprintf(w, a.say("已通知 %s：移交 %s 须销毁并重新申请\n", "%s was told: handover %s is to be destroyed and requested again\n"), n.Receiver, n.Handover)
	}
}
