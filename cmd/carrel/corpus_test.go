package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"carrel/broker/jinhe"
)

// judged is one statement of the public corpus with the verdict that the code must give.
type judged struct {
	id, verdict, code, why, sql string
	line, column                int
}

// The corpus under testdata/corpus says, statement by statement and with a reason, what is answered and what is refused. It goes through
// the path of `carrel sql check`, which is the service's own.
func TestCorpus(t *testing.T) {
	t.Parallel()
	c := aChecker(t)
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", "*.sql"))
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	seen := map[string]string{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all, err := readCorpus(string(raw))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for _, want := range all {
			if other, twice := seen[want.id]; twice {
				t.Errorf("%s is in %s and %s", want.id, other, file)
			}
			seen[want.id] = file
			got, err := c.judge(t.Context(), asked{ID: want.id, SQL: want.sql})
			if err != nil {
				t.Fatalf("%s: %v", want.id, err)
			}
			if diff := want.differs(got); diff != "" {
				t.Errorf("%s (%s): %s", want.id, want.why, diff)
			}
		}
	}
	if len(seen) < 600 {
		t.Errorf("the corpus has shrunk to %d statements", len(seen))
	}
}

// aChecker is `sql check` over the demo city's catalogue.
func aChecker(t *testing.T) *checker {
	t.Helper()
	d, err := entryFor("", jinhe.Dataset)
	if err != nil {
		t.Fatal(err)
	}
	a := &app{lang: "en"}
	c, err := a.newChecker(t.Context(), d, 200_000, sandboxBinary(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.pool.Close() })
	return c
}

func (j judged) differs(v verdict) string {
	switch {
	case v.Verdict != j.verdict || v.Code != j.code:
		return fmt.Sprintf("%s %s, expected %s %s", v.Verdict, v.Code, j.verdict, j.code)
	case j.line > 0 && (v.Line != j.line || v.Column != j.column):
		return fmt.Sprintf("at %d:%d, expected at %d:%d", v.Line, v.Column, j.line, j.column)
	case j.verdict == "refuse" && (v.Message == "" || v.Suggestion == ""):
		return "the refusal says neither why nor what to do"
	case j.verdict == "accept" && (v.Cost == nil || v.Cost.Units <= 0 || len(v.ExpectedError) == 0 || v.GeneratedSQL == ""):
		return "the acceptance has no price, no expected error or no SQL"
	}
	return ""
}

// readCorpus reads statements headed by -- id, -- verdict and -- why; what stands before the first is a title.
func readCorpus(text string) ([]judged, error) {
	_, rest, ok := strings.Cut("\n"+text, "\n-- id: ")
	if !ok {
		return nil, errors.New("no statement")
	}
	var out []judged
	for _, block := range strings.Split(rest, "\n-- id: ") {
		parts := strings.SplitN(block, "\n", 4)
		if len(parts) < 4 {
			return nil, fmt.Errorf("%s: a statement has id, verdict, why and text", parts[0])
		}
		j := judged{id: parts[0], sql: strings.TrimSuffix(strings.TrimSuffix(parts[3], "\n"), "\n")}
		v, isVerdict := strings.CutPrefix(parts[1], "-- verdict: ")
		why, isWhy := strings.CutPrefix(parts[2], "-- why: ")
		if j.why = why; !isVerdict || !isWhy || strings.TrimSpace(why) == "" || strings.TrimSpace(j.sql) == "" {
			return nil, fmt.Errorf("%s: no verdict, no reason or no text", j.id)
		}
		if err := j.readVerdict(strings.Fields(v)); err != nil {
			return nil, fmt.Errorf("%s: %w", j.id, err)
		}
		out = append(out, j)
	}
	return out, nil
}

// readVerdict reads "accept", "refuse code" or "refuse code line:column".
func (j *judged) readVerdict(f []string) (err error) {
	switch {
	case len(f) == 1 && f[0] == "accept":
		j.verdict = f[0]
		return nil
	case (len(f) == 2 || len(f) == 3) && f[0] == "refuse":
		j.verdict, j.code = f[0], f[1]
	default:
		return errors.New("the verdict is accept, or refuse with its code")
	}
	if len(f) == 2 {
		return nil
	}
	line, column, _ := strings.Cut(f[2], ":")
	if j.line, err = strconv.Atoi(line); err != nil {
		return err
	}
	j.column, err = strconv.Atoi(column)
	return err
}

// A corpus that reads too kindly would pass whatever it says.
func TestCorpusIsReadStrictly(t *testing.T) {
	t.Parallel()
	const good = "-- title\n\n-- id: a\n-- verdict: refuse cast 1:2\n-- why: because\nSELECT 1\n"
	for name, text := range map[string]string{
		"good": good, "no reason": strings.Replace(good, "because", " ", 1), "no code": strings.Replace(good, " cast 1:2", "", 1),
		"no text": strings.Replace(good, "SELECT 1", "", 1), "odd verdict": strings.Replace(good, "refuse", "maybe", 1),
		"odd place": strings.Replace(good, "1:2", "1", 1), "empty": "-- title\n",
	} {
		if _, err := readCorpus(text); (err == nil) != (name == "good") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
