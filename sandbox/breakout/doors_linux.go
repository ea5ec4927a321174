package breakout

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"carrel/sandbox/wire"
)

// door is a way to a child.
type door struct {
	name    string
	role    wire.Role
	open    func(s *site, tries []string) (room, string) // the child, or how it ended before it was one
	control string                                       // what must work in a child that made several attempts, at their end
}

// room is a child behind its door. It makes the attempts that open was told, in their order, each within its limit, and names their ends.
type room interface {
	try(what string, limit time.Duration) string
	leave()
}

// mostShared is how many attempts one child makes. It bounds what one end that nobody expected can spoil.
const mostShared = 16

// kernelDoor is a child that makes attempts on the kernel behind both walls, or behind Landlock alone.
func kernelDoor(alone bool) door {
	d := door{name: "kernel", role: wire.RoleEngine, control: controlAttempt}
	if alone {
		d.name = "landlock"
	}
	d.open = func(s *site, tries []string) (room, string) {
		return s.inmate(d.role, Task{Names: tries, Alone: alone, Target: s.target})
	}
	return d
}

// engineDoor is a child of a role whose engine is given statements past the child's own rules.
func engineDoor(role wire.Role) door {
	return door{name: "sql/" + string(role), role: role, control: `SELECT 42`, open: func(s *site, tries []string) (room, string) {
		t := Task{Target: s.target}
		for _, sql := range tries {
			t.SQL = append(t.SQL, s.aimed(sql))
		}
		return s.inmate(role, t)
	}}
}

// honest is a query that the report's table answers.
const honest = `SELECT count(*)::BIGINT FROM "visit"`

// queryDoor is a child that holds data and is given queries as a parent would that was taken over.
func queryDoor() door {
	return door{name: "query", role: wire.RoleEngine, control: honest, open: func(s *site, _ []string) (room, string) {
		c, end := s.start(wire.RoleEngine)
		if end != "" {
			return nil, end
		}
		open := wire.Open{Tables: []wire.Table{{Name: "visit", Rows: tableRows, Size: s.size, Columns: []wire.Column{{Name: "cost", Type: "int64"}}}}}
		f, err := wire.New(wire.KindOpen, open, nil, 1)
		if err != nil || c.ask(f, []int{int(s.table.Fd())}, startTime, wire.KindOpened) != Escaped {
			c.kill()
			return nil, "never tried"
		}
		return asked{s, c, wire.KindRows, func(sql string, limit time.Duration) (wire.Frame, error) {
			return wire.New(wire.KindRun, wire.Run{Columns: 1, MaxRows: 100, Deadline: limit.Milliseconds()}, []byte(sql), 0)
		}}, ""
	}}
}

// textDoor is a parser: its answer is a tree, which a text must not have that is no SELECT.
func textDoor() door {
	return door{name: "text", role: wire.RoleParser, control: `SELECT 42`, open: func(s *site, _ []string) (room, string) {
		c, end := s.start(wire.RoleParser)
		if end != "" {
			return nil, end
		}
		return asked{s, c, wire.KindTree, func(sql string, _ time.Duration) (wire.Frame, error) {
			return wire.New(wire.KindParse, wire.Parse{}, []byte(sql), 0)
		}}, ""
	}}
}

// viewDoor is a viewer, which the service uses once: no attempt shares a child with another.
func viewDoor() door {
	return door{name: "view", role: wire.RoleViewer, open: func(s *site, _ []string) (room, string) {
		c, end := s.start(wire.RoleViewer)
		if end != "" {
			return nil, end
		}
		return asked{s, c, wire.KindViewed, s.view}, ""
	}}
}

// view makes the frame of a user's SQL over a noised table. What is no text but a document is a tree that somebody altered on its way.
func (s *site) view(sql string, limit time.Duration) (wire.Frame, error) {
	tree := json.RawMessage(sql)
	if !strings.HasPrefix(sql, "{") {
		var err error
		if tree, err = s.tree(sql); err != nil {
			return wire.Frame{}, err
		}
	}
	table := wire.ViewTable{Name: "step_1", Columns: []wire.ViewColumn{{Name: "c1", Type: wire.TypeText}}, Rows: [][]any{{canary}}}
	body, err := json.Marshal(wire.ViewBody{Tree: tree, Tables: []wire.ViewTable{table}})
	if err != nil {
		return wire.Frame{}, err //nolint:wrapcheck // the caller names the end
	}
	return wire.New(wire.KindView, wire.View{MaxRows: 100, Deadline: limit.Milliseconds()}, body, 0) //nolint:wrapcheck // likewise
}

// asked is a child of the service's kind that is sent frames.
type asked struct {
	s     *site
	c     *child
	want  wire.Kind
	frame func(what string, limit time.Duration) (wire.Frame, error)
}

func (a asked) leave() { a.c.kill() }

