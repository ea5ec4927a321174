// Command bench measures what Carrel promises about speed and memory, on a machine of two cores, as ratios taken in the same run.
//
//	go run ./cmd/carrel/bench -family query -rows 1000000
//
// It writes one JSON object a line to standard output and tells what it does on standard error. Every answer it times is a fresh
// charge and a fresh draw, measured to the commit of the recorded answer; that the charges happened is read from the ledger
// afterwards. Bare DuckDB stands beside it: the same question, two threads, in its own process, asked in turns.
//
// It does not promise figures on a busy machine: each line carries the load average, and a ratio taken under load is a hint.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
)

// options are the flags.
type options struct {
	family, dir, sandbox, program, profile string
	rows, grow                             int64
	repeat                                 int
	only                                   *regexp.Regexp
}

// line is one figure. Times are medians in milliseconds unless the bench says otherwise; a target of 0 is none.
type line struct {
	Bench  string  `json:"bench"`
	Case   string  `json:"case"`
	Rows   int64   `json:"rows,omitempty"`
	Ours   float64 `json:"ours_ms,omitempty"`
	Base   float64 `json:"base_ms,omitempty"`
	Ratio  float64 `json:"ratio,omitempty"`
	CPU    float64 `json:"cpu_ms,omitempty"` // of the process measured, user and system: what hardly changes on a busy machine
	Value  float64 `json:"value,omitempty"`
	Unit   string  `json:"unit,omitempty"`
	Target float64 `json:"target,omitempty"`
	Better string  `json:"better,omitempty"` // "lower" or "higher" than the target
	Met    *bool   `json:"met,omitempty"`    // of the family deid: the target was reached in this run
	Error  float64 `json:"error,omitempty"`  // relative, median of the answer's numbers
	Kept   float64 `json:"kept,omitempty"`   // share of the rows that the cap a person leaves
	Load   float64 `json:"load"`
	Note   string  `json:"note,omitempty"`
}

// everything is the expression that matches all families; one that takes long wants to be named.
const everything = "."

// bench is one run.
type bench struct {
	options
	out *json.Encoder
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	b := &bench{out: json.NewEncoder(os.Stdout)}
	flag.StringVar(&b.family, "family", everything, "families to run, a regular expression over rules, fixed, lists, query, dp, tpch, memory, deid, scale; lists is the end of fixed, and scale takes long: both run only when they are named")
	flag.StringVar(&b.dir, "dir", filepath.Join(os.TempDir(), "carrel-bench"), "directory of the data, made once and used again")
	flag.Int64Var(&b.rows, "rows", 10_000_000, "encounter rows")
	flag.Int64Var(&b.grow, "grow", 0, "encounter rows of the second build of deid's part transform, such as 50000000 (11 GB of disk); 0: a fifth of -rows")
	flag.IntVar(&b.repeat, "repeat", 7, "repetitions of a question")
	flag.StringVar(&b.sandbox, "sandbox", orElse(os.Getenv("CARREL_SANDBOX"), filepath.Join("bin", "carrel-sandbox")), "path of carrel-sandbox")
	flag.StringVar(&b.program, "carrel", filepath.Join("bin", "carrel"), "path of carrel")
	only := flag.String("only", "", "questions of families dp, tpch and scale to ask, or parts of deid, a regular expression; all when empty")
	flag.StringVar(&b.profile, "cpuprofile", "", "write a profile of this process here")
	flag.Parse()
	match, err := regexp.Compile(orElse(b.family, everything))
	if err != nil {
		return fmt.Errorf("-family: %w", err)
	}
	if b.only, err = regexp.Compile(*only); err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	if b.rows < minRows || b.repeat < 1 || b.grow != 0 && b.grow < minRows {
		return fmt.Errorf("at least %d rows and one repetition", minRows)
	}
	if b.sandbox, err = filepath.Abs(b.sandbox); err != nil {
		return err
	}
	if b.profile != "" {
		f, err := os.Create(b.profile)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	ran := false
	for _, f := range []struct {
		name string
		long bool // or part of another: runs only when it is named
		run  func(context.Context) error
	}{{"rules", false, b.rules}, {"fixed", false, b.fixed}, {"lists", true, b.lists}, {"query", false, b.query}, {"dp", false, b.dp}, {"tpch", false, b.tpch}, {"memory", false, b.memory}, {"deid", false, b.deid}, {"scale", true, b.scale}} {
		if !match.MatchString(f.name) || f.long && match.String() == everything {
			continue
		}
		ran = true
		b.tell("family %s, load %.2f", f.name, load())
		if err := f.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if !ran {
		return fmt.Errorf("no family matches %q: rules, fixed, lists, query, dp, tpch, memory, deid and scale are there; benches of single packages run with `go test -bench`", b.family)
	}
	return nil
}

func (b *bench) print(l line) error {
	l.Load = load()
	for _, f := range []*float64{&l.Ours, &l.Base, &l.Ratio, &l.CPU, &l.Value} {
		*f = round(*f)
	}
	return b.out.Encode(l)
}

// round keeps four digits: more would be noise.
func round(v float64) float64 {
	out, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 4, 64), 64)
	return out
}

func (b *bench) tell(format string, args ...any) { fmt.Fprintf(os.Stderr, "# "+format+"\n", args...) }

// load is the machine's load over the last minute, 0 where it cannot be read.
func load() float64 {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(raw), " ")
	v, _ := strconv.ParseFloat(first, 64)
	return v
}

func orElse(s, d string) string {
	if s == "" {
		return d
	}
	return s
}
