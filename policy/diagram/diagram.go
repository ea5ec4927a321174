// Package diagram draws the state machines of the rules.
//
// It promises: what is drawn is the transition table itself (policies/workflow.json), every state and every row of it, in an order
// that does not change while the table does not; so a drawing that differs from the one on file says that the file is stale.
//
// It does not promise that a command drawn is allowed to anybody: guards stand in the table beside the picture, by their rules.
package diagram

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"carrel/policy"
)

// machine is what is drawn of a state machine.
type machine struct {
	Initial     string                 `json:"initial"`
	States      map[string]policy.Text `json:"states"`
	Transitions []row                  `json:"transitions"`
}

type row struct {
	From    string   `json:"from"`
	Command string   `json:"command"`
	Choice  string   `json:"choice"`
	Side    string   `json:"side"`
	To      string   `json:"to"`
	Roles   []string `json:"roles"`
	Guards  []string `json:"guards"`
	Demands []string `json:"demands"`
	When    string   `json:"when"`
}

// name is the command with its choice or side.
func (r row) name() string {
	out := r.Command
	for _, s := range []string{r.Choice, r.Side} {
		if s != "" {
			out += " " + s
		}
	}
	return out
}

// Draw writes all state machines of these rules as a page: a picture (Mermaid) and the table of each.
func Draw(ctx context.Context, rules policy.Decider) (string, error) {
	var all map[string]machine
	if err := rules.Data(ctx, "carrel/workflow", &all); err != nil {
		return "", fmt.Errorf("diagram: %w", err)
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("# State machines · 状态机\n\nDrawn from `workflow.json` by `carrel policy diagram`; a test fails when this page is stale.\n")
	for _, name := range names {
		all[name].draw(&b, name)
	}
	return b.String(), nil
}

// start stands for the state of what is not there yet.
const start = "[*]"

func (m machine) draw(b *strings.Builder, name string) {
	fmt.Fprintf(b, "\n## %s\n\n```mermaid\nstateDiagram-v2\n", name)
	states := make([]string, 0, len(m.States))
	for s := range m.States {
		states = append(states, s)
	}
	slices.Sort(states)
	for _, s := range states {
		fmt.Fprintf(b, "  %s: %s %s\n", s, m.States[s].EN, m.States[s].ZH)
	}
	if m.Initial != "" {
		fmt.Fprintf(b, "  %s --> %s\n", start, m.Initial)
	}
	arrows, order := map[string][]string{}, []string{}
	for _, r := range m.Transitions {
		from := r.From
		if from == "" {
			from = start
		}
		arrow := from + " --> " + r.To
		if _, ok := arrows[arrow]; !ok {
			order = append(order, arrow)
		}
		if !slices.Contains(arrows[arrow], r.name()) {
			arrows[arrow] = append(arrows[arrow], r.name())
		}
	}
	for _, arrow := range order {
		fmt.Fprintf(b, "  %s: %s\n", arrow, strings.Join(arrows[arrow], ", "))
	}
	b.WriteString("```\n\n| from | command | to | when | who | guards | brings |\n|---|---|---|---|---|---|---|\n")
	for _, r := range m.Transitions {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s | %s | %s |\n", r.From, r.name(), r.To, r.When, strings.Join(r.Roles, ", "), strings.Join(r.Guards, ", "), strings.Join(r.Demands, ", "))
	}
}
