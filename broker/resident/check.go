package resident

import (
	"fmt"
	"strconv"
	"strings"

	"carrel/broker/audit"
)

// Fault is an entry of the log that uses a dataset with another list than the one in force at its place.
type Fault struct {
	Index int64  `json:"index"`
	Kind  string `json:"kind"`
	Had   string `json:"had"`
	Want  string `json:"want"`
}

// Checked is what Check found.
type Checked struct {
	Uses   int64   `json:"uses"`   // entries that bear a list
	Wishes int64   `json:"wishes"` // entries that put one in force
	Faults []Fault `json:"faults"`
}

// Checker replays the versions of the lists from a log, entry by entry from the first, with nothing but the entries. It shows of every
// use of a dataset that it was made with the wishes in force at its place: the order of the log is the order of the transactions.
type Checker struct {
	lists map[string]int64
	done  Checked
}

// NewChecker begins before the first entry.
func NewChecker() *Checker {
	return &Checker{lists: map[string]int64{}, done: Checked{Faults: []Fault{}}}
}

// uses are the entries that commit a use of rows. A charge and its resumption say what a child is given; an answer that was charged
// earlier stands under its charge.
func uses(kind string) bool {
	switch kind {
	case "query.charged", "query.resumed", "query.repeated", "handover.prepared", "handover.pulled":
		return true
	}
	return false
}

// Entry takes the next one.
func (c *Checker) Entry(index int64, e *audit.Entry) error {
	if e.Outcome != "allowed" {
		return nil
	}
	switch {
	case e.Kind == "conduct.wish.make" || e.Kind == "conduct.wish.withdraw" || e.Kind == "conduct.wish.release" || e.Kind == "conduct.wish.lapse":
		n, err := strconv.ParseInt(e.Facts["version"], 10, 64)
		if err != nil || e.Facts[FactList] == "" {
			return fmt.Errorf("entry %d: a wish without the version that it put in force", index)
		}
		if was := c.lists[e.Facts[FactList]]; n != was+1 {
			c.done.Faults = append(c.done.Faults, Fault{index, e.Kind, fmt.Sprint(n), fmt.Sprint(was + 1)})
		}
		c.lists[e.Facts[FactList]] = n
		c.done.Wishes++
	case e.Kind == "transfer.received":
		return c.came(index, e)
	case uses(e.Kind):
		c.done.Uses++
		had, _, _ := strings.Cut(e.Facts[FactList], "+")
		dataset, _, _ := strings.Cut(had, "@")
		if want := fmt.Sprintf("%s@%d.%d", dataset, c.lists[dataset], c.lists[Every]); had != want {
			c.done.Faults = append(c.done.Faults, Fault{index, e.Kind, had, want})
		}
	}
	return nil
}

// FactCame begins the facts of a transfer's entry that name the number which a list has from there on.
const FactCame = "list-of."

// came takes the lists that a transfer brought.
func (c *Checker) came(index int64, e *audit.Entry) error {
	for fact, number := range e.Facts {
		dataset, is := strings.CutPrefix(fact, FactCame)
		if !is {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return fmt.Errorf("entry %d: a list that came without its version", index)
		}
		if was := c.lists[dataset]; n <= was {
			c.done.Faults = append(c.done.Faults, Fault{index, e.Kind, number, fmt.Sprint(was + 1)})
		}
		c.lists[dataset] = n
	}
	return nil
}

// Result is what was found so far.
func (c *Checker) Result() Checked { return c.done }
