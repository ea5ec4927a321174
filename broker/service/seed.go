package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"carrel/broker/auth"
	"carrel/broker/conduct"
	"carrel/broker/institution"
	"carrel/policy"
)

// seedFile lies beside the accounts and is as trusted as they are: the institutions that the accounts belong to, and what of their
// trainings and declarations stood before the service did. It is read at the first start and never again.
const seedFile = "institutions.json"

type seed struct {
	Institutions []institution.Institution `json:"institutions"`
	Duties       []conduct.First           `json:"duties"`
}

// writeSeed writes the demo's.
func writeSeed(name string, now time.Time) error {
	s := seed{Institutions: institution.Demo(now),
		Duties: conduct.DemoDuties(auth.DemoAccounts(), policy.DateOf(now.AddDate(2, 0, 0)), policy.DateOf(now.AddDate(1, 0, 0)))}
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the first institutions: %w", err)
	}
	return os.WriteFile(name, append(raw, '\n'), 0o600)
}

// sow enters them; without the file there are none.
func (s *Service) sow(ctx context.Context) error {
	raw, err := os.ReadFile(s.c.path("keys", seedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var in seed
	if err := json.Unmarshal(raw, &in); err != nil {
		return fmt.Errorf("keys/%s is not JSON of institutions and duties", seedFile)
	}
	if err := institution.Seed(ctx, s.Desk, s.register, in.Institutions); err != nil {
		return err
	}
	return conduct.Seed(ctx, s.Desk, s.files, in.Duties)
}
