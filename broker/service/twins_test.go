package service_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"carrel/anonymize/extract"
	"carrel/anonymize/identifier"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/jinhe"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/policy"
)

// changeRows rewrites a source table row by row; change returns the rows that stand in the place of one.
func changeRows(t *testing.T, dir, table string, change func(column map[string]int, row []string) [][]string) {
	t.Helper()
	path := filepath.Join(dir, table+".csv")
	raw, err := os.ReadFile(path)
	servicetest.Must(t, err)
	all, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	servicetest.Must(t, err)
	column := map[string]int{}
	for i, name := range all[0] {
		column[name] = i
	}
	out := [][]string{all[0]}
	for _, row := range all[1:] {
		out = append(out, change(column, row)...)
	}
	var b bytes.Buffer
	servicetest.Must(t, csv.NewWriter(&b).WriteAll(out))
	servicetest.Must(t, os.WriteFile(path, b.Bytes(), 0o600))
}

// twins makes a child of the sources, who stands under a guardian's number, and another one who does so twins of this guardian, born on a day.
// Both are on the dataset's register as they were: a guardian's number is not what they are named by.
func twins(t *testing.T, dir, document, was, born string) {
	t.Helper()
	usable := map[string]bool{}
	for _, r := range sourceRows(t, dir, "consents", "person_no") {
		usable[r[0]] = true
	}
	for _, r := range sourceRows(t, dir, "objections", "person_no") {
		usable[r[0]] = false
	}
	second := false
	changeRows(t, dir, "person", func(c map[string]int, row []string) [][]string {
		id, day := &row[c["id_number"]], &row[c["birth_date"]]
		switch {
		case row[c["id_is_guardians"]] != "1":
		case *id == document && *day == was:
			*day = born
		case *id != document && len(*id) == 18 && usable[row[c["person_no"]]] && !second:
			second, *id, *day = true, document, born
		}
		return [][]string{row}
	})
	if !second {
		t.Fatal("no other child in the city stands under a guardian's number")
	}
}

// numbered is a resident number of nobody with a day of birth.
func numbered(day time.Time) string {
	id := []byte("110105" + day.Format("20060102") + "0020")
	id[17] = identifier.ResidentDigit(id)
	return string(id)
}

// Guard: twins whom the sources name by one guardian's number and one day are two persons and stay two. An objection leaves both out, an authorisation
// lets neither in, and one of them does not take back what was said for both: she is told why, and nothing has changed.
func TestTwinsOfOneBirthday(t *testing.T) {
	t.Parallel()
	dir := citySources(t)
	document, was, _ := ward(t, dir)
	born := time.Now().AddDate(-18, 0, 10)
	day := born.Format(time.DateOnly)
	twins(t, dir, document, was, day)
	var ahead atomic.Int64
	c := moulds.City(t, func(c *service.Config) {
		c.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	})
	ctx := t.Context()
	_, _, err := c.Build(ctx, c.Who(t, "wu"), jinhe.QueryRecipeFile, jinhe.QueryRecipeYAML(), dir, nil)
	servicetest.Must(t, err)
	servicetest.Must(t, c.Holdings.Signed(ctx, c.Who(t, "wu"), c.Who(t, "zhou"), jinhe.Dataset))
	own := numbered(born)
	for account, number := range map[string]string{"fang": document, "luo": own} {
		_, err := c.Conduct.Prove(ctx, c.Who(t, "wu"), account, number)
		servicetest.Must(t, err)
	}
	in := func(identifiable bool) *resident.Selection {
		t.Helper()
		s, err := selection(t, c, identifiable)
		servicetest.Must(t, err)
		return s
	}
	let, err := c.Conduct.WishFor(ctx, c.Who(t, "fang"), "authorise", jinhe.Dataset, policy.Date(day))
	servicetest.Must(t, err)
	if s := in(true); !s.Only || len(s.Persons) != 0 {
		t.Errorf("an authorisation for twins lets %d in", len(s.Persons))
	}
	_, err = c.Conduct.Unwish(ctx, c.Who(t, "fang"), let.ID)
	servicetest.Must(t, err)
	wish, err := c.Conduct.WishFor(ctx, c.Who(t, "fang"), "object", jinhe.Dataset, policy.Date(day))
	servicetest.Must(t, err)
	before := in(false)
	if len(before.Persons) != 2 {
		t.Fatalf("an objection for twins leaves %d out", len(before.Persons))
	}
	mine, err := c.Residents.Record(ctx, c.Who(t, "fang"))
	servicetest.Must(t, err)
	if !slices.ContainsFunc(mine.Children, func(x resident.Child) bool { return x.Wish == wish.ID && x.Fit == 2 }) {
		t.Errorf("the guardian is told %+v", mine.Children)
	}

	ahead.Store(int64(11 * 24 * time.Hour))
	_, err = c.Conduct.Release(ctx, c.Who(t, "wu"), "luo", own, document)
	var told *problem.Error
	if !errors.As(err, &told) || told.Code != problem.Conflict || !strings.Contains(told.Text.EN, "Several children of the guardian have this day of birth") ||
		!strings.Contains(told.Text.ZH, "多名同日出生") || strings.Contains(err.Error(), own) || strings.Contains(err.Error(), document) {
		t.Errorf("one of the twins takes it back: %v", err)
	}
	if after := in(false); after.Version != before.Version || !slices.Equal(after.Persons, before.Persons) {
		t.Errorf("the list is %s with %d, was %s with %d", after.Version, len(after.Persons), before.Version, len(before.Persons))
	}
	c.Check(t)
}