func (a asked) try(what string, limit time.Duration) string {
	f, err := a.frame(a.s.aimed(what), limit)
	if err != nil {
		return "never tried"
	}
	r, end := a.c.answer(f, nil, limit+graceTime, a.want)
	switch {
	case end != "":
		return end
	case a.want == wire.KindViewed && rowless(r):
		return Nothing
	}
	return Escaped
}

// rowless says that a view has no row: what the statement looked for is not there.
func rowless(f wire.Frame) bool {
	var t wire.ViewTable
	return json.Unmarshal(f.Payload, &t) == nil && len(t.Rows) == 0
}

// inmate is a child that carries out a task and says line by line how it goes.
type inmate struct {
	c     *child
	lines *bufio.Reader
}

// inmate starts such a child and waits until the walls are closed.
func (s *site) inmate(role wire.Role, t Task) (room, string) {
	task, err := json.Marshal(t)
	if err != nil {
		return nil, "never tried"
	}
	c, end := s.spawn(role, AttemptArg, string(task))
	if end != "" {
		return nil, end
	}
	const longest = 200 // of a line; a child that says more is not believed
	r := inmate{c, bufio.NewReader(io.LimitReader(c.proc.Conn, longest*int64(1+max(len(t.Names), len(t.SQL)))))}
	if said, err := r.line(startTime); err != nil || said != strings.TrimSpace(Ready) {
		c.kill()
		return nil, "never tried"
	}
	return r, ""
}

func (r inmate) line(limit time.Duration) (string, error) {
	if err := r.c.proc.Conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return "", err //nolint:wrapcheck // the caller names the end
	}
	said, err := r.lines.ReadString('\n')
	return strings.TrimSpace(said), err //nolint:wrapcheck // likewise
}

func (r inmate) leave() { r.c.kill() }

func (r inmate) try(_ string, limit time.Duration) string {
	said, err := r.line(limit)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		r.c.kill()
		return Limited
	case said != "" && err == nil:
		return said
	case err == nil:
		return "said nothing"
	}
	return r.c.wait()
}

// aimed puts the target's folder and port into a statement.
func (s *site) aimed(sql string) string {
	return strings.NewReplacer("{dir}", s.target.Dir, "{port}", strconv.Itoa(s.target.Port)).Replace(sql)
}

// shares says whether an attempt may be one of several of a child: the jail ends it by a plain refusal, which leaves the child as it was. An
// attempt that kills its child, or works up to a limit, has one of its own.
func (j job) shares() bool {
	return j.door.control != "" && !slices.ContainsFunc(j.ends, func(end string) bool {
		switch end {
		case "EACCES", "EPERM", "EINVAL", "ENOSYS":
			return false
		}
		return !strings.HasPrefix(end, "engine: ") && !strings.HasPrefix(end, "refused: ") || j.slow
	})
}

// groups puts attempts together that share a child: those of one door, few at a time. What takes its time goes first, so that the end does not
// wait for it.
func groups(jobs []job) [][]int {
	var slow, single, out [][]int
	open := map[string]int{}
	for i, j := range jobs {
		switch at, ok := open[j.door.name]; {
		case slices.Contains(j.ends, Limited):
			slow = append(slow, []int{i})
		case !j.shares():
			single = append(single, []int{i})
		case ok && len(out[at]) < mostShared:
			out[at] = append(out[at], i)
		default:
			open[j.door.name] = len(out)
			out = append(out, []int{i})
		}
	}
	return slices.Concat(slow, out, single)
}

// ends makes attempts of one door and names their ends. Where several shared a child it must still do at the end what is allowed, else its
// refusals prove nothing and each is made again in a child of its own.
func (s *site) ends(jobs []job) []string {
	ends, sound := s.together(jobs)
	if sound {
		return ends
	}
	for i, j := range jobs {
		alone, _ := s.together([]job{j})
		ends[i] = alone[0]
	}
	return ends
}

// together makes attempts in one child for as long as each ends as it should; after another end the rest goes to the next.
func (s *site) together(jobs []job) (ends []string, sound bool) {
	sound = true
	d := jobs[0].door
	for len(ends) < len(jobs) {
		var tries []string
		for _, j := range jobs[len(ends):] {
			tries = append(tries, j.try)
		}
		if len(jobs) > 1 {
			tries = append(tries, d.control)
		}
		r, end := d.open(s, tries)
		if end != "" {
			ends = append(ends, end)
			continue
		}
		expected := true
		for expected && len(ends) < len(jobs) {
			j := jobs[len(ends)]
			end := r.try(j.try, j.limit())
			ends, expected = append(ends, end), slices.Contains(j.ends, end)
		}
		if len(jobs) > 1 && expected {
			sound = sound && r.try(d.control, tryTime) == Escaped
		}
		r.leave()
	}
	return ends, sound
}

// limit is how long an attempt may take.
func (j job) limit() time.Duration {
	switch {
	case !j.slow:
		return tryTime
	case strings.HasPrefix(j.door.name, "sql/"):
		return queryTime + graceTime // nobody interrupts the engine there
	default:
		return queryTime
	}
}
