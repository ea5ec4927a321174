package attachment

import (
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"carrel/broker/problem"
)

// Name is a file's name as it is kept: in NFC, with single spaces. A name that is a path, hides something, or would be something else
// on somebody's machine is refused.
func Name(name string) (string, error) {
	name = norm.NFC.String(strings.Join(strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '\u00a0' || r == '\u3000' }), " "))
	switch {
	case name == "" || utf8.RuneCountInString(name) > maxName || len(name) > 255:
		return "", problem.New(problem.Invalid, "附件名为空或过长（最多 120 个字符）；请改名。", "The attachment's name is empty or too long (120 characters at most); rename it.")
	case hides(name):
		return "", problem.New(problem.Invalid, "附件名含有不可见、改变书写方向或控制字符；请改名。", "The attachment's name holds characters that are invisible, turn the direction of writing or control something; rename it.")
	case isPath(name):
		return "", problem.New(problem.Invalid, "附件名不能是路径或系统保留的名称；请改名。", "The attachment's name must not be a path or a name that systems reserve; rename it.")
	}
	return name, nil
}

func hides(name string) bool {
	if !utf8.ValidString(name) {
		return true
	}
	for _, r := range name {
		if !unicode.IsGraphic(r) || r == utf8.RuneError {
			return true
		}
	}
	return false
}

// isPath looks at the name as it reads when compatible characters are taken for one another: a full-width stroke is a stroke. The
// strokes of mathematics, which stay themselves, are listed.
func isPath(name string) bool {
	like := norm.NFKC.String(name)
	if strings.ContainsAny(like, "/\\:*?\"<>|\u2044\u2215\u29f8\u29f9\u2216") || strings.HasPrefix(like, ".") || strings.HasPrefix(like, "~") || strings.HasPrefix(like, "-") {
		return true
	}
	if strings.HasSuffix(like, ".") || strings.HasSuffix(like, " ") || strings.Contains(like, "..") {
		return true
	}
	base, _, _ := strings.Cut(strings.ToUpper(like), ".")
	reserved := []string{"CON", "PRN", "AUX", "NUL"}
	return slices.Contains(reserved, base) || len(base) == 4 && (strings.HasPrefix(base, "COM") || strings.HasPrefix(base, "LPT")) && base[3] >= '0' && base[3] <= '9'
}

// ending is the name's, in lower case.
func ending(name string) string { return strings.ToLower(path.Ext(name)) }
