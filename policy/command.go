package policy

import "strings"

// Command is a command that the subject may give on a case now, as policy said it (CommandsQuestion).
type Command struct {
	Move
	Label Text
}

// Commands lists the commands of a decision on a CommandsQuestion. A denial has none, and an obligation that is not
// well formed gives none.
func (d Decision) Commands() []Command {
	if !d.Allow {
		return nil
	}
	var out []Command
	for _, o := range d.Obligations {
		if o.Kind != ObligeCommand {
			continue
		}
		// command/review/choice/side, each possibly empty
		p := strings.Split(o.Value, "/")
		if len(p) != 4 || p[0] == "" {
			continue
		}
		out = append(out, Command{Move: Move{Command: p[0], Review: p[1], Choice: p[2], Side: p[3]}, Label: o.Text})
	}
	return out
}

// State is the state that an approved transition leads to; false when the decision names none or is a denial.
func (d Decision) State() (string, bool) {
	if s := d.Oblige(ObligeState); d.Allow && len(s) == 1 && s[0] != "" {
		return s[0], true
	}
	return "", false
}
