package register_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"carrel/broker/catalogue/register"
	"carrel/broker/jinhe"
	"carrel/broker/resident"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// ward is a child with a stay under a guardian's number, alone on her day of birth: that number and the day.
func ward(t *testing.T) (document, born string) {
	t.Helper()
	consents := map[string]bool{}
	for _, r := range sources(t)("consents", "person_no") {
		consents[r[0]] = true
	}
	all := people(t)
	for _, p := range all {
		alone := !slices.ContainsFunc(all, func(q []string) bool { return q[0] != p[0] && q[1] == p[1] && q[3] == p[3] })
		if p[2] == "1" && p[3] >= "2012" && alone && consents[p[0]] {
			return p[1], p[3]
		}
	}
	t.Fatal("no child in the city stands under a guardian's number")
	return "", ""
}

// Guard: the index of children goes over with the register. What a guardian wished here leaves the child out there, an index that was changed on
// the way stops the transfer, and at the receiver's desk the guardian is heard for a child as she was here.
func TestTransferTakesTheIndexOfChildrenAlong(t *testing.T) {
	t.Parallel()
	document, born := ward(t)
	a, b, ctx := moulds.City(t), heirs(t), t.Context()
	meet(t, a, b)
	_, err := a.Conduct.Prove(ctx, a.Who(t, "wu"), "fang", document)
	servicetest.Must(t, err)
	_, err = a.Conduct.WishFor(ctx, a.Who(t, "fang"), "object", "", policy.Date(born))
	servicetest.Must(t, err)
	before := chosen(t, a)
	if len(before.Persons) != 1 {
		t.Fatalf("%d persons are out before the transfer", len(before.Persons))
	}

	bundle, folder := offered(t, a, b)
	file := filepath.Join(folder, jinhe.Dataset+".persons")
	sealed, err := os.ReadFile(file)
	servicetest.Must(t, err)
	for name, change := range map[string]func(wards []byte) []byte{
		"taken out": func([]byte) []byte { return nil },
		"changed":   func(wards []byte) []byte { wards[len(wards)/2] ^= 1; return wards },
	} {
		reseal(t, b, sealed, file, func(plain []byte) []byte {
			var doc map[string]json.RawMessage
			servicetest.Must(t, json.Unmarshal(plain, &doc))
			var r register.Register
			servicetest.Must(t, json.Unmarshal(doc["register"], &r))
			if len(r.Wards) == 0 {
				t.Fatal("no index of children goes over")
			}
			r.Wards = change(r.Wards)
			var err error
			doc["register"], err = json.Marshal(r)
			servicetest.Must(t, err)
			out, err := json.Marshal(doc)
			servicetest.Must(t, err)
			return out
		})
		if _, err := b.Holdings.Receive(ctx, b.Who(t, "erbin"), *bundle); err == nil {
			t.Fatalf("an index that was %s is received", name)
		}
	}
	servicetest.Must(t, os.WriteFile(file, sealed, 0o600))
	receipt, err := b.Holdings.Receive(ctx, b.Who(t, "erbin"), *bundle)
	servicetest.Must(t, err)
	servicetest.Must(t, a.Holdings.Complete(ctx, a.Who(t, "wu"), *receipt))
	if after := chosen(t, b); !slices.Equal(after.Persons, before.Persons) {
		t.Errorf("%v leaves out others than %v", after, before)
	}

	_, err = b.Conduct.Prove(ctx, b.Who(t, "erbin"), "fang", document)
	servicetest.Must(t, err)
	m, err := b.Conduct.WishFor(ctx, b.Who(t, "fang"), "object", jinhe.Dataset, policy.Date(born))
	servicetest.Must(t, err)
	record, err := b.Residents.Record(ctx, b.Who(t, "fang"))
	servicetest.Must(t, err)
	if !slices.ContainsFunc(record.Children, func(x resident.Child) bool {
		return x.Dataset == jinhe.Dataset && x.Born == born && x.Fit == 1 && !x.Waits
	}) {
		t.Errorf("the guardian sees %+v", record.Children)
	}
	_, err = b.Conduct.Unwish(ctx, b.Who(t, "fang"), m.ID)
	servicetest.Must(t, err)
	if now := chosen(t, b); len(now.Persons) != 0 {
		t.Errorf("she took it back, and %d persons are out", len(now.Persons))
	}
}
