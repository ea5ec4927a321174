package web

import (
	"bytes"
	"context"
	"net/http"
	"strconv"

	"carrel/anonymize/result"
	"carrel/broker/catalogue"
	"carrel/broker/grant"
	"carrel/broker/job"
	"carrel/broker/problem"
)

// askData is the box for a question with what came of it.
type askData struct {
	Grant   *grant.View
	Bar     bar
	Epsilon float64 // ε of a question that names none
	Tables  []catalogue.TableView
	Dataset string
	Explain *explainView
	Answer  *answerView
}

// answerView is an answer with its table in words and its charts.
type answerView struct {
	*job.Answer
	Head   []result.Column
	Rows   [][]cellView
	Charts []chart
	// The question as it was put, for the form that fetches its table as a file.
	SQL, AskedEpsilon, AskedRows string
}

// cellView is one cell: a key's label with its code, or a number with its interval.
type cellView struct {
	Text, Code string
	Number     bool
	Interval   string
}

// askPage loads what the box needs: the grant's budget and the fields that may be asked about.
func (s *server) askPage(ctx context.Context, c *call) (askData, error) {
	id := c.param("id")
	c.home = "/grants/" + id + "/ask"
	d := askData{Epsilon: s.defaults.Query.Epsilon}
	var err error
	if d.Grant, err = s.c.Grants.Get(ctx, c.id, id); err != nil {
		return d, err
	}
	if d.Grant.Budget != nil {
		d.Bar = barOf(d.Grant.Budget.Left, d.Grant.Budget.Epsilon)
	}
	for _, name := range d.Grant.Datasets {
		v, err := s.c.Records.Dataset(ctx, name)
		if err != nil {
			return d, err
		}
		d.Dataset = name
		d.Tables = append(d.Tables, v.Tables...)
	}
	return d, nil
}

func (s *server) askForm(ctx context.Context, c *call) error {
	d, err := s.askPage(ctx, c)
	if err != nil {
		return err
	}
	return s.show(ctx, c, "ask", page{Data: d})
}

// question reads the box.
func (c *call) question() (job.Ask, error) {
	q := job.Ask{Grant: c.param("id"), SQL: c.value("sql")}
	var err error
	if q.Epsilon, err = c.decimal("epsilon"); err != nil {
		return q, err
	}
	if text := c.value("rows"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return q, problem.Wrap(err, problem.Invalid, "每人行数应为正整数。", "Rows per person is a whole number.")
		}
		q.RowsPerPerson = map[string]int64{"*": n}
	}
	return q, nil
}

// asked is the frame of explain and run: the page's own look-ups come before, so that nothing of the page's making waits on data.
func (s *server) asked(ctx context.Context, c *call, fn func(q job.Ask, d *askData) error) error {
	d, err := s.askPage(ctx, c)
	if err != nil {
		return err
	}
	q, err := c.question()
	if err == nil {
		err = fn(q, &d)
	}
	if err == nil {
		return s.render(ctx, c, http.StatusOK, "ask", page{Data: d, Synth: d.Answer != nil && d.Answer.Synthetic})
	}
	p := problem.From(ctx, s.c.Logger, err)
	if p.Code == problem.NotFound {
		return p
	}
	return s.render(ctx, c, p.Status(), "ask", page{Data: d, Problem: s.problem(p, q.SQL)})
}

func (s *server) explain(ctx context.Context, c *call) error {
	return s.asked(ctx, c, func(q job.Ask, d *askData) error {
		x, err := s.c.Jobs.Explain(ctx, c.id, q)
		if err != nil {
			return err
		}
		d.Explain = explainOf(x)
		return nil
	})
}

func (s *server) ask(ctx context.Context, c *call) error {
	return s.asked(ctx, c, func(q job.Ask, d *askData) error {
		a, err := s.c.Jobs.Query(ctx, c.id, q)
		if err != nil {
			return err
		}
		d.Answer = answerOf(a, d.Tables, c.lang)
		d.Answer.SQL, d.Answer.AskedEpsilon, d.Answer.AskedRows = q.SQL, c.value("epsilon"), c.value("rows")
		d.Bar = barOf(a.Budget.EpsilonLeft, d.Grant.Budget.Epsilon)
		d.Grant.Budget.Left = a.Budget.EpsilonLeft
		return nil
	})
}

// askCSV gives the table of an answer as a file. It asks the same question again, which is answered from record.
func (s *server) askCSV(ctx context.Context, c *call) error {
	q, err := c.question()
	if err != nil {
		return err
	}
	a, err := s.c.Jobs.Query(ctx, c.id, q)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := a.Result.WriteCSV(&b); err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	c.w.Header().Set("Content-Disposition", `attachment; filename="`+a.ID+`.csv"`)
	_, _ = b.WriteTo(c.w)
	return nil
}

// answerOf writes an answer for people: codes with the catalogue's labels, numbers with their intervals.
func answerOf(a *job.Answer, tables []catalogue.TableView, lang string) *answerView {
	v := &answerView{Answer: a, Head: a.Result.Columns}
	names := make([]map[string]string, len(a.Result.Columns))
	for i, col := range a.Result.Columns {
		if col.Kind == "key" {
			names[i] = valueLabels(col, tables, lang)
		}
	}
	for _, row := range a.Result.Rows {
		var line []cellView
		for i, cell := range row {
			line = append(line, viewOf(cell, a.Result.Columns[i], names[i]))
		}
		v.Rows = append(v.Rows, line)
	}
	v.Charts = charts(v, lang)
	return v
}

// valueLabels finds the labels of a key's values: those of the catalogue field that carries the key's own label.
func valueLabels(col result.Column, tables []catalogue.TableView, lang string) map[string]string {
	for _, t := range tables {
		for _, f := range t.Fields {
			if f.Label.ZH != col.LabelZH || f.Label.EN != col.LabelEN || len(f.Values) == 0 {
				continue
			}
			out := map[string]string{}
			for _, value := range f.Values {
				out[value.Code] = value.Label.In(lang)
			}
			return out
		}
	}
	return nil
}

func viewOf(cell result.Cell, col result.Column, names map[string]string) cellView {
	v := cellView{}
	switch x := cell.Value.(type) {
	case nil:
		v.Text = "—"
	case float64:
		v.Number = true
		if v.Text = number(x); col.Kind == "key" {
			v.Text = strconv.FormatFloat(x, 'f', -1, 64) // a year is not 2,019
		}
	case string:
		v.Text = x
		if label := names[x]; label != "" && label != x {
			v.Text, v.Code = label, x
		}
	}
	if col.Interval == result.IntervalNoise {
		v.Interval = interval(cell.Lo, cell.Hi)
	}
	return v
}

func interval(lo, hi *float64) string {
	end := func(x *float64, open string) string {
		if x == nil {
			return open
		}
		return number(*x)
	}
	return end(lo, "−∞") + " … " + end(hi, "∞")
}
