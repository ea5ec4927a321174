package handover

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"carrel/anonymize/extract"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
)

// Members keeps who is in each package, sealed beside it: a resident may ask which handovers held her data, and receivers of those are told
// when she objects. Nobody else is told of a person in a package, and without the keys of this service nothing can be read from it.
type Members struct {
	dir    string
	sealer extract.Sealer
}

// NewMembers keeps members in the folder of packages.
func NewMembers(dir string, sealer extract.Sealer) (*Members, error) {
	if dir == "" || sealer == nil {
		return nil, errors.New("handover: who is in a package needs a folder and a sealer")
	}
	return &Members{dir: dir, sealer: sealer}, nil
}

var _ resident.Packages = (*Members)(nil)

// roll is the head of a sealed list; the persons' numbers follow it, four bytes each.
type roll struct {
	Extract   string            `json:"extract"`
	Dataset   string            `json:"dataset"`
	Register  string            `json:"register"`
	Numbering extract.Numbering `json:"numbering"`
}

func (v *Members) file(id string) string { return filepath.Join(v.dir, id+".members") }

// keep writes who is in a package.
func (v *Members) keep(id string, m extract.Manifest, tables []*cutTable) error {
	head, err := json.Marshal(roll{Extract: m.ID, Dataset: m.Dataset, Register: m.RegisterHash, Numbering: m.Numbering})
	if err != nil {
		return fmt.Errorf("handover: members: %w", err)
	}
	plain := append(head, '\n')
	for _, p := range personsOf(tables) {
		plain = binary.LittleEndian.AppendUint32(plain, p)
	}
	var sealed bytes.Buffer
	w, err := v.sealer.Seal(&sealed)
	if err != nil {
		return fmt.Errorf("handover: members: %w", err)
	}
	_, err = w.Write(plain)
	if err := errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("handover: members: %w", err)
	}
	f, err := os.OpenFile(v.file(id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("handover: members: %w", err)
	}
	_, err = f.Write(sealed.Bytes())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("handover: members: %w", err)
	}
	return nil
}

// personsOf are the persons of the extract who have a row in a package, ascending.
func personsOf(tables []*cutTable) []uint32 {
	var out []uint32
	for _, t := range tables {
		out = append(out, t.persons...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Members implements resident.Packages.
func (v *Members) Members(id string) (extract.Manifest, []uint32, error) {
	var m extract.Manifest
	f, err := os.Open(v.file(id))
	if err != nil {
		return m, nil, fmt.Errorf("handover: members: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	plain, err := v.sealer.Unseal(f)
	if err != nil {
		return m, nil, fmt.Errorf("handover: members: %w", err)
	}
	raw, err := io.ReadAll(plain)
	if err != nil {
		return m, nil, fmt.Errorf("handover: members: %w", err)
	}
	head, numbers, ok := bytes.Cut(raw, []byte{'\n'})
	var h roll
	if !ok || json.Unmarshal(head, &h) != nil || len(numbers)%4 != 0 {
		return m, nil, errors.New("handover: the list of who is in a package is damaged")
	}
	persons := make([]uint32, len(numbers)/4)
	for i := range persons {
		persons[i] = binary.LittleEndian.Uint32(numbers[4*i:])
	}
	return extract.Manifest{ID: h.Extract, Dataset: h.Dataset, RegisterHash: h.Register, Numbering: h.Numbering}, persons, nil
}

// Packages implements resident.Packages: what was prepared of a dataset, or of all, oldest first.
func (v *Members) Packages(ctx context.Context, tx *store.Tx, dataset string) ([]resident.Package, error) {
	var out []resident.Package
	f := store.Filter{Limit: store.ListMax}
	for {
		docs, err := tx.List(ctx, DocKind, f)
		if err != nil {
			return nil, fmt.Errorf("handover: list: %w", err)
		}
		for _, d := range docs {
			var h Handover
			if err := d.Decode(&h); err != nil {
				return nil, err
			}
			f.After = d.ID
			if h.Package == nil || dataset != "" && h.Dataset != dataset {
				continue
			}
			p := resident.Package{ID: h.ID, Dataset: h.Dataset, Grant: h.Grant, Application: h.Application, Receiver: h.Institution, List: h.Package.Exclusions, Prepared: h.Prepared}
			if len(h.Pulls) > 0 {
				p.Pulled = h.Pulls[0].At
			}
			out = append(out, p)
		}
		if len(docs) < f.Limit {
			return out, nil
		}
	}
}

// Persons says whose rows may leave (broker/resident).
type Persons interface {
	Select(ctx context.Context, u resident.Use) (*resident.Selection, error)
}

// persons asks whose rows may leave; policy's refusal is on record.
func (s *Service) persons(ctx context.Context, id auth.Identity, h *Handover, u resident.Use) (*resident.Selection, error) {
	who, err := s.c.Persons.Select(ctx, u)
	var refused *problem.Error
	if errors.As(err, &refused) && refused.Decision != nil {
		return nil, s.refuse(ctx, id, h, *refused.Decision)
	}
	return who, err
}

// current refuses what was cut with another list of residents' wishes than the one in force. It does so for every change: to withdraw a
// package only when she is in it would tell the receiver that she is.
func (s *Service) current(ctx context.Context, tx *store.Tx, dataset, list string) error {
	err := resident.Unchanged(ctx, tx, dataset, list, s.desk.Now())
	if errors.Is(err, resident.ErrChanged) {
		return problem.Wrap(err, problem.Conflict, "数据包制作后有居民的意愿提出、撤回或到期，此包已作废；请重新申请移交。",
			"After the package was made a resident's wish was made, withdrawn or ended, so it is withdrawn; request the handover again.")
	}
	return err
}

// versionOf is the published version that a package was cut from, 0 when the entry names none.
func versionOf(e *catalogue.Entry) int64 {
	if e.Current == nil {
		return 0
	}
	return e.Current.Version
}
