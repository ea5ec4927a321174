package service_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"carrel/anonymize/ledger"
	"carrel/broker/catalogue"
	"carrel/broker/grant"
	"carrel/broker/jinhe"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
)

// A registration that is refused, for the dataset's universe or the universe's kind, leaves no account, no entry and no line in the log.
func TestARefusedRegistrationLeavesNothing(t *testing.T) {
	t.Parallel()
	c := moulds.City(t)
	ctx := context.Background()
	before := len(c.Entries(t))
	for what, change := range map[string][2]string{
		"another universe": {"\nuniverse: jinhe\n", "\nuniverse: elsewhere\n"},
		"another kind":     {"\nsynthetic: true\n", "\nsynthetic: false\n"},
	} {
		moved := bytes.Replace(jinhe.DatasetYAML(), []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(moved, jinhe.DatasetYAML()) {
			t.Fatalf("%s: the entry does not hold %q", what, change[0])
		}
		if _, err := c.Holdings.Register(ctx, c.Who(t, "wu"), jinhe.DatasetFile, moved); err == nil || what == "another universe" && !errors.Is(err, catalogue.ErrUniverse) {
			t.Errorf("%s: %v", what, err)
		}
	}
	servicetest.Must(t, c.Desk.Store.View(ctx, func(tx *store.Tx) error {
		if a, err := tx.LedgerAccount(ctx, grant.Universe("elsewhere")); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("an account of nobody's universe: %+v, %v", a, err)
		}
		return nil
	}))
	if n := len(c.Entries(t)); n != before {
		t.Errorf("%d entries more", n-before)
	}
	if _, err := c.Holdings.Register(ctx, c.Who(t, "wu"), jinhe.DatasetFile, jinhe.DatasetYAML()); err != nil {
		t.Errorf("the entry as it was: %v", err)
	}
	c.Check(t)
}
