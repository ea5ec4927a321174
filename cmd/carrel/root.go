package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"carrel/broker/problem"
)

// streams are the three standard streams, passed so that tests can run a command in process.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// app is what every command shares. It is built once a run and holds no hidden state.
type app struct {
	streams
	env  map[string]string
	lang string // "zh" or "en"
	json bool
	// server overrides the address of the session file.
	server string
	as     string
}

// usageError marks an error of the command line itself (exit 2).
type usageError struct{ error }

// run executes one command line and gives the exit status.
func run(ctx context.Context, args []string, s streams, environ []string) int {
	a := &app{streams: s, env: environment(environ)}
	root := a.root()
	root.SetArgs(args)
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	return a.fail(err)
}

// fail prints the one sentence and picks the exit status.
func (a *app) fail(err error) int {
	var p *problem.Error
	if errors.As(err, &p) {
		a.printProblem(p)
		return p.Exit()
	}
	fmt.Fprintln(a.err, "carrel: "+err.Error())
	var u usageError
	if errors.As(err, &u) || strings.HasPrefix(err.Error(), "unknown command") || strings.HasPrefix(err.Error(), "unknown flag") {
		return problem.ExitUsage
	}
	return problem.ExitFailed
}

func (a *app) printProblem(p *problem.Error) {
	if a.json {
		_ = json.NewEncoder(a.err).Encode(p)
		return
	}
	fmt.Fprintln(a.err, "carrel: "+p.Text.In(a.lang))
	if p.Decision != nil {
		for i, r := range p.Decision.Reasons {
			if i == 0 && r.Text == p.Text {
				fmt.Fprintf(a.err, "  (%s, %s)\n", r.Rule, r.Article)
				continue
			}
			fmt.Fprintf(a.err, "  - %s (%s, %s)\n", r.Text.In(a.lang), r.Rule, r.Article)
		}
		for _, c := range p.Decision.WouldChange {
			fmt.Fprintln(a.err, "  → "+c.Text.In(a.lang))
		}
	}
	a.printRefusal(p.Refusal)
	if p.Incident != "" {
		fmt.Fprintln(a.err, "  "+p.Incident)
	}
}

// printRefusal shows where the planner stumbled and what to write instead; refusal is the JSON of plan.Refusal.
func (a *app) printRefusal(refusal any) {
	if refusal == nil {
		return
	}
	b, err := json.Marshal(refusal)
	if err != nil {
		return
	}
	var r struct {
		Code         string
		Advice       struct{ ZH, EN string }
		Suggestion   string
		Line, Column int
	}
	if json.Unmarshal(b, &r) != nil {
		return
	}
	where := r.Code
	if r.Line > 0 {
		where = fmt.Sprintf("%s, line %d column %d", r.Code, r.Line, r.Column)
	}
	fmt.Fprintf(a.err, "  (%s)\n", where)
	if advice := map[string]string{"zh": r.Advice.ZH, "en": r.Advice.EN}[a.lang]; advice != "" {
		fmt.Fprintln(a.err, "  → "+advice)
	}
	if r.Suggestion != "" {
		fmt.Fprintln(a.err, "  → "+r.Suggestion)
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "carrel",
		Short:         "A closed desk for health records: apply, ask with differential privacy, verify",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(*cobra.Command, []string) error { return a.settle() },
	}
	f := root.PersistentFlags()
	f.StringVar(&a.lang, "lang", "", "language of sentences: zh or en (else from LC_ALL, LANG)")
	f.BoolVar(&a.json, "json", false, "print JSON for machines")
	f.StringVar(&a.server, "server", "", "address of the service (else from the session of `carrel login`)")
	f.StringVar(&a.as, "as", "", "account whose session to use, when several are logged in")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = true
	for _, group := range a.commands() {
		root.AddCommand(group)
	}
	return root
}

func (a *app) settle() error {
	if a.lang == "" {
		a.lang = "en"
		for _, k := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
			if v := a.env[k]; v != "" {
				if strings.HasPrefix(strings.ToLower(v), "zh") {
					a.lang = "zh"
				}
				break
			}
		}
	}
	if a.lang != "zh" && a.lang != "en" {
		return usageError{fmt.Errorf("--lang is zh or en")}
	}
	return nil
}

// say picks a sentence by language.
func (a *app) say(zh, en string) string {
	if a.lang == "zh" {
		return zh
	}
	return en
}

func environment(environ []string) map[string]string {
	m := make(map[string]string, len(environ))
	for _, kv := range environ {
		k, v, _ := strings.Cut(kv, "=")
		m[k] = v
	}
	return m
}

// progress returns a callback that draws a bar on standard error: silent when it is no terminal and for work under a second.
func (a *app) progress(what string) func(done, total int64) {
	if f, ok := a.err.(interface{ Fd() uintptr }); !ok || !term.IsTerminal(int(f.Fd())) {
		return func(int64, int64) {}
	}
	start := time.Now()
	var bar *progressbar.ProgressBar
	return func(done, total int64) {
		if bar == nil {
			if time.Since(start) < time.Second {
				return
			}
			bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(a.err), progressbar.OptionSetDescription(what),
				progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
		}
		bar.ChangeMax64(total)
		_ = bar.Set64(done)
	}
}

// print writes v as JSON with --json, else through table.
func (a *app) print(v any, table func(w io.Writer)) error {
	if a.json {
		enc := json.NewEncoder(a.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	table(a.out)
	return nil
}

// exact requires n arguments and says which are missing.
func exact(n int, names string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return usageError{fmt.Errorf("%s needs %s; see `%s --help`", c.CommandPath(), names, c.CommandPath())}
		}
		return nil
	}
}
