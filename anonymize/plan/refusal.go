package plan

import "unicode/utf8"

// Text is a sentence in Chinese and English.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// In returns the sentence in the language "zh" or "en".
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// Refusal says why a query is not answered and what to write instead. Nothing in it comes from the data, and none of its
// sentences repeats a literal of the query; Rewrite is no sentence.
type Refusal struct {
	Code       string `json:"code"`  // stable, kebab-case
	Class      string `json:"class"` // family of codes: unit, rows, join, measure, key, name, literal, syntax, size
	Message    Text   `json:"message"`
	Advice     Text   `json:"advice"`
	Suggestion string `json:"suggestion,omitempty"` // a name of the schema that may have been meant
	// Rewrite is the researcher's own text with a small edit that the planner accepts. It may ask something else than was meant. It is for
	// the asker alone: it holds what he wrote.
	Rewrite string `json:"rewrite,omitempty"`
	// Words are the engine's about SQL above the statistics, where no data are. They are for the asker alone: they may quote what he wrote.
	Words  string `json:"words,omitempty"`
	Offset int    `json:"offset"`           // byte offset in the text, -1 when there is none
	Line   int    `json:"line,omitempty"`   // from 1
	Column int    `json:"column,omitempty"` // from 1, in characters
}

// Error is the English sentence with its code; it holds nothing the researcher wrote.
func (r *Refusal) Error() string { return r.Code + ": " + r.Message.EN }

// Refuse makes the refusal of a known code at a byte offset of the text (-1: none). An unknown code becomes
// "not-supported", so that a slip here can never turn into an acceptance.
func Refuse(code, sql string, offset int) *Refusal {
	e, ok := refusals()[code]
	if !ok {
		code = "not-supported"
		e = refusals()[code]
	}
	r := &Refusal{Code: code, Class: e.class, Message: e.message, Advice: e.advice, Offset: -1}
	if offset >= 0 && offset <= len(sql) {
		r.Offset = offset
		r.Line, r.Column = position(sql, offset)
	}
	return r
}

// Suggest adds a name of the schema.
func (r *Refusal) Suggest(s string) *Refusal {
	r.Suggestion = s
	return r
}

func position(sql string, offset int) (line, column int) {
	line, start := 1, 0
	for i := 0; i < offset; i++ {
		if sql[i] == '\n' {
			line, start = line+1, i+1
		}
	}
	return line, utf8.RuneCountInString(sql[start:offset]) + 1
}
