// Package formula keeps texts in tables for people from being run by a spreadsheet.
//
// It promises that what Guard gives is shown as a text by the spreadsheets in use (OWASP, CSV injection). It does not promise that a
// program reads the same text back: values that programs join by are not to be guarded.
package formula

import "strings"

// Guard puts an apostrophe before a text that begins with = + - @ or their wide forms, also behind blanks and control characters.
func Guard(s string) string {
	t := strings.TrimLeft(s, " \t\r\n\v\f\u00a0\ufeff")
	if strings.HasPrefix(s, "\t") || strings.HasPrefix(s, "\r") || t != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(t)[0]) {
		return "'" + s
	}
	return s
}
