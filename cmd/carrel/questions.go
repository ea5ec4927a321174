package main

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"

	"carrel/broker/job"
)

// readQuestions reads a file of questions; common is what all of them share.
func (a *app) readQuestions(file string, common job.Ask) ([]job.Question, error) {
	raw, err := a.readFile(file)
	if err != nil {
		return nil, err
	}
	var out []job.Question
	if ext := filepath.Ext(file); ext == ".ndjson" || ext == ".jsonl" {
		if out, err = a.questionLines(file, raw, common); err != nil {
			return nil, err
		}
	} else {
		for i, text := range statements(string(raw)) {
			q := job.Question{Name: strconv.Itoa(i + 1), Ask: common}
			q.SQL = text
			out = append(out, q)
		}
	}
	if len(out) == 0 {
		return nil, a.usage("%s 中没有问题", "%s holds no question", file)
	}
	return out, nil
}

// questionLines reads lines of {"id","sql"}, strictly; epsilon, rows_per_person and find_bounds may stand beside them and win over the flags.
func (a *app) questionLines(file string, raw []byte, common job.Ask) ([]job.Question, error) {
	var out []job.Question
	for n, line := range bytes.Split(raw, []byte("\n")) {
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		var q struct {
			ID      string           `json:"id"`
			SQL     string           `json:"sql"`
			Epsilon float64          `json:"epsilon"`
			Rows    map[string]int64 `json:"rows_per_person"`
			Bounds  float64          `json:"find_bounds"`
		}
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&q); err != nil || dec.More() || q.ID == "" || strings.TrimSpace(q.SQL) == "" {
			return nil, a.usage(`%s 第 %d 行不是 {"id","sql"} 形式的 JSON`, `%s line %d is not JSON of the form {"id","sql"}`, file, n+1)
		}
		ask := common
		ask.SQL = q.SQL
		if q.Epsilon != 0 {
			ask.Epsilon = q.Epsilon
		}
		if q.Rows != nil {
			ask.RowsPerPerson = q.Rows
		}
		if q.Bounds != 0 {
			ask.FindBounds = q.Bounds
		}
		out = append(out, job.Question{Name: q.ID, Ask: ask})
	}
	return out, nil
}

// statements cuts a text at the semicolons that stand outside quotes and comments. What is nothing but blanks and comments is no
// statement. Cutting at a wrong place can only make a text that the parser refuses.
func statements(text string) []string {
	var out []string
	start, said := 0, false
	take := func(end int) {
		if said {
			out = append(out, strings.TrimSpace(text[start:end]))
		}
		start, said = end+1, false
	}
	for i := 0; i < len(text); i++ {
		rest := text[i:]
		switch c := text[i]; {
		case strings.HasPrefix(rest, "--"):
			i += skipTo(rest, 2, "\n")
		case strings.HasPrefix(rest, "/*"):
			i += skipTo(rest, 2, "*/")
		case c == '\'' || c == '"':
			said = true
			i += skipTo(rest, 1, string(c)) // a doubled quote is the end of one run and the start of the next
		case c == ';':
			take(i)
		case !strings.ContainsRune(" \t\r\n", rune(c)):
			said = true
		}
	}
	take(len(text))
	return out
}

// skipTo is how far the last byte of end is from the start of a text, looking from a place on; without end, the text's last byte.
func skipTo(text string, from int, end string) int {
	at := strings.Index(text[from:], end)
	if at < 0 {
		return len(text) - 1
	}
	return from + at + len(end) - 1
}
