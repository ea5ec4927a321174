// Package tongue tells whether texts are in the language that they say they are in. Tests use it over whatever the service says to people.
//
// It promises: a word in Latin letters in a Chinese sentence, and a Chinese character in an English one, is found, unless it stands in
// below, each with the reason why Chinese readers meet it as it is.
//
// It does not promise that a sentence is good, or that both say the same.
package tongue

import (
	"encoding/json"
	"iter"
	"regexp"
	"slices"

	"carrel/policy"
)

// Text is a text in both languages.
type Text = policy.Text

// asIs are the forms of words that stand in Chinese sentences as they are.
func asIs() []*regexp.Regexp {
	return []*regexp.Regexp{
		regexp.MustCompile("“[^”]*”|《[^》]*》|`[^`]*`"),                                                                                          // what people wrote, and what one types
		regexp.MustCompile(`--[a-z][a-z-]*|\bcarrel [a-z-]+(?: [a-z-]+)*`),                                                                     // so is a flag, and a command
		regexp.MustCompile(`https?://[A-Za-z0-9][A-Za-z0-9./-]*|\bhttps?\b|/[a-z.]+json`),                                                      // an address
		regexp.MustCompile(`(\p{Han}) ?[(（][a-z0-9][a-z0-9/_-]*[)）]`),                                                                          // the code of what was just named, where it is typed
		regexp.MustCompile(`\b(?:person|institution)/(?:\p{Han}|[a-z0-9-]+)`),                                                                  // whom a file is about, as it is typed
		regexp.MustCompile(`\b[A-Z][A-Z0-9]*(?:/[A-Z]+)?\b`),                                                                                   // codes and abbreviations of standards: DUO, GB/T, SQL, MLPS
		regexp.MustCompile(`\b[A-Z]+\([A-Za-z ]*\)|\bclamp\([^)]*\)`),                                                                          // what one writes in SQL
		regexp.MustCompile(`[（(](?:/[a-z0-9_]+)+[)）]`),                                                                                         // the place of a fault in a document
		regexp.MustCompile(`\b(?:[a-z]+/)?[a-z.]*\.(?:txt|csv|json|arrow|parquet|xlsx|pem|pdf)\b|\.(?:txt|csv|json|arrow|parquet|xlsx|pdf)\b`), // a file, and how its name ends
		regexp.MustCompile(`\b[a-z]+@[a-z.]+\b`),                                                                                               // a mail address
		regexp.MustCompile(`\bContent-Type: application/json\b`),                                                                               // a header
		regexp.MustCompile(`\bMiB\b`),                                                                                                          // a unit
		regexp.MustCompile(`\bsha256\b`),                                                                                                       // the sum of a file, as every tool calls it
		regexp.MustCompile(`\b[a-z0-9-]+:[a-z_]+\.[a-z_*]+|\b[a-z_]+\.[a-z_*]+`),                                                               // a column: table.column, dataset:table.column, table.*
		regexp.MustCompile(`\b(?:grant/)?[a-z]{1,3}-[0-9a-f…]+\b`),                                                                             // a number that the service gave
		// quotation marks or backquotes (what people wrote, commands), is of the form of an id, a column, an address or a code, or is on the list
	}
}

var (
	quotes = regexp.MustCompile("“[^”]*”|《[^》]*》|`[^`]*`")
	han    = regexp.MustCompile(`\p{Han}+`)
)

var word = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_./:@*#+-]*`) //nolint:gochecknoglobals // a constant

// In are the texts of a JSON document: objects with the two languages.
func In(raw json.RawMessage) iter.Seq[Text] {
	return func(yield func(Text) bool) {
		var doc any
		if json.Unmarshal(raw, &doc) == nil {
			walk(doc, yield)
		}
	}
}

func walk(v any, yield func(Text) bool) bool {
	switch v := v.(type) {
	case map[string]any:
		zh, one := v["zh"].(string)
		en, other := v["en"].(string)
		if one && other && !yield(Text{ZH: zh, EN: en}) {
			return false
		}
		for _, m := range v {
			if !walk(m, yield) {
				return false
			}
		}
	case []any:
		for _, m := range v {
			if !walk(m, yield) {
				return false
			}
		}
	}
	return true
}

// Strange are the words of a text that are not of its language; names are those that the document itself gives to things and people.
func Strange(t Text, names ...string) []string {
	var odd []string
	zh, en := t.ZH, t.EN
	for _, form := range asIs() {
		zh = form.ReplaceAllString(zh, "$1 ")
	}
	for _, w := range word.FindAllString(zh, -1) {
		if !slices.Contains(names, w) {
			odd = append(odd, w)
		}
	}
	for _, w := range han.FindAllString(quotes.ReplaceAllString(en, ""), -1) {
		if !slices.Contains(names, w) {
			odd = append(odd, w)
		}
	}
	return odd
}
