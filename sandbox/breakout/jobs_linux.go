package breakout

import (
	"slices"
	"strings"

	"carrel/sandbox/confine"
	"carrel/sandbox/wire"
)

// jobs are all attempts: on the kernel behind both walls, on Landlock behind it alone, and by SQL through every door of every role.
func jobs() []job {
	return slices.Concat(kernelJobs(), engineJobs(), viewerJobs(), parserJobs())
}

// kernelJobs speak from a child of the engine's role. The walls are the same for all roles and closed before there is one.
func kernelJobs() []job {
	var out []job
	add := func(a Attempt, d door, row Row, ends []string) {
		row.Group, row.Role, row.Tried = a.Group, string(d.role), a.Tried
		out = append(out, job{row: row, door: d, try: a.Name.EN, ends: ends})
	}
	for _, a := range Attempts() {
		add(a, kernelDoor(false), Row{Name: a.Name.EN, NameZH: a.Name.ZH}, a.Ends)
	}
	for _, a := range Attempts() {
		if a.Alone > 0 && confine.ABI() >= a.Alone {
			add(a, kernelDoor(true), Row{Name: aloneMark + a.Name.EN, NameZH: "仅靠 Landlock：" + a.Name.ZH}, aloneEnds())
		}
	}
	return out
}

// engineJobs are hostile SQL through both doors of a child that holds data.
func engineJobs() []job {
	var out []job
	for _, q := range Statements() {
		ends := refusals()
		if q.Slow {
			ends = limits()
		}
		// What is no SELECT cannot get past the child's own rule: only the engine is of interest, if it minds at all.
		if q.Ends == nil || q.selects() {
			out = append(out, q.job(queryDoor(), ", as a query", "（作为查询）", ends))
		}
		if q.Ends != nil {
			out = append(out, q.job(engineDoor(wire.RoleEngine), ", to the engine", "（直达引擎）", q.Ends))
		}
	}
	return out
}

// viewerJobs are hostile SQL of a viewer: as a user's SELECT over noised tables, and to its engine past the rule that it is one.
func viewerJobs() []job {
	var out []job
	for _, q := range Views() {
		out = append(out, q.job(viewDoor(), ", as a view", "（作为视图）", q.Ends))
	}
	for _, q := range Statements() {
		if q.Ends != nil && !q.Slow {
			out = append(out, q.job(engineDoor(wire.RoleViewer), ", to the engine", "（直达引擎）", q.Ends))
		}
	}
	return out
}

// parserJobs are texts that are no SELECT. The service has every text of a user parsed first; none of these gets further.
func parserJobs() []job {
	var out []job
	for _, q := range Statements() {
		if q.Ends != nil && !q.selects() {
			out = append(out, q.job(textDoor(), ", as a text", "（作为文本）", []string{"refused: select", "refused: syntax"}))
		}
	}
	return out
}

// selects says whether a statement is a SELECT.
func (s Statement) selects() bool {
	return strings.HasPrefix(s.SQL, "SELECT") || strings.HasPrefix(s.SQL, "WITH")
}

func (s Statement) job(d door, how, howZH string, ends []string) job {
	row := Row{Group: SQL, Role: string(d.role), Name: s.Kind.EN + how, NameZH: s.Kind.ZH + howZH, Tried: s.SQL}
	return job{row: row, door: d, try: s.SQL, ends: ends, slow: s.Slow}
}

// controls must succeed: where nothing works, nothing is blocked either.
func controls() []job {
	var out []job
	for _, c := range []struct {
		en, zh, try string
		door        door
	}{
		{"an honest query is answered", "正常查询有答案", honest, queryDoor()},
		{"an honest view is answered", "正常视图有答案", `SELECT c1 FROM step_1`, viewDoor()},
		{"an honest text is parsed", "正常文本可解析", `SELECT c1 FROM step_1`, textDoor()},
		{"the engine answers", "引擎能回答", `SELECT 42`, engineDoor(wire.RoleEngine)},
		{"the viewer's engine answers", "视图引擎能回答", `SELECT 42`, engineDoor(wire.RoleViewer)},
		{"an allowed call works", "允许的调用可用", controlAttempt, kernelDoor(false)},
	} {
		row := Row{Group: Outside, Role: string(c.door.role), Name: c.en, NameZH: c.zh, Tried: c.try}
		out = append(out, job{row: row, door: c.door, try: c.try, ends: []string{Escaped}})
	}
	return out
}
