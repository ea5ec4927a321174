package notice

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// The states of a message, and how long it is tried.
const (
	StateQueued = "queued"
	StateSent   = "sent"
	StateFailed = "failed"

	firstPause  = 30 * time.Second
	longestWait = 6 * time.Hour
	giveUp      = 5 * 24 * time.Hour // as mail servers do, RFC 5321 section 4.5.4.1
	onePage     = store.ListMax
)

// post is one message on its way. It names its notice; words and address are read when it goes out, so that what was erased since
// does not leave.
type post struct {
	ID      string    `json:"id"`
	To      string    `json:"to"` // mail/ACCOUNT, code/ACCOUNT or hook/ID
	Notice  Notice    `json:"notice,omitzero"`
	At      time.Time `json:"at"`
	Tries   int       `json:"tries"`
	Next    time.Time `json:"next"`
	Trouble string    `json:"trouble,omitempty"` // a class of error, never a server's words
	Tried   time.Time `json:"tried,omitzero"`    // the last time
}

func (s *Service) queue(ctx context.Context, tx *store.Tx, to string, n Notice) error {
	now := s.desk.Now().UTC()
	p := post{ID: act.NewID("ms"), To: to, Notice: n, At: now, Next: now}
	if err := tx.Put(ctx, postKind, p.ID, 0, store.Index{State: StateQueued, Parent: to}, p); err != nil {
		return fmt.Errorf("notice: queue: %w", err)
	}
	return nil
}

// mailed queues a notice for its reader's address, if she has one that she confirmed.
func (s *Service) mailed(ctx context.Context, tx *store.Tx, n Notice) error {
	if s.c.Mailer == nil {
		return nil
	}
	ch, _, err := s.channel(ctx, tx, n.Account)
	if err != nil || !ch.Confirmed || ch.Address.ID == "" {
		return err
	}
	return s.queue(ctx, tx, "mail/"+n.Account, n)
}

func (s *Service) sendCode(ctx context.Context, tx *store.Tx, ch *Channel) error {
	return s.queue(ctx, tx, "code/"+ch.Account, Notice{})
}

// Wake lets Work look at the queue at once.
func (s *Service) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Every is how often Work looks.
const Every = 5 * time.Second

// Work sends what is queued until ctx ends: when it is woken, and whenever it is told that it is time.
func (s *Service) Work(ctx context.Context, ticks <-chan time.Time) {
	for {
		if _, err := s.Deliver(ctx); err != nil && ctx.Err() == nil {
			s.c.Logger.ErrorContext(ctx, "deliver notices", slog.String("error", err.Error()))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks:
		case <-s.wake:
		}
	}
}

// Deliver tries once what is queued and due, each destination in the order in which it was queued: a message that cannot go out
// holds up those behind it, to this destination only. It returns how many went out.
func (s *Service) Deliver(ctx context.Context) (int, error) {
	var queued []store.Doc
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		queued, err = tx.List(ctx, postKind, store.Filter{State: StateQueued, Limit: onePage})
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("notice: read the queue: %w", err)
	}
	held := map[string]bool{}
	sent := 0
	for _, d := range queued {
		if held[d.Parent] || ctx.Err() != nil {
			continue
		}
		out, err := s.deliver(ctx, d)
		if err != nil {
			return sent, err
		}
		if out {
			sent++
		} else {
			held[d.Parent] = true
		}
	}
	return sent, s.account(ctx)
}

// deliver tries one message and notes what came of it. False means that it is still to be sent.
func (s *Service) deliver(ctx context.Context, d store.Doc) (bool, error) {
	var p post
	if err := d.Decode(&p); err != nil {
		return false, fmt.Errorf("notice: queue: %w", err)
	}
	now := s.desk.Now().UTC()
	if p.Next.After(now) {
		return false, nil
	}
	err := s.send(ctx, p)
	if stopped := ctx.Err(); stopped != nil { // which is not the receiver's failure
		return false, stopped
	}
	state := StateSent
	p.Tries, p.Tried = p.Tries+1, now
	if err != nil {
		p.Trouble = trouble(err)
		p.Next = now.Add(min(firstPause<<min(p.Tries-1, 20), longestWait))
		state = StateQueued
		if now.Sub(p.At) >= giveUp {
			state = StateFailed
		}
		s.c.Logger.WarnContext(ctx, "a notice did not go out", slog.String("message", p.ID), slog.String("trouble", p.Trouble), slog.Int("tries", p.Tries), slog.String("state", state))
	}
	err = s.desk.Store.Update(ctx, func(tx *store.Tx) error {
		return tx.Put(ctx, postKind, p.ID, d.Rev, store.Index{State: state, Parent: p.To, Owner: unaccounted}, p)
	})
	if err != nil {
		return false, fmt.Errorf("notice: note a delivery: %w", err)
	}
	return state != StateQueued, nil
}

// errRefused marks what a receiver will not take however often it is tried.
var errRefused = errors.New("refused by the receiver")

func trouble(err error) string {
	switch {
	case errors.Is(err, errRefused):
		return "refused"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "unreachable"
}

// Queue is how messages to one destination stand. A destination is named by its number or account, never by an address.
type Queue struct {
	To      string     `json:"to"`
	State   string     `json:"state"`
	Count   int        `json:"count"`
	Oldest  time.Time  `json:"oldest"`
	Next    *time.Time `json:"next,omitempty"`
	Trouble string     `json:"trouble,omitempty"`
}

// Queues shows the administrator what has not gone out.
func (s *Service) Queues(ctx context.Context, id auth.Identity) ([]Queue, error) {
	out := []Queue{}
	err := s.desk.Browse(ctx, id, act.Step{Kind: "notice.queues-viewed", Object: "notices"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "notice.queues"})
		if err != nil {
			return dec, err
		}
		for _, state := range []string{StateQueued, StateFailed} {
			docs, err := tx.List(ctx, postKind, store.Filter{State: state, Limit: onePage})
			if err != nil {
				return dec, fmt.Errorf("notice: queues: %w", err)
			}
			if out, err = counted(out, docs); err != nil {
				return dec, err
			}
		}
		return dec, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func counted(out []Queue, docs []store.Doc) ([]Queue, error) {
	at := map[string]int{}
	for _, d := range docs {
		var p post
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("notice: queues: %w", err)
		}
		i, ok := at[p.To]
		if !ok {
			i = len(out)
			at[p.To] = i
			out = append(out, Queue{To: p.To, State: d.State, Oldest: p.At, Trouble: p.Trouble})
			if d.State == StateQueued {
				out[i].Next = &p.Next
			}
		}
		out[i].Count++
	}
	return out, nil
}

// send hands one message over.
func (s *Service) send(ctx context.Context, p post) error {
	kind, to, err := destination(p.To)
	if err != nil {
		return err
	}
	if kind == "hook" {
		return s.call(ctx, to, p)
	}
	if s.c.Mailer == nil {
		return problem.New(problem.Unavailable, "未配置邮件服务器。", "There is no mail server.")
	}
	return s.mail(ctx, kind, to, p)
}
