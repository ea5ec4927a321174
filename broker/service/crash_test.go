package service_test

import (
	"path/filepath"
	"testing"

	"carrel/anonymize/ledger"
	"carrel/broker/job"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
)

// TestCrashAfterTheChildHadTheData opens what a machine leaves behind that stops after the child has answered and before anything is recorded: the question is forfeited with
// its charge, and asked again it pays again. Drawing for it once more on the old charge would let crashes choose among samples.
func TestCrashAfterTheChildHadTheData(t *testing.T) {
	t.Parallel()
	a, root := &around{}, t.TempDir()
	c := moulds.City(t, a.put)
	a.ran = func(error) { servicetest.Must(t, servicetest.CopyDir(filepath.Dir(c.Config.Data), root)) }
	if _, err := c.Query(t, question, 0.1); err != nil {
		t.Fatal(err)
	}
	a.ran = nil
	left := &servicetest.City{Config: c.Config, Grant: c.Grant}
	left.Config.Data = filepath.Join(root, filepath.Base(c.Config.Data))
	var err error
	left.Service, err = service.Open(t.Context(), left.Config)
	servicetest.Must(t, err)
	t.Cleanup(func() {
		if err := left.Close(); err != nil {
			t.Error(err)
		}
	})
	lost := left.Records(t, ledger.StateForfeited)
	if len(lost) != 1 || lost[0].Why != ledger.WhyCrash || len(left.Records(t, ledger.StateDelivered)) != 0 {
		t.Fatalf("%d questions are forfeited", len(lost))
	}
	paid := left.Spent(t)
	if paid != lost[0].Cost {
		t.Errorf("spent %+v, the lost question cost %+v", paid, lost[0].Cost)
	}
	again, err := left.Jobs.Query(t.Context(), left.Who(t, "li"), job.Ask{Grant: left.Grant, SQL: question, Epsilon: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	if again.FromRecord || again.ID == lost[0].ID || left.Spent(t).Units != 2*paid.Units {
		t.Errorf("asked again: from record %v, as %s after %s, spent %+v after %+v", again.FromRecord, again.ID, lost[0].ID, left.Spent(t), paid)
	}
	left.Check(t)
}
