package main

import (
	"fmt"
	"io"

	"carrel/broker/application"
)

// printWords shows what people wrote in an application: what it is about, what was asked and answered, and what was appealed against.
func (a *app) printWords(w io.Writer, v application.View) {
	line := func(zh, en, text string) {
		if text != "" {
			fmt.Fprintf(w, "%s %s\n", a.say(zh, en), text)
		}
	}
	switch v.File {
	case application.FileAmendment:
		line("变更：", "amends", v.Of)
	case application.FileRenewal:
		line("续期：", "renews", v.Of)
	}
	line("用途说明：", "reason:", v.Texts[application.TextReason])
	line("方法：", "methods:", v.Texts[application.TextMethods])
	for _, q := range v.Questions {
		line("提问：", "question:", q.Text)
		line("答复：", "answer:", q.Answer)
	}
	for _, p := range v.Appeals {
		line("申诉：", "appeal:", p.Grounds)
	}
}
