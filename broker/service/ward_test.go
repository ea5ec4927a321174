package service_test

import (
	"slices"
	"testing"

	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// ward is a child who stands under a guardian's number in the sources and is in the extract, as the guardian is, who has more stays or fewer: the
// guardian's number, her day of birth, and the stays of all who stand under the two.
func ward(t *testing.T, dir string) (document, born string, rows int64) {
	t.Helper()
	out, consents, stays := map[string]bool{}, map[string]bool{}, map[string]int64{}
	for _, r := range sourceRows(t, dir, "objections", "person_no") {
		out[r[0]] = true
	}
	for _, r := range sourceRows(t, dir, "consents", "person_no") {
		consents[r[0]] = true
	}
	for _, r := range sourceRows(t, dir, "encounter", "person_no") {
		stays[r[0]]++
	}
	people := sourceRows(t, dir, "person", "person_no", "id_number", "id_is_guardians", "birth_date")
	for _, p := range people {
		if p[2] != "1" || len(p[1]) != 18 || !consents[p[0]] || out[p[0]] || stays[p[0]] == 0 || p[3] < "2012" {
			continue
		}
		if slices.ContainsFunc(people, func(q []string) bool { return q[0] != p[0] && q[1] == p[1] && q[2] == "1" && q[3] == p[3] }) {
			continue // twins
		}
		if i := slices.IndexFunc(people, func(q []string) bool { return q[1] == p[1] && q[2] == "0" }); i < 0 || stays[people[i][0]] == 0 || stays[people[i][0]] == stays[p[0]] {
			continue // whose rows are left out could not be told by how many they are
		}
		return p[1], p[3], stays[p[0]]
	}
	t.Fatal("no child in the city stands under a guardian's number")
	return "", "", 0
}

// Guard: a guardian who objects for a child leaves out the child's rows from the next query on and not the guardian's own; withdrawn, they are in
// again; the record says so, and the log proves it.
func TestAGuardianIsHeard(t *testing.T) {
	t.Parallel()
	document, born, rows := ward(t, citySources(t))
	w := &watched{by: map[string]*unnoised{}}
	c := moulds.City(t, w.put)
	x, ctx := w.of(c), t.Context()
	count := func(epsilon float64) int64 {
		t.Helper()
		_, err := c.Query(t, stays, epsilon)
		servicetest.Must(t, err)
		return x.cells()[0][1]
	}
	before := count(0.1)
	_, err := c.Conduct.Prove(ctx, c.Who(t, "wu"), "fang", document)
	servicetest.Must(t, err)
	for _, day := range []string{"1990-01-01", "2999-01-01", "yesterday"} {
		if _, err := c.Conduct.WishFor(ctx, c.Who(t, "fang"), "object", "", policy.Date(day)); !problem.Is(err, problem.Forbidden) && !problem.Is(err, problem.Invalid) {
			t.Errorf("a child born %s: %v", day, err)
		}
	}
	m, err := c.Conduct.WishFor(ctx, c.Who(t, "fang"), "object", "", policy.Date(born))
	servicetest.Must(t, err)
	if n := count(0.11); n != before-rows {
		t.Errorf("%d rows after the wish, want %d", n, before-rows)
	}
	record, err := c.Residents.Record(ctx, c.Who(t, "fang"))
	servicetest.Must(t, err)
	i := slices.IndexFunc(record.Children, func(x resident.Child) bool { return x.Dataset == "jinhe" })
	if i < 0 || record.Children[i].Fit != 1 || record.Children[i].Waits || record.Children[i].Born != born {
		t.Fatalf("the record says %+v", record.Children)
	}
	if j := slices.IndexFunc(record.Datasets, func(x resident.Coverage) bool { return x.Out }); j >= 0 {
		t.Error("the guardian is said to be out herself")
	}
	_, err = c.Conduct.Unwish(ctx, c.Who(t, "fang"), m.ID)
	servicetest.Must(t, err)
	if n := count(0.12); n != before {
		t.Errorf("%d rows after the withdrawal, want %d", n, before)
	}
	checker := resident.NewChecker()
	for i, e := range c.Entries(t) {
		servicetest.Must(t, checker.Entry(int64(i), &e))
	}
	if r := checker.Result(); len(r.Faults) != 0 || r.Wishes != 2 {
		t.Errorf("the log shows %+v", r)
	}
	c.Check(t)
}
