package breakout

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"golang.org/x/term"
	"golang.org/x/text/width"

	"carrel/sandbox/wire"
)

// Exit statuses of Main, as the whole command line has them.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitOpen   = 6 // verification failed: not all is blocked
)

// Main is `carrel-sandbox report`: args follow the word report, env is the environment's LC_ALL, LC_MESSAGES or LANG.
func Main(args []string, locale string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("carrel-sandbox report", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	asJSON := flags.Bool("json", false, "print JSON for machines")
	lang := flags.String("lang", languageOf(locale), "language: zh or en")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return say(stdout, exitDone, Text{help(true), help(false)}.In(*lang))
	case *lang != "zh" && *lang != "en":
		return say(stderr, exitUsage, "carrel-sandbox: --lang is zh or en")
	case err != nil || flags.NArg() > 0:
		return say(stderr, exitUsage, Text{"carrel-sandbox: report 只有 --json 和 --lang 两个选项", "carrel-sandbox: report takes --json and --lang, nothing else"}.In(*lang))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	// The program that runs, whatever now lies at its path.
	r, err := Run(ctx, Config{Program: "/proc/self/exe", Progress: progress(stderr)})
	if err != nil {
		return say(stderr, exitFailed, "carrel-sandbox: "+err.Error())
	}
	status := exitDone
	if !r.OK() {
		status = exitOpen
	}
	if *asJSON {
		b, err := json.Marshal(r)
		if err != nil {
			return say(stderr, exitFailed, "carrel-sandbox: "+err.Error())
		}
		return say(stdout, status, string(b))
	}
	return say(stdout, status, strings.TrimSuffix(r.Table(*lang), "\n"))
}

// progress counts on a terminal; anywhere else it is silent.
func progress(w io.Writer) func(done, total int) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return func(done, total int) {
		line := fmt.Sprintf("\r%d / %d", done, total)
		if done == total {
			line = "\r" + strings.Repeat(" ", len(line)) + "\r"
		}
		_, _ = io.WriteString(w, line) // a terminal that cannot be written to has nobody to tell
	}
}

func help(zh bool) string {
	if zh {
		return `carrel-sandbox report：在真正的监狱子进程里逐一尝试越狱，列出结果。
每次尝试都在子进程里，其程序、限制、围墙与服务的引擎、视图、解析子进程完全相同；只被拒绝的尝试共用一个，事后它仍须能做允许的事。全部拦住时退出码为 0，否则为 6。
  --json        输出 JSON
  --lang zh|en  语言（默认取自环境）
例：carrel-sandbox report --lang zh`
	}
	return `carrel-sandbox report tries to break out of its own jail and prints what was blocked.
Each attempt is made in a child with the program, the limits and the walls of the service's, engine, viewer or parser; attempts that are plainly refused
share one, which must then still do what is allowed. Exit status 0 when all is blocked, else 6.
  --json        print JSON for machines
  --lang zh|en  language (else from the environment)
Example: carrel-sandbox report --json`
}

// languageOf is the language of a locale.
func languageOf(locale string) string {
	if strings.HasPrefix(strings.ToLower(locale), "zh") {
		return "zh"
	}
	return "en"
}

// say writes and returns the status; when even that fails there is nobody to tell.
func say(w io.Writer, status int, text string) int {
	if _, err := io.WriteString(w, text+"\n"); err != nil {
		return exitFailed
	}
	return status
}

