package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"carrel/anonymize/answer"
	"carrel/anonymize/ledger"
	"carrel/sandbox/wire"
)

// entry is one (key, source) that the pool knows: its memory files and, once a query ran, its child. busy guards the rest.
type entry struct {
	id    string
	src   Source
	files []*file
	child *child
	busy  bool
	used  time.Time
}

// Session runs queries for one key over one source. It is a name: what it needs is taken from the pool at each Run, so an
// idle one may lose its child and will get another. It is safe for concurrent use; its queries run one after another.
type Session struct {
	pool *Pool
	id   string
	src  Source
}

// Session prepares to run queries for a key (the grant) over a source: it checks the source and makes its memory files, and
// gives nothing to any child. It never waits for a query that runs, the files are then made by Run: whoever waited here, before any
// charge, would be told for nothing how long another query's data took. Errors wrap ErrBeforeData, or are ctx's own.
func (p *Pool) Session(ctx context.Context, key string, src Source) (*Session, error) {
	if err := openMessage(src).Validate(); err != nil {
		return nil, beforeData("the extract cannot be scanned", err)
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	defer p.jobs.Done()
	s := &Session{pool: p, id: key + "\x00" + src.ID() + "\x00" + src.Choice().Version, src: src}
	e, err := p.acquire(ctx, s.id, src, false)
	if errors.Is(err, errNoPlace) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	p.release(e)
	return s, nil
}

// errNoPlace says that there is no entry without waiting.
var errNoPlace = errors.New("no place is free")

// Open is Session as Engine has it.
func (p *Pool) Open(ctx context.Context, key string, src Source) (Runner, error) {
	s, err := p.Session(ctx, key, src)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// openMessage describes a source without its sizes, which acquire learns.
func openMessage(src Source) wire.Open {
	who := src.Choice()
	m := wire.Open{Persons: len(who.Persons), Only: who.Only}
	for _, t := range src.Tables() {
		w := wire.Table{Name: t.Name, Rows: t.Rows, Size: 1, Unit: t.Unit}
		for _, c := range t.Columns {
			w.Columns = append(w.Columns, wire.Column(c))
		}
		m.Tables = append(m.Tables, w)
	}
	return m
}

// acquire gives the caller an entry for itself. Above the cap the least recently used idle one leaves; when all are busy the
// caller waits, if it wants to.
func (p *Pool) acquire(ctx context.Context, id string, src Source, wait bool) (*entry, error) {
	for {
		p.mu.Lock()
		e, room, changed := p.sessions[id], len(p.sessions) < p.cfg.Sessions, p.changed
		var leaving *entry
		switch {
		case e != nil && !e.busy:
			e.busy = true
			p.mu.Unlock()
			return e, nil
		case e == nil && room:
			e = &entry{id: id, src: src, busy: true}
			p.sessions[id] = e
			p.mu.Unlock()
			return p.fill(e)
		case e == nil:
			leaving = p.oldestIdle()
		}
		p.mu.Unlock()
		if leaving != nil {
			p.forget(leaving)
			continue
		}
		if !wait {
			return nil, errNoPlace
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, beforeData("cancelled while waiting for a place", ctx.Err())
		case <-p.ctx.Done():
			return nil, beforeData("the sandbox is closed", nil)
		}
	}
}

// fill makes the memory files of a new entry.
func (p *Pool) fill(e *entry) (*entry, error) {
	var err error
	if e.files, err = p.files.acquire(e.src); err != nil {
		p.forget(e)
		return nil, beforeData("the extract cannot be opened", err)
	}
	return e, nil
}

// oldestIdle picks the idle entry that was used longest ago and makes it busy; nil when there is none. The caller holds mu.
func (p *Pool) oldestIdle() *entry {
	var oldest *entry
	for _, e := range p.sessions {
		if !e.busy && (oldest == nil || e.used.Before(oldest.used)) {
			oldest = e
		}
	}
	if oldest != nil {
		oldest.busy = true
	}
	return oldest
}

// release makes an entry idle. When the pool's life is over it goes at once.
func (p *Pool) release(e *entry) {
	if p.ctx.Err() != nil {
		p.forget(e)
		return
	}
	p.mu.Lock()
	e.busy, e.used = false, time.Now()
	p.signal()
	p.mu.Unlock()
}

// forget ends a busy entry: its child, its place, its share of the memory files.
func (p *Pool) forget(e *entry) {
	if e.child != nil {
		e.child.kill()
	}
	if e.files != nil {
		p.files.release(e.src, len(e.files))
	}
	p.mu.Lock()
	delete(p.sessions, e.id)
	p.signal()
	p.mu.Unlock()
}

// signal wakes everybody who waits for a place. The caller holds mu.
func (p *Pool) signal() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// closeIdle forgets all idle entries.
func (p *Pool) closeIdle() {
	for {
		p.mu.Lock()
		e := p.oldestIdle()
		p.mu.Unlock()
		if e == nil {
			return
		}
		p.forget(e)
	}
}

// killSessions is the hard end: idle entries go, busy children are killed under their queries, which then fail.
func (p *Pool) killSessions() {
	p.closeIdle()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, e := range p.sessions {
		if c := e.child; c != nil {
			_ = c.proc.Cmd.Process.Kill() // its user sees the socket close
		}
	}
}

// Run evaluates the generated SELECTs of one plan. st is the committed start of a charged reservation: without it nothing runs. Until the child is given the first, errors wrap ErrBeforeData; after that every error is ErrUniform,
// a cancelled ctx included. One start reaches a child once, whatever came of it. The deadline is that of all together.
//
// Scanned says for each table its rows as counted by complete scans. A scan that the engine stopped early, or skipped, is
// accepted only with an empty answer (no row, or nothing but zeros), because the engine may do so only when the other side of an inner join is
// empty and then no row of this table could matter; generated SQL has no LIMIT. In a statement that Skips a side of a join may be empty
// inside a subquery, with an answer that is not: there an incomplete scan is left out of Scanned, since a failure would tell that it was.
func (s *Session) Run(ctx context.Context, st *ledger.Started, statements []Statement) ([]answer.Aggregates, error) {
	if err := st.Usable(); err != nil {
		return nil, beforeData("no started reservation", err)
	}
	return s.run(ctx, start{id: st.ID(), give: st.Give}, statements)
}

// start is a started reservation: its name, and the right to give its query to a child, which can be taken once.
type start struct {
	id   string
	give func() error
}

// run is Run for a reservation whose start was checked.
func (s *Session) run(ctx context.Context, st start, statements []Statement) ([]answer.Aggregates, error) {
	var frames []wire.Frame
	for _, q := range statements {
		f, err := s.job(ctx, q.SQL, q.Tables, q.Columns)
		if err != nil {
			return nil, err
		}
		frames = append(frames, f)
	}
	if len(frames) == 0 {
		return nil, beforeData("no query", nil)
	}
	if err := s.pool.begin(); err != nil {
		return nil, err
	}
	defer s.pool.jobs.Done()
	e, err := s.pool.acquire(ctx, s.id, s.src, true)
	if err != nil {
		return nil, err
	}
	defer s.pool.release(e)
	if err := s.pool.ready(ctx, e); err != nil {
		return nil, err
	}
	// Before the first byte, and by the parent: what a child says, or how it ends, never makes a fault an honest one.
	if err := st.give(); err != nil {
		return nil, ErrUniform // a second run of one start would be a retry that may depend on the data
	}
	ctx, cancel := context.WithTimeout(ctx, s.pool.cfg.Deadline+s.pool.cfg.Grace)
	defer cancel()
	var out []answer.Aggregates
	for i, f := range frames {
		a, err := s.pool.ask(ctx, e, f, statements[i].Tables, statements[i].Skips)
		if err != nil {
			// The class goes to the operator's log; the caller learns nothing.
			s.pool.log.Warn("sandbox: query failed", slog.String("reservation", st.id), slog.Any("why", err))
			s.pool.retire(e)
			return nil, ErrUniform
		}
		out = append(out, a)
	}
	s.pool.recycle(e)
	return out, nil
}

// job makes the frame of a query and refuses what the child would refuse, while that is still honest.
func (s *Session) job(ctx context.Context, sql string, tables []string, columns int) (wire.Frame, error) {
	cfg := s.pool.cfg
	if !Holds(1, columns) || sql == "" || strings.IndexByte(sql, 0) >= 0 || !utf8.ValidString(sql) {
		return wire.Frame{}, beforeData("not a generated query", nil)
	}
	for _, name := range tables {
		if !slices.ContainsFunc(s.src.Tables(), func(t SourceTable) bool { return t.Name == name }) {
			return wire.Frame{}, beforeData("the extract has no such table", nil)
		}
	}
	deadline := cfg.Deadline
	if at, ok := ctx.Deadline(); ok {
		deadline = min(deadline, time.Until(at))
	}
	// As many rows as any answer may have: no plan that Holds can meet this limit, and the gate knows the plan's own.
	m := wire.Run{Columns: columns, MaxRows: wire.MaxCells / columns, Deadline: max(1, deadline.Milliseconds())}
	f, err := wire.New(wire.KindRun, m, []byte(sql), 0)
	if err != nil {
		return wire.Frame{}, beforeData("the generated query is too long", nil)
	}
	return f, nil
}

// ready sees to it that the entry has a living child. A child that died while idle was given no query: another takes its
// place, and nobody learns of it.
func (p *Pool) ready(ctx context.Context, e *entry) error {
	if e.child != nil && e.child.alive() {
		return nil
	}
	p.retire(e)
	c, err := p.take(ctx)
	if err != nil {
		return beforeData("no child", err)
	}
	p.mu.Lock()
	e.child = c
	p.mu.Unlock()
	if p.ctx.Err() != nil { // the hard end may have missed this one
		return beforeData("the sandbox is closed", nil)
	}
	return nil
}

// ask gives the child its extract, if it has none, and the query. From here on nothing is honest any more.
func (p *Pool) ask(ctx context.Context, e *entry, f wire.Frame, tables []string, skips bool) (answer.Aggregates, error) {
	var none answer.Aggregates
	c := e.child
	over := c.proc.Watch(p.cfg.MemoryLimit + 128<<20)
	r, err := p.give(ctx, e, f)
	if over() && err != nil {
		return none, errors.Join(errChild, errors.New("memory"))
	}
	if err != nil {
		return none, err
	}
	var m wire.Rows
	if err := wire.Decode(r, &m); err != nil {
		return none, err
	}
	var asked wire.Run
	if err := wire.Decode(f, &asked); err != nil {
		return none, err
	}
	if m.Columns != asked.Columns || m.Rows > asked.MaxRows {
		return none, errors.Join(errChild, errors.New("shape"))
	}
	cells, err := wire.Cells(m, r.Payload)
	if err != nil {
		return none, err
	}
	scanned, err := checkScans(e.src, tables, m.Scans, cells, skips)
	if err != nil {
		return none, err
	}
	c.jobs++
	return answer.Aggregates{Columns: cells, Scanned: scanned}, nil
}

// give sends what the child needs. A child's first frame with data is its extract.
func (p *Pool) give(ctx context.Context, e *entry, f wire.Frame) (wire.Frame, error) {
	if e.child.jobs == 0 {
		m := openMessage(e.src)
		var fds []int
		for i, file := range e.files {
			m.Tables[i].Size = file.size
			fds = append(fds, int(file.f.Fd()))
		}
		open, err := wire.New(wire.KindOpen, m, wire.PackPersons(e.src.Choice().Persons), len(fds))
		if err != nil {
			return wire.Frame{}, err
		}
		r, err := e.child.call(ctx, open, fds, openTime, wire.KindOpened)
		if err != nil {
			return wire.Frame{}, err
		}
		var got wire.Opened
		if err := wire.Decode(r, &got); err != nil {
			return wire.Frame{}, err
		}
		if got != (wire.Opened{Persons: m.Persons, Only: m.Only}) { // an older child would leave nobody out
			return wire.Frame{}, errors.Join(errChild, errors.New("persons"))
		}
	}
	return e.child.call(ctx, f, nil, p.cfg.Deadline+p.cfg.Grace, wire.KindRows)
}

// retire kills the entry's child, if any.
func (p *Pool) retire(e *entry) {
	if e.child == nil {
		return
	}
	p.drop(e.child)
	p.mu.Lock()
	e.child = nil
	p.mu.Unlock()
}

// recycle replaces a child that has worked long enough or kept much memory.
func (p *Pool) recycle(e *entry) {
	c := e.child
	if c.jobs >= p.cfg.JobsPerChild || c.jobs%32 == 0 && c.memory() > p.cfg.MemoryLimit/2 {
		c.kill()
		p.mu.Lock()
		e.child = nil
		p.mu.Unlock()
	}
}
