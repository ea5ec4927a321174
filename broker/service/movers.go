package service

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"carrel/anonymize/extract"
	"carrel/broker/catalogue/register"
)

// movers brings extracts from one service to another: sealed to the receiver's key in the folder transfers/NUMBER of the data directory,
// from which and to which the operators carry it.
type movers struct {
	sets *datasets
}

var _ register.Extracts = movers{}

// Recipient implements register.Extracts.
func (m movers) Recipient() (string, error) {
	a, ok := m.sets.sealer.(*extract.Age)
	if !ok {
		return "", errors.New("this service's seal has no public key to seal to")
	}
	return a.Recipient()
}

// safeName is what a folder may be called: numbers of transfers, datasets and extracts.
var safeName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,80}$`)

func (m movers) folder(transfer, manifest string) (string, error) {
	if !safeName.MatchString(transfer) || !safeName.MatchString(manifest) {
		return "", errors.New("the number of a transfer or an extract is not one")
	}
	return filepath.Join(m.sets.root, "transfers", transfer, manifest), nil
}

// Reseal implements register.Extracts.
func (m movers) Reseal(ctx context.Context, dir, recipient, transfer, manifest string) error {
	to, err := m.folder(transfer, manifest)
	if err != nil {
		return err
	}
	other, err := extract.NewAgeRecipient(recipient)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("make the folder of the transfer: %w", err)
	}
	_, err = extract.Reseal(ctx, m.sets.dir(dir), m.sets.sealer, to, other)
	return err
}

// Fingerprint implements register.Extracts.
func (m movers) Fingerprint(dir string) (string, error) {
	manifest, err := extract.ReadManifest(m.sets.dir(dir))
	if err != nil {
		return "", err
	}
	return manifest.Fingerprint()
}

// Adopt implements register.Extracts: it reads every value before the extract has a place here.
func (m movers) Adopt(ctx context.Context, transfer, dataset, manifest string) (register.Adopted, error) {
	from, err := m.folder(transfer, manifest)
	if err != nil {
		return register.Adopted{}, err
	}
	if !safeName.MatchString(dataset) {
		return register.Adopted{}, errors.New("the name of a dataset is not one")
	}
	got, err := extract.Verify(ctx, from, m.sets.sealer)
	if err != nil {
		return register.Adopted{}, err
	}
	if got.ID != manifest || got.Dataset != dataset {
		return register.Adopted{}, errors.New("the folder holds another extract")
	}
	fingerprint, err := got.Fingerprint()
	if err != nil {
		return register.Adopted{}, err
	}
	rel := filepath.Join("extracts", dataset, manifest)
	to := filepath.Join(m.sets.root, rel)
	if _, err := os.Stat(to); err == nil { // taken before, by an attempt that ended later
		have, err := m.Fingerprint(to)
		if err == nil && have != fingerprint {
			err = errors.New("another extract lies in its place")
		}
		return register.Adopted{Dir: rel, Fingerprint: fingerprint}, err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return register.Adopted{}, fmt.Errorf("make the directory of the extract: %w", err)
	}
	// A copy under the same seal: what was brought stays whole until somebody removes it.
	if _, err := extract.Reseal(ctx, from, m.sets.sealer, to, m.sets.sealer); err != nil {
		return register.Adopted{}, err
	}
	return register.Adopted{Dir: rel, Fingerprint: fingerprint}, nil
}
