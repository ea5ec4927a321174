package catalogue

import (
	"slices"
	"testing"
)

// Each unit whose table is wished for has a say, and nobody else; public tables add none.
func TestOwners(t *testing.T) {
	t.Parallel()
	d := &Dataset{Owner: "commission", Tables: []Table{{Name: "person"}, {Name: "lab", Owner: "laboratory"}, {Name: "bill", Owner: "insurance"}, {Name: "hospital", Owner: "registry", Public: true}}}
	for _, c := range []struct{ columns, want []string }{
		{[]string{"person.sex"}, []string{"commission"}},
		{[]string{"lab.*"}, []string{"laboratory"}},
		{[]string{"lab.value", "person.sex", "lab.unit", "hospital.grade"}, []string{"commission", "laboratory"}},
		{[]string{"bill.*", "lab.*"}, []string{"insurance", "laboratory"}},
		{[]string{"hospital.*"}, []string{"commission"}},
		{[]string{"nothing.here", "noteven"}, []string{"commission"}},
		{nil, []string{"commission"}},
	} {
		if got := d.Owners(c.columns); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.columns, got, c.want)
		}
	}
}
