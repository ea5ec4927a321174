package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"carrel/sandbox/wire"
)

// Interfaces that the pool and its sessions keep.
var (
	_ Engine = (*Pool)(nil)
	_ Runner = (*Session)(nil)
)

// openTime is how long a child may take to map its tables and register them.
const openTime = 30 * time.Second

// retryTime is the pause after a child could not be started.
const retryTime = time.Second

// Pool owns all children. It is safe for concurrent use.
type Pool struct {
	cfg     Config
	log     *slog.Logger
	spawn   *spawner
	files   *files
	parsers chan *child   // one slot each; nil: to be started
	spares  chan *child   // handed over by the keepers
	viewers chan *child   // likewise
	views   chan struct{} // one token each while it runs

	ctx  context.Context //nolint:containedctx // the life of the pool, not of a call
	end  context.CancelFunc
	wg   sync.WaitGroup // keepers and replacements
	jobs sync.WaitGroup // running calls

	mu       sync.Mutex
	closed   bool
	sessions map[string]*entry
	changed  chan struct{} // closed and replaced when a session becomes idle or leaves
	kills    int64
}

// New checks the binary and starts the first parser, so that a machine that cannot hold the jail says so at start. When ctx
// ends all children are killed; running queries fail.
func New(ctx context.Context, c Config) (*Pool, error) {
	cfg, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	if cfg.Free == nil {
		cfg.Free = free
	}
	program, err := checkBinary(cfg.Binary)
	if err != nil {
		return nil, err
	}
	p := &Pool{
		cfg: cfg, log: cfg.Logger,
		files:    &files{open: map[string]*file{}, free: cfg.Free},
		parsers:  make(chan *child, cfg.Parsers),
		spares:   make(chan *child),
		viewers:  make(chan *child),
		views:    make(chan struct{}, cfg.Views),
		sessions: map[string]*entry{},
		changed:  make(chan struct{}),
	}
	p.ctx, p.end = context.WithCancel(ctx)
	p.spawn = newSpawner(p.ctx, program)
	first, err := p.spawn.start(p.ctx, p.init(wire.RoleParser))
	if err != nil {
		p.end()
		return nil, beforeData("the jail does not start", err)
	}
	p.log.Info("sandbox ready", slog.String("engine", first.ready.Engine), slog.Int("landlock_abi", first.ready.Landlock))
	p.parsers <- first
	for range cfg.Parsers - 1 {
		p.replaceParser()
	}
	for range cfg.Spares {
		p.wg.Go(func() { p.keep(wire.RoleEngine, p.spares) })
	}
	for range cfg.Viewers {
		p.wg.Go(func() { p.keep(wire.RoleViewer, p.viewers) })
	}
	// The end of ctx ends the pool, whoever calls Close later.
	p.wg.Go(func() {
		<-p.ctx.Done()
		p.killSessions()
	})
	return p, nil
}

// init is the first frame of a child of a role.
func (p *Pool) init(r wire.Role) wire.Init {
	m := wire.Init{Role: r, Threads: p.cfg.Threads, Memory: p.cfg.MemoryLimit * 3 / 4, Data: uint64(p.cfg.MemoryLimit) + 256<<20}
	if r != wire.RoleEngine {
		m.Threads, m.Memory, m.Data = 1, 128<<20, 512<<20
	}
	return m
}

// keep keeps one warm child of a role, without data, ready to be taken.
func (p *Pool) keep(r wire.Role, to chan<- *child) {
	for p.ctx.Err() == nil {
		c, err := p.spawn.start(p.ctx, p.init(r))
		if err != nil {
			if p.ctx.Err() != nil {
				return // the pool closes
			}
			p.log.Warn("sandbox: no spare child", slog.Any("error", err))
			p.pause()
			continue
		}
		select {
		case to <- c:
		case <-c.gone:
			c.kill()
			p.pause()
		case <-p.ctx.Done():
			c.kill()
		}
	}
}

// pause waits before the next try.
func (p *Pool) pause() {
	t := time.NewTimer(retryTime)
	defer t.Stop()
	select {
	case <-t.C:
	case <-p.ctx.Done():
	}
}

