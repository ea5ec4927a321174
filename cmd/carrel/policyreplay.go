package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"carrel/policy"
	"carrel/policy/opa"
)

func (a *app) policyReplay() *cobra.Command {
	var in struct{ key, decisions, from, to string }
	cmd := &cobra.Command{
		Use: "replay BUNDLE|NUMBER", Short: "Ask recorded decisions again of a new bundle and show what would differ",
		Long: `Ask the decisions that a service recorded (the folder "decisions" of its data directory, or one of its files) again, of a signed
bundle that is not active, and show what would differ, by rule and by role of who asked. Nothing is activated. With the number of rules
that were proposed to the service (carrel policy propose), the service does it over its own record.`,
		Example: `  carrel policy replay ru-…
  carrel policy replay rules.tar.gz --key rules.pub.pem --decisions demo/data/decisions --from 2026-11-01`,
		Args: a.exact(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if isRuleset(args[0]) {
				return a.ruleset(cmd, "/"+args[0]+"/replay", struct{}{})
			}
			if in.key == "" || in.decisions == "" {
				return a.usage("请用 --key 给出公钥文件，用 --decisions 给出决定记录的目录", "give the file of the public key with --key and the folder of recorded decisions with --decisions")
			}
			for _, d := range []string{in.from, in.to} {
				if _, err := time.Parse(time.DateOnly, d); d != "" && err != nil {
					return a.usage("--from 和 --to 应为 2026-11-21 形式的日期", "--from and --to are dates such as 2026-11-21")
				}
			}
			b, err := a.readBundle(cmd, args[0], in.key)
			if err != nil {
				return err
			}
			rules, err := b.Decider()
			if err != nil {
				return err
			}
			lines, closeAll, err := decisionFiles(in.decisions)
			if err != nil {
				return err
			}
			defer closeAll()
			report, err := rules.Replay(cmd.Context(), lines, func(at policy.Moment) bool {
				day := string(at)[:len(time.DateOnly)] // a moment that was read is whole
				return day >= in.from && (in.to == "" || day <= in.to)
			})
			if err != nil {
				return err
			}
			return a.print(report, func(w io.Writer) { a.showReplay(w, report) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.key, "key", "", "public key of who signs bundles")
	f.StringVar(&in.decisions, "decisions", "", "folder or file of recorded decisions")
	f.StringVar(&in.from, "from", "", "first day, e.g. 2026-11-01")
	f.StringVar(&in.to, "to", "", "last day")
	return cmd
}

// decisionFiles reads one file, or those of a folder one after another.
func decisionFiles(path string) (io.Reader, func(), error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	names := []string{path}
	if info.IsDir() {
		if names, err = filepath.Glob(filepath.Join(path, "*.ndjson")); err != nil {
			return nil, nil, err
		}
		slices.Sort(names)
	}
	var files []*os.File
	var readers []io.Reader
	closeAll := func() {
		for _, f := range files {
			_ = f.Close()
		}
	}
	for _, n := range names {
		f, err := os.Open(n)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		files, readers = append(files, f), append(readers, f)
	}
	return io.MultiReader(readers...), closeAll, nil
}

func (a *app) showReplay(w io.Writer, r opa.ReplayReport) {
	if len(r.By) > 0 {
		rows := make([][]string, len(r.By))
		for i, d := range r.By {
			rows[i] = []string{d.Document, d.Rule, d.Role, fmt.Sprint(d.Denied), fmt.Sprint(d.Allowed)}
		}
		table(w, []string{a.say("判定", "DECISION"), a.say("规则", "RULE"), a.say("岗位", "ROLE"), a.say("改为拒绝", "NOW DENIED"), a.say("改为允许", "NOW ALLOWED")}, rows)
	}
	fmt.Fprintf(w, a.say("重判 %d 项：相同 %d，改为拒绝 %d，改为允许 %d，理由不同 %d，无答复 %d，记录被改动 %d\n",
		"%d decisions: %d the same, %d now denied, %d now allowed, %d on other rules, %d without answer, %d lines altered\n"),
		r.Decisions, r.Same, r.Denied, r.Allowed, r.Reasons, r.Failed, r.Altered)
}
