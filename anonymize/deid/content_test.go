package deid_test

import (
	"fmt"
	"testing"

	"carrel/anonymize/deid"
)

// TestSecondRows: of two rows of a person where one is declared, the same one stays whatever their order in the source, and those of nobody and of
// persons with one row between them change nothing.
func TestSecondRows(t *testing.T) {
	t.Parallel()
	r := edit(t, "  person:\n", "  person:\n   duplicates: {at_most: 50%}\n   columns:\n")
	c := newCity(t)
	const nobody = "P900,,0,SECRETX,男,1990-01-01,519901\n"
	want := ""
	for turn := range 2 {
		f := cityFiles(upTo(40))
		f["person.csv"] += nobody
		for p := range 12 {
			line := func(i int) string {
				return fmt.Sprintf("P%d,%s,0,SECRETX,%s,19%d-01-01,51990%d\n", 900+p, residentID(600+p), []string{"男", "女"}[i], 40+20*i, 1+i)
			}
			f["person.csv"] += line(turn) + nobody + line(1-turn)
		}
		m, rep, _ := c.must(f, r)
		for _, tab := range m.Tables {
			if tab.Name == "person" {
				if turn == 0 {
					want = tab.SHA256
				} else if tab.SHA256 != want {
					t.Error("which of two rows stays depends on their order")
				}
			}
		}
		if n := rep.Tables[1].Dropped[deid.DroppedDuplicate] + rep.Tables[0].Dropped[deid.DroppedDuplicate]; n != 12 {
			t.Errorf("%d second rows dropped, want 12", n)
		}
	}
}
