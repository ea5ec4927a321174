package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"carrel/anonymize/deid"
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
	// What an attempt left that ended before its list was signed is of no use to anybody.
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("clear the folder of the transfer: %w", err)
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
		have, err := m.Fingerprint(rel)
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

// Register implements register.Extracts.
func (m movers) Register(ctx context.Context, dir string) (register.Register, error) {
	ring, manifest, err := m.numbering(ctx, dir)
	if err != nil || manifest.Numbering.Key == "" {
		return register.Register{}, err
	}
	path := m.registers(manifest.Dataset)
	if err := deid.Registered(ring, path, manifest); err != nil {
		return register.Register{}, err
	}
	key, err := ring.Key(manifest.Numbering.Key)
	if err != nil {
		return register.Register{}, err
	}
	out := register.Register{Key: manifest.Numbering.Key, Secret: key[:]}
	if out.File, err = os.ReadFile(path); err != nil { //nolint:gosec // a dataset's name, which is a safe one
		return register.Register{}, err
	}
	if wards := deid.WardsFile(path, manifest); wards != "" {
		out.Wards, err = os.ReadFile(wards) //nolint:gosec // beside it
	}
	return out, err
}

// numbering is the key ring and the manifest of an extract of this service.
func (m movers) numbering(ctx context.Context, dir string) (*deid.DirKeyRing, extract.Manifest, error) {
	ring, err := deid.OpenKeyRing(filepath.Join(m.sets.root, "keys"))
	if err != nil {
		return nil, extract.Manifest{}, err
	}
	x, err := extract.Open(ctx, m.sets.dir(dir), m.sets.sealer)
	if err != nil {
		return nil, extract.Manifest{}, err
	}
	manifest := x.Manifest()
	if !safeName.MatchString(manifest.Dataset) {
		return nil, manifest, errors.New("the name of a dataset is not one")
	}
	return ring, manifest, nil
}

func (m movers) registers(dataset string) string {
	return filepath.Join(m.sets.root, "registers", dataset)
}

// AdoptRegister implements register.Extracts. It looks at both before they are in their places, and at what is there after.
func (m movers) AdoptRegister(ctx context.Context, dir string, r register.Register) error {
	ring, manifest, err := m.numbering(ctx, dir)
	if err != nil {
		return err
	}
	if r.Key != manifest.Numbering.Key || r.Key != "" && len(r.Secret) != len(deid.Secret{}) {
		return errors.New("the key is not the one that the extract names")
	}
	if r.Key == "" {
		return nil
	}
	aside, err := os.MkdirTemp(m.sets.root, "register-")
	if err != nil {
		return fmt.Errorf("make room for a register: %w", err)
	}
	defer func() { _ = os.RemoveAll(aside) }()
	other, path := oneKey{r.Key, deid.Secret(r.Secret)}, filepath.Join(aside, manifest.Dataset)
	if err := os.WriteFile(path, r.File, 0o600); err != nil {
		return fmt.Errorf("write the register: %w", err)
	}
	if err := deid.Registered(other, path, manifest); err != nil {
		return err
	}
	wards := deid.WardsFile(path, manifest)
	if wards != "" {
		if err := os.WriteFile(wards, r.Wards, 0o600); err != nil {
			return fmt.Errorf("write the index of children: %w", err)
		}
		if err := deid.Warded(other, path, manifest); err != nil {
			return err
		}
	}
	if err := ring.Adopt(r.Key, deid.Secret(r.Secret)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(m.registers(manifest.Dataset)), 0o700); err != nil {
		return fmt.Errorf("make the directory of registers: %w", err)
	}
	if err := os.Link(path, m.registers(manifest.Dataset)); err != nil && !errors.Is(err, os.ErrExist) { // never over another one
		return fmt.Errorf("put the register in place: %w", err)
	}
	if wards != "" {
		if err := os.Link(wards, deid.WardsFile(m.registers(manifest.Dataset), manifest)); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("put the index of children in place: %w", err)
		}
	}
	return errors.Join(deid.Registered(ring, m.registers(manifest.Dataset), manifest), deid.Warded(ring, m.registers(manifest.Dataset), manifest))
}

// oneKey is a ring of one key.
type oneKey struct {
	name string
	key  deid.Secret
}

// Key implements deid.KeyRing.
func (o oneKey) Key(name string) (deid.Secret, error) {
	if name != o.name {
		return deid.Secret{}, errors.New("there is no such key")
	}
	return o.key, nil
}

// maxPersons bounds the file about a dataset's persons: a register of a hundred million.
const maxPersons = 4 << 30

// sealedPersons is the file about a dataset's persons in the folder of a transfer.
func (m movers) sealedPersons(transfer, dataset string) (string, error) {
	dir, err := m.folder(transfer, dataset)
	return dir + ".persons", err
}

// SealPersons implements register.Extracts.
func (m movers) SealPersons(_ context.Context, recipient, transfer, dataset string, plain []byte) (err error) {
	path, err := m.sealedPersons(transfer, dataset)
	if err != nil {
		return err
	}
	other, err := extract.NewAgeRecipient(recipient)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the folder of the transfer: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) //nolint:gosec // safe names
	if err != nil {
		return fmt.Errorf("write who is in a dataset: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w, err := other.Seal(f)
	if err != nil {
		return err
	}
	_, err = w.Write(plain)
	return errors.Join(err, w.Close(), f.Sync())
}

// OpenPersons implements register.Extracts.
func (m movers) OpenPersons(_ context.Context, transfer, dataset string) ([]byte, error) {
	path, err := m.sealedPersons(transfer, dataset)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path) //nolint:gosec // safe names
	if err != nil {
		return nil, fmt.Errorf("read who is in a dataset: %w", err)
	}
	defer func() { _ = f.Close() }()
	clear, err := m.sets.sealer.Unseal(f)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(clear, maxPersons))
}
