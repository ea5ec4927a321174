package main

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"carrel/anonymize/result"
	"carrel/broker/audit"
	"carrel/broker/job"
)

// asText is the number format "@": a cell of it is shown as it is, and stays a text when somebody edits it.
const asText = 49

// workbook is a file of Excel while its sheets are written.
type workbook struct {
	file       *excelize.File
	text, head int // styles
}

// writeXLSX writes an answer as a workbook: the table on the first sheet, and on the second what the numbers are of and what each column
// means. Numbers are numbers, texts are texts (no text is ever run as a formula), a missing value and an open end are empty.
func (a *app) writeXLSX(w io.Writer, ans job.Answer) (err error) {
	b := workbook{file: excelize.NewFile()}
	defer func() { err = errors.Join(err, b.file.Close()) }()
	if b.text, err = b.file.NewStyle(&excelize.Style{NumFmt: asText}); err != nil {
		return err
	}
	if b.head, err = b.file.NewStyle(&excelize.Style{NumFmt: asText, Font: &excelize.Font{Bold: true}}); err != nil {
		return err
	}
	table, about := a.say("答案", "answer"), a.say("说明", "about")
	if err := b.file.SetSheetName(b.file.GetSheetName(0), table); err != nil {
		return err
	}
	if _, err := b.file.NewSheet(about); err != nil {
		return err
	}
	if err := errors.Join(b.sheet(table, grid(ans.Result)), b.sheet(about, a.about(ans))); err != nil {
		return err
	}
	return b.file.Write(w)
}

// sheet writes rows below a header that stays in sight. A cell is a string, a number or nil.
func (b *workbook) sheet(name string, rows [][]any) error {
	s, err := b.file.NewStreamWriter(name)
	if err != nil {
		return err
	}
	if err := s.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}); err != nil {
		return err
	}
	if err := s.SetColWidth(1, len(rows[0]), 16); err != nil {
		return err
	}
	for i, row := range rows {
		style := b.text
		if i == 0 {
			style = b.head
		}
		cells := make([]any, len(row))
		for j, v := range row {
			if cells[j] = v; isText(v) {
				cells[j] = excelize.Cell{StyleID: style, Value: v}
			}
		}
		if err := s.SetRow("A"+strconv.Itoa(i+1), cells); err != nil {
			return err
		}
	}
	return s.Flush()
}

func isText(v any) bool {
	_, text := v.(string)
	return text
}

// grid is an answer's table under its header, with name_lo and name_hi beside what has an interval.
func grid(r *result.Result) [][]any {
	head := []any{}
	for _, c := range r.Columns {
		head = append(head, c.Name)
		if c.Interval == result.IntervalNoise {
			head = append(head, c.Name+"_lo", c.Name+"_hi")
		}
	}
	rows := [][]any{head}
	for _, row := range r.Rows {
		line := []any{}
		for i, cell := range row {
			line = append(line, cell.Value)
			if r.Columns[i].Interval == result.IntervalNoise {
				line = append(line, end(cell.Lo), end(cell.Hi))
			}
		}
		rows = append(rows, line)
	}
	return rows
}

// end is one end of an interval; an open one is empty.
func end(v *float64) any {
	if v == nil {
		return nil
	}
	return *v
}

// about says what the numbers are of: a file goes from hand to hand, and must not lose that.
func (a *app) about(ans job.Answer) [][]any {
	yes := map[bool]string{true: a.say("是", "yes"), false: a.say("否", "no")}
	rows := [][]any{
		{a.say("项目", "item"), a.say("内容", "value"), ""},
		{a.say("数据集", "dataset"), ans.Dataset, ""},
		{a.say("保证的范围", "dp_scope"), ans.DPScope, ""},
		{a.say("合成数据", "synthetic data"), yes[ans.Synthetic], ""},
		{a.say("授权", "grant"), ans.Grant, ""},
		{a.say("编码集", "code sets"), strings.Join(ans.CodeSets, ", "), ""},
		{a.say("查询编号", "query"), ans.ID, ""},
		{a.say("本次花费 ε", "ε of this question"), ans.Epsilon, ""},
		{a.say("由记录作答", "answered from record"), yes[ans.FromRecord], ""},
		{a.say("已用 ε（授权）", "ε spent (grant)"), ans.Budget.EpsilonSpent, ""},
		{a.say("剩余 ε（授权）", "ε left (grant)"), ans.Budget.EpsilonLeft, ""},
		{a.say("少数人的组可能未列出", "groups of few persons may be missing"), yes[ans.Result.Selected], ""},
		{a.say("数值", "numbers"), map[string]string{"zh": ans.Result.Note.ZH, "en": ans.Result.Note.EN}[a.language()], ""},
		{a.say("区间", "intervals"), a.say("95%，仅含所加噪声", "95 %, of the added noise alone"), ""},
		{a.say("日志序号", "log entry"), ans.Audit, ""},
	}
	if at, ok := logged(ans); ok {
		rows = append(rows, []any{a.say("日志时间", "logged at"), second(at), ""})
	}
	for _, r := range ans.Cites {
		rows = append(rows, []any{a.say("依据", "rule"), r.Rule + ", " + r.Article, r.Text.In(a.language())})
	}
	for _, c := range ans.Result.Columns {
		label := map[string]string{"zh": c.LabelZH, "en": c.LabelEN}[a.language()]
		note := map[string]string{"zh": c.Note.ZH, "en": c.Note.EN}[a.language()]
		if c.Unit != "" {
			label += " (" + c.Unit + ")"
		}
		rows = append(rows, []any{a.say("列 ", "column ") + c.Name, strings.TrimSpace(label), note})
	}
	return rows
}

// logged is when the answer's entry was written.
func logged(ans job.Answer) (time.Time, bool) {
	if ans.Proof == nil {
		return time.Time{}, false
	}
	e, err := audit.ParseLeaf([]byte(ans.Proof.Leaf))
	return e.At, err == nil
}
