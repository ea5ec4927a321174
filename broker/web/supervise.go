package web

import (
	"context"
	"math"

	"carrel/broker/supervise"
	"carrel/policy"
)

// supervision is the supervisor's page: an overview of the territory with a plot of its use.
type supervision struct {
	*supervise.Overview
	Plot usePlot
}

// usePlot is the days of a period as columns: what was done above what was refused.
type usePlot struct {
	Width, Height int
	Columns       []column
	Top           int // entries of the highest column
	Left, Bottom  int
}

type column struct {
	X, W               int
	Y, H               int // allowed
	RefusedY, RefusedH int
	Title              string
	Label              string // of some of them
}

const (
	useHeight = 150
	useLeft   = 46
	useEvery  = 7 // days between two labels
)

func plotUse(days []supervise.Day) usePlot {
	p := usePlot{Width: chartWidth, Height: useHeight + chartTop + chartFoot, Left: useLeft, Bottom: useHeight + chartTop}
	for _, d := range days {
		p.Top = max(p.Top, d.Queries+d.Other+d.Refused)
	}
	if p.Top == 0 || len(days) == 0 {
		return p
	}
	width := (chartWidth - useLeft - chartRight) / len(days)
	height := func(n int) int { return int(math.Round(float64(n) / float64(p.Top) * useHeight)) }
	for i, d := range days {
		c := column{X: useLeft + i*width, W: max(1, width-2), H: height(d.Queries + d.Other), RefusedH: height(d.Refused)}
		c.Y = p.Bottom - c.H
		c.RefusedY = c.Y - c.RefusedH
		c.Title = string(d.Day) + ": " + number(float64(d.Queries+d.Other)) + " / " + number(float64(d.Refused))
		if i%useEvery == 0 {
			c.Label = string(d.Day)[5:]
		}
		p.Columns = append(p.Columns, c)
	}
	return p
}

func (c *call) period() supervise.Period {
	return supervise.Period{From: policy.Date(c.value("from")), To: policy.Date(c.value("to"))}
}

func (s *server) supervision(ctx context.Context, c *call) error {
	o, err := s.c.Supervision.Overview(ctx, c.id, c.period())
	if err != nil {
		return err
	}
	return s.show(ctx, c, "supervision", page{Data: supervision{o, plotUse(o.Days)}})
}

// patrol and inspection are made to be printed: the style sheet leaves out what belongs to a screen.
func (s *server) patrol(ctx context.Context, c *call) error {
	p, err := s.c.Supervision.Patrol(ctx, c.id, c.period())
	if err != nil {
		return err
	}
	return s.show(ctx, c, "patrol", page{Data: &supervise.Inspection{Overview: p.Overview, Checks: p.Checks}})
}

func (s *server) inspection(ctx context.Context, c *call) error {
	i, err := s.c.Supervision.Inspection(ctx, c.id, c.value("unit"), c.period())
	if err != nil {
		return err
	}
	return s.show(ctx, c, "patrol", page{Data: i})
}
