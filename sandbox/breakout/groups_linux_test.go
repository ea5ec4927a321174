package breakout

import (
	"slices"
	"testing"
	"time"

	"carrel/sandbox/wire"
)

// Every attempt is in one group, groups are of one door, and what kills its child or works up to a limit is by itself.
func TestGroups(t *testing.T) {
	t.Parallel()
	all := jobs()
	seen := make([]int, len(all))
	shared := 0
	for _, g := range groups(all) {
		if len(g) > mostShared {
			t.Errorf("%d attempts share a child", len(g))
		}
		for _, i := range g {
			seen[i]++
			j := all[i]
			if j.door.name != all[g[0]].door.name {
				t.Errorf("%s and %s share a child", j.row.Name, all[g[0]].row.Name)
			}
			if len(g) == 1 {
				continue
			}
			shared++
			if j.slow || j.door.name == "view" || slices.Contains(j.ends, Killed) || slices.Contains(j.ends, Limited) || slices.Contains(j.ends, "EBADF") || slices.Contains(j.ends, "ENOMEM") {
				t.Errorf("%s shares a child", j.row.Name)
			}
		}
	}
	if slices.ContainsFunc(seen, func(n int) bool { return n != 1 }) || shared < 100 {
		t.Errorf("%d share; how often each is made: %v", shared, seen)
	}
}

// scripted is a child whose ends are written down.
type scripted struct {
	ends *[]string
	left *int
}

func (r scripted) leave() { *r.left++ }
func (r scripted) try(string, time.Duration) string {
	end := (*r.ends)[0]
	*r.ends = (*r.ends)[1:]
	return end
}

// An end that nobody expected closes a shared child; a shared child that cannot do at the end what is allowed has proved nothing.
func TestSharedChildren(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		script, want []string
		children     int
	}{
		"all refused":      {[]string{"EACCES", "EACCES", "EACCES", Escaped}, []string{"EACCES", "EACCES", "EACCES"}, 1},
		"one escapes":      {[]string{"EACCES", Escaped, "EACCES", Escaped}, []string{"EACCES", Escaped, "EACCES"}, 2},
		"one dies":         {[]string{Killed, "EACCES", "EACCES", Escaped}, []string{Killed, "EACCES", "EACCES"}, 2},
		"a dead child":     {[]string{"EACCES", "EACCES", "EACCES", "EACCES", Escaped, "EACCES", "EACCES"}, []string{Escaped, "EACCES", "EACCES"}, 4},
		"dead, then alike": {[]string{"EACCES", "EACCES", "EACCES", Killed, "EACCES", "EACCES", "EACCES"}, []string{"EACCES", "EACCES", "EACCES"}, 4},
	} {
		left := 0
		d := door{name: "scripted", role: wire.RoleEngine, control: "control", open: func(*site, []string) (room, string) { return scripted{&c.script, &left}, "" }}
		three := slices.Repeat([]job{{door: d, ends: []string{"EACCES"}}}, 3)
		if got := (&site{}).ends(three); !slices.Equal(got, c.want) || left != c.children || len(c.script) != 0 {
			t.Errorf("%s: %v in %d children, %d ends left", name, got, left, len(c.script))
		}
	}
}
