package main

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"time"
)

// deid measures de-identification, part by part. -only chooses parts by their name.
func (b *bench) deid(ctx context.Context) error {
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"profile", b.profiling}, {"search", b.deidSearch}, {"local", b.deidLocal}, {"city", b.deidCity}, {"transform", b.transform}, {"risk", b.measuring}} {
		if !b.only.MatchString(part.name) {
			continue
		}
		b.tell("deid: %s", part.name)
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// judged prints a figure and says whether it reaches its target.
func (b *bench) judged(l line, got float64) error {
	if l.Target > 0 {
		met := got <= l.Target
		if l.Better == "higher" {
			met = got >= l.Target
		}
		l.Met = &met
	}
	return b.print(l)
}

// spent is what a process that has ended took.
type spent struct {
	cpu  time.Duration // user and system
	peak int64         // bytes resident at most
}

func spentBy(p *os.ProcessState) spent {
	s := spent{cpu: p.UserTime() + p.SystemTime()}
	if use, ok := p.SysUsage().(*syscall.Rusage); ok {
		s.peak = use.Maxrss << 10
	}
	return s
}