// selection is whose rows a query over the demo dataset may touch.
func selection(t *testing.T, c *servicetest.City, identifiable bool) (*resident.Selection, error) {
	t.Helper()
	var e *catalogue.Entry
	servicetest.Must(t, c.Desk.Store.View(t.Context(), func(tx *store.Tx) error {
		var err error
		e, _, err = c.Catalogue.Get(t.Context(), act.CatalogueTx{Tx: tx}, jinhe.Dataset)
		return err
	}))
	x, err := extract.Open(t.Context(), filepath.Join(c.Config.Data, e.Current.Dir), c.Sealer)
	servicetest.Must(t, err)
	return c.Residents.Select(t.Context(), resident.Use{Entry: e, Manifest: x.Manifest(), Kind: policy.UseQuery, Purpose: "research", Identifiable: identifiable})
}

// Guard: somebody born on the day of a guardian's child, who knows the guardian's number, does not take back what was said for the child: the sources
// know the child as another person than her.
func TestAStrangerOfTheSameBirthday(t *testing.T) {
	t.Parallel()
	dir := citySources(t)
	document, was, _ := ward(t, dir)
	today := time.Now()
	number, day := "", ""
	for _, p := range sourceRows(t, dir, "person", "id_number", "id_is_guardians") {
		if len(p[0]) != 18 || p[1] != "0" {
			continue
		}
		if born, err := time.Parse("20060102", p[0][6:14]); err == nil && born.After(today.AddDate(-18, 0, 2)) && born.Before(today.AddDate(-18, 10, 0)) {
			number, day = p[0], born.Format(time.DateOnly)
			break
		}
	}
	if number == "" {
		t.Fatal("nobody in the city comes of age within the year")
	}
	changeRows(t, dir, "person", func(c map[string]int, row []string) [][]string {
		if row[c["id_number"]] == document && row[c["id_is_guardians"]] == "1" && row[c["birth_date"]] == was {
			row[c["birth_date"]] = day
		}
		return [][]string{row}
	})
	hands := servicetest.NewHands()
	c := moulds.City(t, hands.Put)
	ctx := t.Context()
	_, _, err := c.Build(ctx, c.Who(t, "wu"), jinhe.QueryRecipeFile, jinhe.QueryRecipeYAML(), dir, nil)
	servicetest.Must(t, err)
	servicetest.Must(t, c.Holdings.Signed(ctx, c.Who(t, "wu"), c.Who(t, "zhou"), jinhe.Dataset))
	for account, number := range map[string]string{"fang": document, "luo": number} {
		_, err := c.Conduct.Prove(ctx, c.Who(t, "wu"), account, number)
		servicetest.Must(t, err)
	}
	_, err = c.Conduct.WishFor(ctx, c.Who(t, "fang"), "object", jinhe.Dataset, policy.Date(day))
	servicetest.Must(t, err)
	before, err := selection(t, c, false)
	servicetest.Must(t, err)
	if len(before.Persons) != 1 {
		t.Fatalf("the objection leaves %d out", len(before.Persons))
	}
	born, err := time.Parse(time.DateOnly, day)
	servicetest.Must(t, err)
	hands.Pass(born.AddDate(18, 0, 1).Sub(hands.Now()))
	_, err = c.Conduct.Release(ctx, c.Who(t, "wu"), "luo", number, document)
	var told *problem.Error
	if !errors.As(err, &told) || told.Code != problem.Conflict || !strings.Contains(told.Text.EN, "another person than this document's") || !strings.Contains(told.Text.ZH, "不是同一人") {
		t.Errorf("a stranger takes it back: %v", err)
	}
	all, err := c.Conduct.Wishes(ctx, c.Who(t, "fang"))
	servicetest.Must(t, err)
	if len(all) != 1 || all[0].State != "standing" {
		t.Errorf("of the wish is left %+v", all)
	}
}
