package service_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"carrel/broker/auth"
	"carrel/broker/conduct"
	"carrel/broker/institution"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// addOwner gives the data's owner its people, before the first start: ulla, who owns and stewards, and those who assess for it; a place in
// the register of institutions; and their trainings and declarations. The demo's people belong to the city.
func addOwner(t *testing.T, data, unit string) {
	t.Helper()
	const region = "990000"
	people := []auth.Account{
		{ID: "ulla", NameZH: "乌拉", NameEN: "Ulla", Roles: []string{"owner", "steward"}},
		{ID: "vera", NameZH: "薇拉", NameEN: "Vera", Roles: []string{"reviewer-confidentiality"}},
		{ID: "walt", NameZH: "沃特", NameEN: "Walt", Roles: []string{"reviewer-security-risk"}},
		{ID: "xena", NameZH: "芝娜", NameEN: "Xena", Roles: []string{"reviewer-privacy-impact"}},
	}
	for i := range people {
		people[i].Institution, people[i].Region = unit, region
		people[i], _ = auth.NewAccount(people[i])
	}
	edit(t, filepath.Join(data, "keys", "accounts.json"), func(accounts *[]auth.Account) { *accounts = append(*accounts, people...) })
	type first struct {
		Institutions []institution.Institution `json:"institutions"`
		Duties       []conduct.First           `json:"duties"`
	}
	later := policy.DateOf(time.Now().AddDate(1, 0, 0))
	edit(t, filepath.Join(data, "keys", "institutions.json"), func(f *first) {
		f.Institutions = append(f.Institutions, institution.Institution{ID: unit, NameZH: unit, NameEN: unit, Level: "province", Region: region, Department: "数据管理处", Post: "数据管理岗"})
		f.Duties = append(f.Duties, conduct.DemoDuties(people, later, later)...)
	})
}

// edit changes a file of JSON.
func edit[T any](t *testing.T, file string, change func(*T)) {
	t.Helper()
	raw, err := os.ReadFile(file)
	servicetest.Must(t, err)
	var x T
	servicetest.Must(t, json.Unmarshal(raw, &x))
	change(&x)
	raw, err = json.Marshal(x)
	servicetest.Must(t, err)
	servicetest.Must(t, os.WriteFile(file, raw, 0o600))
}
