package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"carrel/anonymize/extract"
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
	var u usageError
	var f *fs.PathError
	switch {
	case errors.As(err, &u):
		a.complain(problem.Invalid, err.Error())
		return problem.ExitUsage
	case errors.As(err, &f) && errors.Is(err, fs.ErrNotExist):
		a.complain(problem.Failed, fmt.Sprintf(a.say("%s 不存在；请核对名称", "%s is not there; check its name"), f.Path))
	case errors.As(err, &f) && errors.Is(err, fs.ErrPermission):
		a.complain(problem.Failed, fmt.Sprintf(a.say("无权读写 %s；请检查权限", "%s may not be read or written; check its permissions"), f.Path))
	case errors.As(err, &f) && errors.Is(err, syscall.ENOSPC) && !errors.Is(err, extract.ErrDiskFull): // builds say what became of the extract
		a.complain(problem.Failed, fmt.Sprintf(a.say("磁盘已满，%s 未写入；请腾出空间后重试", "the disk is full and %s was not written; free some space and try again"), f.Path))
	case errors.As(err, &f) && errors.Is(err, syscall.EROFS):
		a.complain(problem.Failed, fmt.Sprintf(a.say("%s 所在的磁盘为只读；请另选位置", "%s is on a disk that can only be read; choose another place"), f.Path))
	default:
		sentence := ours.ReplaceAllString(err.Error(), "")
		if a.language() == "zh" {
			sentence = inChinese(sentence)
		}
		a.complain(problem.Failed, sentence)
	}
	return problem.ExitFailed
}

// complain prints an error that is no problem of the service.
func (a *app) complain(code problem.Code, sentence string) {
	if a.json {
		a.printProblem(problem.New(code, sentence, sentence))
		return
	}
	fmt.Fprintln(a.err, "carrel: "+sentence)
}

func (a *app) printProblem(p *problem.Error) {
	if a.json {
		_ = json.NewEncoder(a.err).Encode(p)
		return
	}
	fmt.Fprintln(a.err, "carrel: "+p.Text.In(a.language()))
	if p.Decision != nil {
		for i, r := range p.Decision.Reasons {
			if i == 0 && r.Text == p.Text {
				fmt.Fprintf(a.err, "  (%s, %s)\n", r.Rule, r.Article)
				continue
			}
			fmt.Fprintf(a.err, "  - %s (%s, %s)\n", r.Text.In(a.language()), r.Rule, r.Article)
		}
		for _, c := range p.Decision.WouldChange {
			fmt.Fprintln(a.err, "  → "+c.Text.In(a.language()))
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
		Rewrite      string
		Words        string
		Line, Column int
	}
	if json.Unmarshal(b, &r) != nil {
		return
	}
	where := r.Code
	if r.Line > 0 {
		where = fmt.Sprintf(a.say("%s，第 %d 行第 %d 列", "%s, line %d column %d"), r.Code, r.Line, r.Column)
	}
	fmt.Fprintf(a.err, "  (%s)\n", where)
	if r.Words != "" {
		fmt.Fprintln(a.err, "  "+r.Words)
	}
	if advice := map[string]string{"zh": r.Advice.ZH, "en": r.Advice.EN}[a.language()]; advice != "" {
		fmt.Fprintln(a.err, "  → "+advice)
	}
	if r.Suggestion != "" {
		fmt.Fprintln(a.err, "  → "+r.Suggestion)
	}
	if r.Rewrite != "" {
		fmt.Fprintln(a.err, a.say("  这样写可以回答，请先看清它问的是什么：", "  this would be answered; read what it asks first:"))
		fmt.Fprintln(a.err, "    "+strings.ReplaceAll(r.Rewrite, "\n", "\n    "))
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
	f.StringVar(&a.server, "server", "", "address of the service (else that of the log-in)")
	f.StringVar(&a.as, "as", "", "account whose session to use, when several are logged in")
	root.SetFlagErrorFunc(a.flagError)
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return a.usage("没有命令 %q；请看 `carrel --help`", "there is no command %q; see `carrel --help`", args[0])
		}
		return nil
	}
	root.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
	root.CompletionOptions.HiddenDefaultCmd = true
	for _, group := range a.commands() {
		root.AddCommand(group)
	}
	return root
}

// language is the language of sentences, from --lang or the environment.
func (a *app) language() string {
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
	return a.lang
}

func (a *app) settle() error {
	if l := a.language(); l != "zh" && l != "en" {
		a.lang = "" // the environment's
		return a.usage("--lang 应为 zh 或 en", "--lang is zh or en")
	}
	return nil
}

// say picks a sentence by language.
func (a *app) say(zh, en string) string {
	if a.language() == "zh" {
		return zh
	}
	return en
}

// usage is an error of the command line itself, one sentence in the caller's language.
func (a *app) usage(zh, en string, args ...any) error {
	return usageError{fmt.Errorf(a.say(zh, en), args...)}
}

