package breakout

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The limits of the report's children: small, so that the bombs go off quickly.
const (
	engineMemory = 128 << 20
	dataLimit    = 512 << 20
	watchLimit   = dataLimit + 128<<20 // as the service adds it

	startTime = 30 * time.Second      // for a child to be ready, on a machine under load
	tryTime   = 20 * time.Second      // for an attempt to end by itself
	queryTime = 60 * time.Millisecond // the deadline of a statement
	graceTime = 60 * time.Millisecond // from it to the kill
)

// Config says what is tried.
type Config struct {
	Program string         // the child's program
	Only    func(Row) bool // nil: everything
	// Progress, if not nil, is told how many attempts are over; calls may come at the same time.
	Progress func(done, total int)
}

// Row is one attempt, or one look at what is outside.
type Row struct {
	Group   Group  `json:"group"`
	Role    string `json:"role,omitempty"` // of the child that tried
	Name    string `json:"name"`
	NameZH  string `json:"name_zh"`
	Tried   string `json:"tried"`
	Ended   string `json:"ended"`
	Blocked bool   `json:"blocked"` // for a look at what is outside: as it must be
}

// Design is what the jail leaves open on purpose.
type Design struct {
	Name   string `json:"name"`
	Why    string `json:"why"`
	NameZH string `json:"name_zh"`
	WhyZH  string `json:"why_zh"`
}

// Report is all rows.
type Report struct {
	Engine   string   `json:"engine"`
	Landlock int      `json:"landlock"`
	Attempts int      `json:"attempts"`
	Blocked  int      `json:"blocked"`
	Rows     []Row    `json:"rows"`
	Outside  []Row    `json:"outside"`
	ByDesign []Design `json:"by_design"`
}

// OK says whether every attempt was blocked and everything outside is as it was.
func (r Report) OK() bool {
	return r.Attempts > 0 && r.Blocked == r.Attempts && !slices.ContainsFunc(r.Outside, func(o Row) bool { return !o.Blocked })
}

// job is an attempt that waits for its child.
type job struct {
	row  Row
	door door
	try  string // the attempt's name or the statement
	ends []string
	slow bool // works until its deadline or a limit
}

// Run makes all attempts, several at a time, and looks at what is outside afterwards. The error means that there is no report.
func Run(ctx context.Context, c Config) (Report, error) {
	// Children die with the thread that started them.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s, err := build(c.Program)
	if err != nil {
		return Report{}, err
	}
	defer s.close()
	r := Report{Engine: s.ready.Engine, Landlock: s.ready.Landlock, ByDesign: byDesign()}
	r.Rows = s.run(ctx, choose(jobs(), c.Only), c.Progress)
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("report: %w", err)
	}
	r.Attempts = len(r.Rows)
	for _, row := range r.Rows {
		if row.Blocked {
			r.Blocked++
		}
	}
	r.Outside = append(s.run(ctx, controls(), nil), s.outside()...)
	return r, nil
}

// choose leaves out what is not wanted.
func choose(all []job, only func(Row) bool) []job {
	return slices.DeleteFunc(all, func(j job) bool { return only != nil && !only(j.row) })
}

// run makes the attempts and keeps their order.
func (s *site) run(ctx context.Context, jobs []job, progress func(done, total int)) []Row {
	var done atomic.Int64
	rows := make([]Row, len(jobs))
	next := make(chan []int)
	var workers sync.WaitGroup
	for range max(4, runtime.NumCPU()) {
		workers.Go(func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine, after all its children
			for group := range next {
				for at, end := range s.ends(picked(jobs, group)) {
					i := group[at]
					row := jobs[i].row
					row.Ended = end
					row.Blocked = slices.Contains(jobs[i].ends, row.Ended)
					rows[i] = row
				}
				if n := done.Add(int64(len(group))); progress != nil {
					progress(int(n), len(jobs))
				}
			}
		})
	}
	for _, group := range groups(jobs) {
		if ctx.Err() == nil {
			next <- group
		}
	}
	close(next)
	workers.Wait()
	return rows
}

func picked(jobs []job, at []int) []job {
	out := make([]job, len(at))
	for i, j := range at {
		out[i] = jobs[j]
	}
	return out
}

// byDesign is what the jail leaves open, and why.
func byDesign() []Design {
	return []Design{
		{"rdtsc, clock_gettime", "the engine and the runtime measure time; replies leave the service on a grid, not when they are ready", "rdtsc、clock_gettime", "引擎和运行时要计时；答复按时间格发出，不按完成时刻"},
		{"getcwd", "the engine aborts without it; it names the root and opens nothing", "getcwd", "没有它引擎会中止；它只说出根目录，打不开任何文件"},
		{"sysinfo, getrusage, sched_getaffinity", "the engine sizes itself by them; they tell the size of the machine", "sysinfo、getrusage、sched_getaffinity", "引擎据此确定规模；只透露机器大小"},
		{"memory and threads up to the limits", "a query needs them; past the limits the child fails or is killed", "限额内的内存和线程", "查询需要；超过限额则失败或被杀"},
		{"bytes on its own socket", "that is how answers come back; the parent reads frames of one shape and drops descriptors", "自己套接字上的字节", "答案由此返回；父进程只读一种格式的帧，丢弃描述符"},
		{"SELECT over duckdb_settings() that counts", "a count of settings is the same on every machine; what reads them as text is refused", "对 duckdb_settings() 计数", "设置的个数在任何机器上都一样；以文本读取则被拒绝"},
		{"caches of the processor", "side channels between tenants are not promised (README)", "处理器缓存", "租户之间的侧信道不在承诺之内（见 README）"},
	}
}
