package register_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"carrel/broker/catalogue/register"
	"carrel/broker/problem"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
)

// atOnce does a step of a transfer twice at the same moment: one succeeds, the other hears by which rule it came second.
func atOnce[T any](t *testing.T, do func() (*T, error), rules ...string) *T {
	t.Helper()
	type outcome struct {
		made *T
		err  error
	}
	both := make(chan outcome, 2)
	for range 2 {
		go func() {
			made, err := do()
			both <- outcome{made, err}
		}()
	}
	x, y := <-both, <-both
	if x.err != nil {
		x, y = y, x
	}
	if x.err != nil || y.err == nil {
		t.Fatalf("of two at once: %v and %v", x.err, y.err)
	}
	refusedBy(t, y.err, rules...)
	return x.made
}

// A transfer is interrupted on either side and taken up again, each step is given twice at the same moment, and the services were
// started in the folder that their data lie in, as one does by hand.
func TestTransferIsTakenUpAgain(t *testing.T) {
	t.Parallel()
	beside, err := os.MkdirTemp(".", ".heir-") // a path that begins here, as in `carrel serve --data heir/data`
	servicetest.Must(t, err)
	t.Cleanup(func() { servicetest.Must(t, os.RemoveAll(beside)) })
	a, b := moulds.City(t), heirs(t, func(c *service.Config) { c.Data = filepath.Join(beside, "data") })
	ctx := t.Context()
	meet(t, a, b)
	wu, erbin := a.Who(t, "wu"), b.Who(t, "erbin")
	statement, err := b.Holdings.Prepare(ctx, erbin, register.CapacityInput{From: wu.Institution, Source: a.Holdings.Name(),
		Equipment: "Two servers of the same make in a locked room.", Staff: 2, MLPS: 3, Evidence: evidence})
	servicetest.Must(t, err)
	var capacity register.Capacity
	servicetest.Must(t, json.Unmarshal([]byte(statement.Payload), &capacity))

	// The giver stopped while it sealed: part of an extract lies there.
	from := filepath.Join(a.Config.Data, "transfers", capacity.Transfer)
	for _, e := range []string{"jinhe", "jinhe-cv-registry"} {
		x := entry(t, a, e)
		left := filepath.Join(from, x.Current.ManifestID)
		servicetest.Must(t, os.MkdirAll(left, 0o700))
		servicetest.Must(t, os.WriteFile(filepath.Join(left, "person.arrow.age"), []byte("half"), 0o600))
	}
	bundle := atOnce(t, func() (*register.Bundle, error) {
		return a.Holdings.Offer(ctx, wu, *statement, "The commission is merged into its successor.")
	}, "sichuan-14/step")

	// The receiver stopped between the extracts and the files about persons.
	to := filepath.Join(b.Config.Data, "transfers", capacity.Transfer)
	servicetest.Must(t, servicetest.CopyDir(from, to))
	persons := filepath.Join(to, "jinhe.persons")
	servicetest.Must(t, os.Rename(persons, persons+".later"))
	if _, err := b.Holdings.Receive(ctx, erbin, *bundle); !problem.Is(err, problem.Unverified) {
		t.Fatalf("received without the file about persons: %v", err)
	}
	if made, err := filepath.Glob(filepath.Join(b.Config.Data, "extracts", "jinhe", "*")); err != nil || len(made) == 0 {
		t.Fatalf("no extract was taken in before the interruption: %v", err)
	}
	servicetest.Must(t, os.Rename(persons+".later", persons))
	receipt := atOnce(t, func() (*register.Signed, error) { return b.Holdings.Receive(ctx, erbin, *bundle) }, "sichuan-14/free", "sichuan-14/step")

	atOnce(t, func() (*struct{}, error) { return nil, a.Holdings.Complete(ctx, wu, *receipt) }, "sichuan-14/step")
	if got := books(t, b); len(got) == 0 {
		t.Error("no account came")
	}
}
