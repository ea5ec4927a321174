package form

import (
	"regexp"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"carrel/policy"
)

// textError is a wrong text with the words for it.
type textError struct{ text policy.Text }

func (e textError) Error() string { return e.text.EN }

// stacked is how many combining marks may follow each other.
const stacked = 3

// Plain refuses what makes a text read otherwise than it is stored: control and format characters (those that turn the direction of
// writing or show nothing), private and unassigned ones, piles of marks. It does not refuse markup: that is text, and is shown as text.
func Plain(s string, lines bool) error {
	marks := 0
	for i, r := range s {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n <= 1 {
				return textError{policy.Text{ZH: "不是有效的 UTF-8", EN: "is not valid UTF-8"}}
			}
			return hidden()
		}
		if lines && (r == '\n' || r == '\t' || r == '\r') {
			continue
		}
		if common(r) {
			marks = 0
			continue
		}
		if !unicode.IsGraphic(r) { // letters, marks, numbers, punctuation, symbols, spaces; not what is hidden or unassigned
			return hidden()
		}
		if marks++; !unicode.Is(unicode.M, r) {
			marks = 0
		}
		if marks > stacked {
			return hidden()
		}
	}
	return nil
}

func hidden() error {
	return textError{policy.Text{ZH: "含有不可见、改变书写方向或无法显示的字符", EN: "holds characters that are invisible, turn the direction of writing or cannot be shown"}}
}

// common are most of the characters that people write, told without a table.
func common(r rune) bool { return r >= ' ' && r <= '~' || han(r) }

func han(r rune) bool { return r >= '\u4e00' && r <= '\u9fa5' }

// Readable asks that a text is mostly in Chinese or in Latin script, so that those who review it can read it.
func Readable(s string) error {
	letters, known := 0, 0
	for _, r := range s {
		if han(r) {
			letters, known = letters+1, known+1
			continue
		}
		if !unicode.IsLetter(r) {
			continue
		}
		letters++
		if unicode.In(r, unicode.Han, unicode.Latin, unicode.Greek) {
			known++
		}
	}
	if known*2 < letters {
		return textError{policy.Text{ZH: "须用中文或英文书写", EN: "must be in Chinese or English"}}
	}
	return nil
}

var monthForm = regexp.MustCompile(`^[0-9]{4}-(0[1-9]|1[0-2])$`)

// formats are the formats of forms: text (several lines), line, day and month.
func formats() []*jsonschema.Format {
	on := func(name string, fn func(string) error) *jsonschema.Format {
		return &jsonschema.Format{Name: name, Validate: func(v any) error {
			s, ok := v.(string)
			if !ok {
				return nil // another type is said by the type
			}
			return fn(s)
		}}
	}
	written := func(lines bool) func(string) error {
		return func(s string) error {
			if err := Plain(s, lines); err != nil {
				return err
			}
			return Readable(s)
		}
	}
	return []*jsonschema.Format{
		on("text", written(true)), on("line", written(false)),
		on("day", func(s string) error {
			if t, err := time.Parse(time.DateOnly, s); err != nil || t.Format(time.DateOnly) != s {
				return textError{policy.Text{ZH: "须为日期，如 2026-12-01", EN: "must be a day such as 2026-12-01"}}
			}
			return nil
		}),
		on("month", func(s string) error {
			if !monthForm.MatchString(s) {
				return textError{policy.Text{ZH: "须为月份，如 2026-12", EN: "must be a month such as 2026-12"}}
			}
			return nil
		}),
	}
}