// take gives a warm child without data: a spare when there is one, else a new one.
func (p *Pool) take(ctx context.Context) (*child, error) {
	select {
	case c := <-p.spares:
		if c.alive() {
			return c, nil
		}
		c.kill()
	default:
	}
	return p.spawn.start(ctx, p.init(wire.RoleEngine))
}

// begin counts a call in; a closed pool takes none.
func (p *Pool) begin() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.ctx.Err() != nil {
		return beforeData("the sandbox is closed", nil)
	}
	p.jobs.Add(1)
	return nil
}

// Parse gives the syntax tree of one SELECT, as the whole document of json_serialize_sql; its reader must not trust it. Errors:
// *ParseError when the text is at fault, ErrBeforeData when the machine is, ctx's own.
func (p *Pool) Parse(ctx context.Context, sql string) (json.RawMessage, error) {
	if code, offset := wire.CheckText([]byte(sql)); code != "" {
		return nil, parseError(wire.Fail{Code: code, Offset: offset})
	}
	f, err := wire.New(wire.KindParse, wire.Parse{}, []byte(sql), 0)
	if err != nil {
		return nil, parseError(wire.Fail{Code: wire.CodeTooLong, Offset: -1})
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	defer p.jobs.Done()
	c, err := p.parser(ctx)
	if err != nil {
		return nil, err
	}
	r, err := c.call(ctx, f, nil, p.cfg.ParseDeadline, wire.KindTree)
	var said failed
	switch {
	case err == nil:
		p.backParser(c)
		return r.Payload, nil
	case errors.As(err, &said) && said.Code != wire.CodeEngine:
		p.backParser(c)
		return nil, parseError(said.Fail)
	}
	p.drop(c)
	p.replaceParser()
	if ctx.Err() != nil {
		return nil, ctx.Err() //nolint:wrapcheck // the caller's own
	}
	p.log.Warn("sandbox: parser killed", slog.Any("why", err))
	return nil, parseError(wire.Fail{Code: codeComplex, Offset: -1})
}

// parser waits for a parser child. A slot that holds none, or a dead one, is filled on the spot.
func (p *Pool) parser(ctx context.Context) (*child, error) {
	var c *child
	select {
	case c = <-p.parsers:
	case <-ctx.Done():
		return nil, ctx.Err() //nolint:wrapcheck // the caller's own
	case <-p.ctx.Done():
		return nil, beforeData("the sandbox is closed", nil)
	}
	if c != nil && c.alive() {
		return c, nil
	}
	if c != nil {
		p.drop(c)
	}
	c, err := p.spawn.start(ctx, p.init(wire.RoleParser))
	if err != nil {
		p.parsers <- nil
		return nil, beforeData("no parser", err)
	}
	return c, nil
}

// backParser returns a parser to its slot, or replaces it when it has worked long enough or has grown.
func (p *Pool) backParser(c *child) {
	const parses, growth = 10_000, 128 << 20
	c.jobs++
	if c.jobs >= parses || c.jobs%64 == 0 && c.memory() > c.base+growth {
		c.kill()
		p.replaceParser()
		return
	}
	p.parsers <- c
}

// replaceParser fills one slot in the background.
func (p *Pool) replaceParser() {
	p.wg.Go(func() {
		c, err := p.spawn.start(p.ctx, p.init(wire.RoleParser))
		if err != nil {
			c = nil // the next caller tries again and gets the error
		}
		p.parsers <- c // there is always room: one slot a parser
	})
}

// drop kills a child and counts it.
func (p *Pool) drop(c *child) {
	c.kill()
	p.mu.Lock()
	p.kills++
	p.mu.Unlock()
}

// Stats are numbers for operators.
type Stats struct {
	Sessions int   // sessions open, running or idle
	Files    int   // memory files held
	Kills    int64 // children killed for a fault since the start
}

// Stats says how things stand.
func (p *Pool) Stats() Stats {
	p.files.mu.Lock()
	n := len(p.files.open)
	p.files.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	return Stats{Sessions: len(p.sessions), Files: n, Kills: p.kills}
}

// Close takes no new calls, waits for running ones (their deadlines bound them), ends all children and waits for them.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.jobs.Wait()
	p.end()
	p.wg.Wait()
	for range p.cfg.Parsers {
		select {
		case c := <-p.parsers:
			if c != nil {
				c.kill()
			}
		default:
		}
	}
	p.closeIdle()
	return nil
}