// Table is the report for people.
func (r Report) Table(lang string) string {
	in := func(zh, en string) string { return Text{zh, en}.In(lang) }
	rows := [][]string{{in("类别", "GROUP"), in("子进程", "FROM"), in("尝试", "ATTEMPT"), in("做法", "TRIED"), in("结局", "ENDED"), in("判定", "VERDICT")}}
	for _, row := range r.Rows {
		verdict := in("拦住", "blocked")
		switch {
		case row.Ended == Escaped:
			verdict = in("逃出", "ESCAPED")
		case !row.Blocked:
			verdict = in("不明", "UNCLEAR")
		}
		rows = append(rows, []string{row.Group.In(lang), role(row.Role, lang), in(row.NameZH, row.Name), cut(row.Tried), ended(row.Ended, lang), verdict})
	}
	for _, row := range r.Outside {
		verdict := in("正常", "fine")
		if !row.Blocked {
			verdict = in("不对", "WRONG")
		}
		rows = append(rows, []string{row.Group.In(lang), role(row.Role, lang), in(row.NameZH, row.Name), cut(row.Tried), ended(row.Ended, lang), verdict})
	}
	out := aligned(rows) + "\n" + in("有意不拦：", "not blocked, by design:") + "\n"
	for _, d := range r.ByDesign {
		out += "  " + in(d.NameZH, d.Name) + in("：", ": ") + in(d.WhyZH, d.Why) + "\n"
	}
	return out + fmt.Sprintf(in("\n%d 次尝试，拦住 %d 次（DuckDB %s，Landlock ABI %d）\n", "\n%d attempts, %d blocked (DuckDB %s, Landlock ABI %d)\n"),
		r.Attempts, r.Blocked, r.Engine, r.Landlock)
}

// In names a group.
func (g Group) In(lang string) string {
	zh := map[Group]string{Files: "文件", Network: "网络", Processes: "进程", Kernel: "内核", Memory: "内存", SQL: "SQL", Outside: "外部"}
	if lang == "zh" {
		return zh[g]
	}
	return string(g)
}

// role names whose child spoke.
func role(of, lang string) string {
	known := map[string]Text{string(wire.RoleEngine): {"引擎", "engine"}, string(wire.RoleViewer): {"视图", "viewer"}, string(wire.RoleParser): {"解析", "parser"}}
	return known[of].In(lang)
}

// ended names an end for people.
func ended(end, lang string) string {
	known := map[string]Text{
		Escaped: {"成功", "it worked"}, Killed: {"被 seccomp 杀死（SIGSYS）", "killed by seccomp (SIGSYS)"}, Limited: {"到限额被杀", "killed at its limit"},
		"refused: shape": {"子进程拒绝：只答整数列的 SELECT", "refused by the child: not a SELECT of integers"}, "refused: many": {"子进程拒绝：多于一条语句", "refused by the child: not one statement"},
		"refused: engine": {"引擎报错", "refused by the engine"}, "refused: deadline": {"到时中断", "interrupted at its deadline"},
		"engine: permission": {"引擎拒绝：无权限", "refused by the engine: permission"}, "engine: input": {"引擎拒绝：设置已锁定", "refused by the engine: locked"},
		"engine: memory": {"引擎拒绝：内存不足", "refused by the engine: out of memory"}, "engine: range": {"引擎拒绝：超出范围", "refused by the engine: out of range"},
		"engine: extension":    {"引擎拒绝：没有扩展", "refused by the engine: no such extension"},
		"engine: unknown name": {"引擎拒绝：没有这个名字", "refused by the engine: no such name"}, "as it must be": {"正常", "as it must be"},
		"refused: select": {"解析器拒绝：不是 SELECT", "refused by the parser: not a SELECT"}, "refused: syntax": {"解析器拒绝：语法", "refused by the parser: syntax"},
		"refused: bind": {"引擎拒绝：没有这个名字或无权限", "refused by the engine: no such name, or permission"}, Nothing: {"什么也没有", "nothing there"},
	}
	if t, ok := known[end]; ok {
		return t.In(lang)
	}
	return end
}

// cut keeps a statement to a table's width.
func cut(s string) string {
	const most = 72
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// aligned writes columns; Chinese characters take two places of a terminal.
func aligned(rows [][]string) string {
	places := func(s string) int {
		n := 0
		for _, r := range s {
			n++
			if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
				n++
			}
		}
		return n
	}
	most := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			most[i] = max(most[i], places(cell))
		}
	}
	var out strings.Builder
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell + strings.Repeat(" ", most[i]-places(cell)+2))
		}
		out.WriteString(strings.TrimRight(line.String(), " ") + "\n")
	}
	return out.String()
}