// oneOf requires the value of a flag to be one of a form's words; whether the step is allowed is policy's to say.
func (a *app) oneOf(flag, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return a.usage("选项 --%s 应为 %s 之一", "the flag --%s is one of %s", flag, strings.Join(words, ", "))
}

// ours are the names that packages put before their errors; a user has no use for them.
var ours = regexp.MustCompile(`^((store|verify|deid|sandbox|extract|catalogue|parcel|service|jinhe|policy): )+`)

// flagError says what cobra's flag parser found in one sentence.
func (a *app) flagError(c *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var empty *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	path := c.CommandPath()
	switch {
	case errors.As(err, &unknown):
		return a.usage("%[2]s 没有选项 %[1]s；请看 `%[2]s --help`", "%[2]s has no flag %[1]s; see `%[2]s --help`", flagName(unknown.GetSpecifiedName()), path)
	case errors.As(err, &empty):
		return a.usage("选项 %s 需要一个值；请看 `%s --help`", "the flag %s needs a value; see `%s --help`", flagName(empty.GetSpecifiedName()), path)
	case errors.As(err, &invalid):
		f := invalid.GetFlag()
		return a.usage("选项 --%s 的值 %q 不可用，应为 %s；请看 `%s --help`", "the flag --%s cannot be %q, it takes a value of type %s; see `%s --help`", f.Name, invalid.GetValue(), f.Value.Type(), path)
	}
	return a.usage("%[1]s 的选项写法有误；请看 `%[1]s --help`", "a flag of %[1]s is not written as one; see `%[1]s --help`", path)
}

func flagName(name string) string {
	if len([]rune(name)) == 1 {
		return "-" + name
	}
	return "--" + name
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
func (a *app) exact(n int, names string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == n {
			return nil
		}
		if a.language() == "zh" {
			names = chinese(names)
		}
		return a.usage("%[1]s 需要%[2]s；请看 `%[1]s --help`", "%[1]s needs %[2]s; see `%[1]s --help`", c.CommandPath(), names)
	}
}

// least requires n arguments or more.
func (a *app) least(n int, names string) cobra.PositionalArgs {
	few := a.exact(n, names)
	return func(c *cobra.Command, args []string) error {
		if len(args) >= n {
			return nil
		}
		return few(c, args)
	}
}

// upTo allows no more than n arguments.
func (a *app) upTo(n int, names string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) <= n {
			return nil
		}
		if a.language() == "zh" {
			names = chinese(names)
		}
		return a.usage("%[1]s 至多需要%[2]s；请看 `%[1]s --help`", "%[1]s needs %[2]s at most; see `%[1]s --help`", c.CommandPath(), names)
	}
}

// chinese names an argument; a test holds the list to be whole.
func chinese(names string) string {
	zh, ok := map[string]string{
		"an institution": "一个机构编号", "a meeting": "一个会议编号", "a cross-border file": "一个出境申请编号", "a cross-border file and a hash": "一个出境申请编号和一个摘要", "a hash": "一个摘要", "a board": "一个委员会", "a meeting and the file of its minutes": "一个会议编号和会议纪要文件",
		"a meeting and an application": "一个会议编号和一个申请编号", "the eight digits": "八位数字", "the deputy's account": "代理人的账号", "its number": "其编号", "an invitation": "一个邀请编号",
		"a webhook's number": "一个回调编号", "a notice's number": "一个通知编号", "a name": "一个名称", "a kind of review": "一个审查种类", "a directory": "一个目录", "the directory of a key ring": "密钥环目录", "the file of a catalogue entry": "目录条目文件", "a dataset and the number of an extract": "一个数据集和一个提取集编号", "a grant and a file": "一个授权编号和一个文件", "a grant and a hash": "一个授权编号和一个摘要",
		"no arguments": "零个参数", "no arguments; filter with flags": "零个参数（用选项筛选）", "an application": "一个申请编号", "an application and a file, or --current": "一个申请编号和一个文件，或 --current", "an application and a file": "一个申请编号和一个文件", "an application and a hash": "一个申请编号和一个摘要", "an application and two versions": "一个申请编号和两个版本号", "a form": "一个申请表编号", "a grant": "一个授权编号",
		"a dataset": "一个数据集", "a file": "一个文件", "a copy of the log": "一份日志副本", "no arguments; see --help": "零个参数（见 --help）", "a file with the permit, or -": "许可令牌文件或 -", "a handover": "一个移交编号", "a job": "一个任务编号", "a package": "一个数据包文件", "a number": "一个编号", "a number and an addressee": "一个编号和一个通知对象", "a number and a file": "一个编号和一个文件", "a name and a file": "一个名称和一个文件", "words": "若干词",
		"a question, @file or -": "一个问题、@文件 或 -", "a question, @file or -, or --file": "一个问题、@文件 或 -，或 --file", "an account": "一个账号", "the directory of an extract": "提取集目录",
		"the number of an entry (an answer shows its own)": "一条日志的序号（答案中有）",
	}[names]
	if !ok {
		return names
	}
	return zh
}
