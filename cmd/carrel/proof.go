package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/broker/audit/verify"
	"carrel/broker/problem"
	"carrel/broker/record"
)

func (a *app) auditCommand() *cobra.Command {
	return a.group("audit", "The transparency log: verify a copy, prove an entry, trace who saw what",
		a.auditVerify(), a.auditProve(), a.auditTrace(), a.auditExport(), a.auditCheckpoint())
}

func (a *app) auditVerify() *cobra.Command {
	var key, export, proof string
	var seen []string
	cmd := &cobra.Command{
		Use: "verify [COPY]", Short: "Check a copy of the log offline, with code that shares nothing with its writer",
		Long: `Check a copy of a data directory (or an export, or one proof) offline. Every entry that was changed, cut or
reordered is found; with signed heads seen earlier (--checkpoint, a file or a directory of them, or the outside
directory of the service) an older database that was put back is found too. The key is the log's public key, as
"carrel audit checkpoint" shows it. Exit status 6 when anything is wrong.`,
		Example: "  carrel audit verify copy-of-data --key \"$KEY\" --checkpoint data-checkpoints\n  carrel audit verify --export log.ndjson --key \"$KEY\"\n  carrel audit verify --proof proof.json --key \"$KEY\"",
		Args:    a.upTo(1, "a copy of the log"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := verify.Options{Export: export, Key: key}
			if len(args) == 1 {
				o.DB = args[0]
			}
			if key == "" {
				return a.usage("请用 --key 给出日志公钥（此前用 `carrel audit checkpoint` 记下的）", "give the log's public key with --key (from `carrel audit checkpoint`, noted down earlier)")
			}
			if proof != "" {
				return a.verifyProof(proof, key)
			}
			for _, name := range seen {
				notes, err := verify.LoadCheckpoints(name)
				if err != nil {
					return fmt.Errorf("read the checkpoints seen earlier: %w", err)
				}
				o.Checkpoints = append(o.Checkpoints, notes...)
			}
			r, err := verify.Verify(cmd.Context(), o)
			var missing *fs.PathError
			switch {
			case errors.As(err, &missing):
				return err
			case err != nil: // the checker could not begin: a key or a file that is none
				return a.usage("检验无法开始，请核对 --key 和所给文件（%[1]s）", "%[1]s", ours.ReplaceAllString(err.Error(), ""))
			}
			if err := a.print(r, func(w io.Writer) { a.printVerified(w, r) }); err != nil {
				return err
			}
			if !r.Verified {
				return problem.New(problem.Unverified, "日志未通过验证；请保存此副本并报告监督机构。", "The log does not verify; keep this copy and tell the supervisor.")
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&key, "key", "", "the log's public key: name+hash+base64")
	f.StringVar(&export, "export", "", "check a file of \"carrel audit export\" instead of a copy")
	f.StringVar(&proof, "proof", "", "check a file of \"carrel audit prove\" instead of a copy")
	f.StringArrayVar(&seen, "checkpoint", nil, "file or directory of signed heads seen earlier; may be given several times")
	return cmd
}

func (a *app) verifyProof(file, key string) error {
	raw, err := a.readFile(file)
	if err != nil {
		return err
	}
	p, err := verify.Proof(raw, key)
	if err != nil {
		return problem.Wrap(err, problem.Unverified, "该证明不成立。", "The proof does not hold.")
	}
	return a.print(p, func(w io.Writer) {
		fmt.Fprintf(w, a.say("第 %d 条记录包含在 %d 条的日志中\n%s\n", "entry %d is in the log of %d entries\n%s\n"), p.Index, p.Size, p.Entry)
	})
}

func (a *app) printVerified(w io.Writer, r verify.Report) {
	for _, p := range r.Problems {
		s := p.Sentence.EN
		if a.lang == "zh" {
			s = p.Sentence.ZH
		}
		fmt.Fprintf(w, "✗ %s\n", s)
	}
	if r.Verified {
		fmt.Fprintf(w, a.say("✓ %d 条记录，%d 个检查点一致\n", "✓ %d entries, %d checkpoints agree\n"), r.Entries, r.Checkpoints)
	}
}

func (a *app) auditProve() *cobra.Command {
	return &cobra.Command{
		Use: "prove INDEX", Short: "Inclusion proof of one entry, for a third party", Example: "  carrel audit prove 42 > proof.json", Args: a.exact(1, "the number of an entry (an answer shows its own)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := strconv.ParseUint(args[0], 10, 63); err != nil {
				return a.usage("日志序号是从 0 起的数", "the number of an entry is a number from 0")
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var raw []byte
			if err := c.get(cmd.Context(), "/audit/proof/"+args[0], &raw); err != nil {
				return err
			}
			_, err = a.out.Write(raw)
			return err
		},
	}
}

func (a *app) auditTrace() *cobra.Command {
	q := map[string]*string{}
	var since string
	cmd := &cobra.Command{
		Use: "trace", Short: "Who saw and did what, when, and under which grant", Example: "  carrel audit trace --grant g-…\n  carrel audit trace --actor li --kind query", Args: a.exact(0, "no arguments; filter with flags"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			v := url.Values{}
			for name, value := range q {
				if *value != "" {
					v.Set(name, *value)
				}
			}
			if since != "" {
				t, err := time.ParseInLocation(time.DateOnly, since, zone())
				if err != nil {
					return a.usage("--since 是日期，如 2026-11-21", "--since is a day, e.g. 2026-11-21")
				}
				v.Set("since", t.Format(time.RFC3339))
			}
			var lines []record.Line
			if err := c.get(cmd.Context(), "/audit/trace?"+v.Encode(), &lines); err != nil {
				return err
			}
			return a.print(lines, func(w io.Writer) { a.printTrace(w, lines) })
		},
	}
	for name, help := range map[string]string{"actor": "account", "object": "e.g. handover/h-…", "grant": "grant", "kind": "e.g. query or query.answered", "limit": "newest entries at most (200)"} {
		q[name] = cmd.Flags().String(name, "", help)
	}
	cmd.Flags().StringVar(&since, "since", "", "first day")
	return cmd
}

func (a *app) printTrace(w io.Writer, lines []record.Line) {
	rows := [][]string{}
	for _, l := range lines {
		rows = append(rows, []string{strconv.FormatInt(l.Index, 10), second(l.At), l.Kind, l.Actor, l.Object, l.Grant, l.Outcome, strings.Join(l.Rules, " ")})
	}
	list(w, a.say("没有符合条件的记录", "no entries fit"), []string{"#", a.say("时间", "AT"), a.say("事项", "KIND"), a.say("账号", "ACTOR"), a.say("对象", "OBJECT"), a.say("授权", "GRANT"), a.say("结果", "OUTCOME"), a.say("依据", "RULES")}, rows)
}

func (a *app) auditExport() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "export --out FILE", Short: "The whole log, for the offline checker", Example: "  carrel audit export --out log.ndjson", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			resp, err := c.send(cmd.Context(), http.MethodGet, "/audit/export", nil)
			if err != nil {
				return err
			}
			defer func() { _ = resp.Body.Close() }()
			if out == "" {
				_, err := io.Copy(a.out, resp.Body)
				return err
			}
			return save(out, resp.Body, resp.ContentLength, a.progress(a.say("导出", "exporting")))
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write, not overwritten (default standard output)")
	return cmd
}

func (a *app) auditCheckpoint() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "checkpoint", Short: "The log's newest signed head and public key: keep them outside the service", Example: "  carrel audit checkpoint --out seen-today.txt", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.open()
			if err != nil {
				return err
			}
			var cp record.Checkpoint
			if err := c.get(cmd.Context(), "/audit/checkpoint", &cp); err != nil {
				return err
			}
			if out != "" {
				if err := os.WriteFile(out, []byte(cp.Checkpoint), 0o600); err != nil {
					return err
				}
			}
			return a.print(cp, func(w io.Writer) { fmt.Fprintf(w, "%s\n%s %s\n", cp.Checkpoint, a.say("公钥", "key"), cp.Key) })
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "also write the head to a file")
	return cmd
}
