package breakout

import (
	"strings"
	"testing"
	"unicode"
)

func blockedRow(g Group, ended string, blocked bool) Row {
	return Row{Group: g, Name: "read a file", NameZH: "读取系统文件", Tried: "open /etc/passwd", Ended: ended, Blocked: blocked}
}

// A report is fine only when something was tried, all of it was blocked, and nothing outside changed.
func TestOK(t *testing.T) {
	t.Parallel()
	fine, changed := blockedRow(Outside, "as it must be", true), blockedRow(Outside, "changed", false)
	for name, c := range map[string]struct {
		r  Report
		ok bool
	}{
		"all blocked":     {Report{Attempts: 2, Blocked: 2, Outside: []Row{fine}}, true},
		"one open":        {Report{Attempts: 2, Blocked: 1, Outside: []Row{fine}}, false},
		"nothing tried":   {Report{Outside: []Row{fine}}, false},
		"outside changed": {Report{Attempts: 2, Blocked: 2, Outside: []Row{fine, changed}}, false},
	} {
		if c.r.OK() != c.ok {
			t.Errorf("%s: %v", name, c.r.OK())
		}
	}
}

func TestTableForPeople(t *testing.T) {
	t.Parallel()
	r := Report{Engine: "v1", Landlock: 6, Attempts: 3, Blocked: 1, ByDesign: byDesign(), Rows: []Row{
		blockedRow(Files, "EACCES", true), blockedRow(Files, Escaped, false), blockedRow(Kernel, "EFAULT", false),
	}, Outside: []Row{blockedRow(Outside, "changed", false)}}
	for lang, words := range map[string][]string{
		"en": {"blocked", "ESCAPED", "UNCLEAR", "WRONG", "rdtsc", "3 attempts, 1 blocked"},
		"zh": {"拦住", "逃出", "不明", "不对", "rdtsc", "3 次尝试，拦住 1 次"},
	} {
		text := r.Table(lang)
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q in\n%s", lang, w, text)
			}
		}
		if lang == "en" && strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("Chinese in the English table:\n%s", text)
		}
	}
}

// Every end that a job may have is named in both languages or is the kernel's own word.
func TestEndsAreNamed(t *testing.T) {
	t.Parallel()
	for _, j := range jobs() {
		for _, end := range j.ends {
			if strings.ContainsAny(end, ": ") && ended(end, "zh") == end {
				t.Errorf("%s: no Chinese for %q", j.row.Name, end)
			}
			if end == Escaped {
				t.Errorf("%s: to escape is to be blocked", j.row.Name)
			}
		}
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args   []string
		locale string
		status int
		out    string
	}{
		{[]string{"--help"}, "zh_CN.UTF-8", exitDone, "越狱"},
		{[]string{"--help"}, "", exitDone, "Example"},
		{[]string{"--lang", "fr"}, "", exitUsage, "zh or en"},
		{[]string{"--nothing"}, "zh_CN", exitUsage, "两个选项"},
		{[]string{"more"}, "", exitUsage, "nothing else"},
	} {
		var out, errs strings.Builder
		if got := Main(c.args, c.locale, &out, &errs); got != c.status || !strings.Contains(out.String()+errs.String(), c.out) {
			t.Errorf("%v: %d %s%s", c.args, got, out.String(), errs.String())
		}
	}
}
