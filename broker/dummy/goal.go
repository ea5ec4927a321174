package dummy

import "carrel/anonymize/plan"

// goal is what a person is made for: one measure step of the question, or all of them.
type goal struct {
	wishes  []*wish
	scripts [][]int  // choices that worked
	models  []*world // persons for whom they find something
	turn    int      // persons that were searched for
	failed  int
	used    map[string]bool
}

// goalsOf lists the goals: of several steps, all of them in one person come first, since a ratio needs both its parts; then each alone,
// since not all can be met by one person and a ratio of 1 shows nothing.
func goalsOf(wishes []*wish) []*goal {
	var out []*goal
	if len(wishes) > 1 {
		out = append(out, newGoal(wishes))
	}
	for i := range wishes {
		out = append(out, newGoal(wishes[i:i+1]))
	}
	return out
}

func newGoal(wishes []*wish) *goal {
	l := &goal{wishes: wishes, used: map[string]bool{}}
	for _, h := range wishes {
		for name := range h.used {
			l.used[name] = true
		}
	}
	return l
}

// threshold is the largest of the wishes'.
func (g *generator) threshold() int {
	most := 0
	for _, h := range g.wishes {
		most = max(most, h.threshold)
	}
	return most
}

// meant says whether a person is to be one for whom the question finds something: three of five, or nearly all when HAVING asks for many
// or there are many steps.
func (g *generator) meant(person int) bool {
	switch {
	case len(g.wishes) == 0:
		return false
	case g.threshold() > 0 || len(g.wishes) > 2:
		return person%10 < 9
	}
	return person%5 < 3
}

// somebody is a person for whom a step finds something, or all do: every other one is for all of them where there are such persons, and the
// rest for one step, which take turns. It is nil when there is none.
func (g *generator) somebody() *world {
	g.served++
	single := g.goals
	if len(g.goals) > 1 {
		single = g.goals[1:]
		if g.served%2 == 1 {
			if w := g.somebodyFor(g.goals[0]); w != nil {
				return w
			}
		}
	}
	for range single {
		g.turn++
		if w := g.somebodyFor(single[g.turn%len(single)]); w != nil {
			return w
		}
	}
	return nil
}

func (g *generator) somebodyFor(l *goal) *world {
	switch {
	case len(l.models) == 0 && l.failed >= 4:
		return nil
	case len(l.models) > 0 && l.turn >= solved:
		l.turn++
		return l.models[l.turn%len(l.models)]
	}
	l.turn++
	w := g.witness(l)
	if w == nil {
		l.failed++
		return nil
	}
	l.models = append(l.models, w)
	return w
}

// witness looks for a person for whom the goal's steps find something, in the groups whose turn it is if there are any.
func (g *generator) witness(l *goal) *world {
	for n := range attempts {
		var script []int
		if len(l.scripts) > 0 && g.rng.IntN(10) < 7 {
			script = l.scripts[g.rng.IntN(len(l.scripts))]
		}
		w := g.world(script)
		for _, h := range l.wishes {
			f := w.join(&h.spec.From, nil)
			if n < 2 {
				h.aim(w, f, l.turn)
			}
			if n < 5 {
				h.measure(w, f)
			}
		}
		w.fill(func(t *plan.Table) bool { return g.unused(t, l.used) })
		w.settle()
		if !w.solve() || !w.meetsAll(l.wishes) {
			continue
		}
		if len(l.scripts) < 24 {
			l.scripts = append(l.scripts, w.chosen)
		}
		return w
	}
	return nil
}

func (w *world) meetsAll(wishes []*wish) bool {
	for _, h := range wishes {
		if !w.meets(h) {
			return false
		}
	}
	return true
}

// unused says that rows of a table can do no harm: the steps name neither the table nor one whose rows it would bring along.
func (g *generator) unused(t *plan.Table, used map[string]bool) bool {
	for i := range t.Columns {
		if p := g.parent(t, &t.Columns[i]); p != nil && used[p.Name] {
			return false
		}
	}
	return !used[t.Name]
}
