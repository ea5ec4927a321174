package register

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
)

// Residents keeps the lists of who objected and who authorised (broker/resident).
type Residents interface {
	Carry(ctx context.Context, tx *store.Tx, e *catalogue.Entry) (*resident.Carried, error)
	Leave(ctx context.Context, tx *store.Tx, c *resident.Carried) error
	Bring(ctx context.Context, tx *store.Tx, c *resident.Carried) error
}

// persons says, of one dataset, by what its persons go over: the key that numbers them, their register, and the list of what they wished. All
// three lie sealed in the folder of the transfer, in one file of this hash; the list that both sides sign names no person.
type persons struct {
	Dataset string `json:"dataset"`
	Extract string `json:"extract"`
	List    string `json:"list"`   // version of the wishes
	Wishes  int    `json:"wishes"` // that stand
	SHA256  string `json:"sha256"` // of what is sealed, in the clear
}

// packed is what is sealed.
type packed struct {
	Persons  resident.Carried `json:"wishes"`
	Register Register         `json:"register"`
}

// Register is what numbers the persons of an extract: without both nobody finds a person's rows, and nobody could leave them out.
type Register struct {
	Key    string `json:"key"` // its name
	Secret []byte `json:"secret"`
	File   []byte `json:"file"`
	Wards  []byte `json:"wards,omitempty"` // the index of children under guardians' numbers, where there is one
}

// String keeps the key out of logs.
func (Register) String() string { return "register" }

// GoString keeps the key out of logs.
func (Register) GoString() string { return "register" }

// carry reads the lists of what a unit holds.
func (h *holdings) carry(ctx context.Context, tx *store.Tx, r Residents, e *catalogue.Entry) error {
	c, err := r.Carry(ctx, tx, e)
	if err != nil {
		return err
	}
	h.lists = append(h.lists, c)
	h.Persons = append(h.Persons, persons{Dataset: c.Dataset, Extract: c.Extract, List: c.List, Wishes: len(c.Wishes)})
	return nil
}

// seal writes what numbers the persons of each dataset, and their wishes, for the receiver, and notes the hashes.
func (s *Service) seal(ctx context.Context, h *holdings, recipient, transfer string) error {
	for i, c := range h.lists {
		pack := packed{Persons: *c}
		if c.Extract != "" {
			dir, err := h.dir(moved{Dataset: c.Dataset, Manifest: c.Extract})
			if err != nil {
				return err
			}
			if pack.Register, err = s.c.Extracts.Register(ctx, dir); err != nil {
				return err
			}
		}
		raw, err := json.Marshal(pack)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(raw)
		h.Persons[i].SHA256 = "sha256:" + hex.EncodeToString(sum[:])
		if err := s.c.Extracts.SealPersons(ctx, recipient, transfer, c.Dataset, raw); err != nil {
			return err
		}
	}
	return nil
}

// hashed takes over the hashes of what was sealed, when it was sealed of just these lists.
func (h *holdings) hashed(before *holdings) bool {
	if len(h.Persons) != len(before.Persons) {
		return false
	}
	for i, p := range before.Persons {
		now := h.Persons[i]
		now.SHA256 = p.SHA256
		if now != p {
			return false
		}
		h.Persons[i] = p
	}
	return true
}

// unseal opens what numbers the persons of each dataset on a list. What does not have the hash on the list is named as differing.
func (s *Service) unseal(ctx context.Context, r *receipt) error {
	for _, p := range r.held.Persons {
		raw, err := s.c.Extracts.OpenPersons(ctx, r.list.Transfer, p.Dataset)
		if err != nil {
			return problem.Wrap(err, problem.Unverified, "随清单移交的人员登记或意愿名单缺失或损坏；未作任何接收。", "What numbers the persons of a dataset on the list, or the list of their wishes, is missing or damaged; nothing was taken.")
		}
		sum := sha256.Sum256(raw)
		if "sha256:"+hex.EncodeToString(sum[:]) != p.SHA256 {
			r.differs = append(r.differs, "persons "+p.Dataset)
			continue
		}
		pack := new(packed)
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		if err := d.Decode(pack); err != nil {
			return problem.Wrap(err, problem.Unverified, "随清单移交的人员登记不可读；未作任何接收。", "What numbers the persons of a dataset on the list cannot be read; nothing was taken.")
		}
		if c := pack.Persons; c.Dataset != p.Dataset || c.Extract != p.Extract || c.List != p.List || len(c.Wishes) != p.Wishes {
			r.differs = append(r.differs, "persons "+p.Dataset)
			continue
		}
		r.persons = append(r.persons, pack)
	}
	return nil
}

// number puts keys and registers in their places, after policy let the transfer in and before anything of it is in the store: a key or register
// that nothing names does no harm, and an extract without hers would.
func (s *Service) number(ctx context.Context, r *receipt) error {
	for _, p := range r.persons {
		if p.Persons.Extract == "" {
			continue
		}
		if err := s.c.Extracts.AdoptRegister(ctx, r.dirs[p.Persons.Extract], p.Register); err != nil {
			return problem.Wrap(err, problem.Unverified, "人员登记或其密钥与提取集不符，或此处已有同名的另一密钥；未作任何接收。",
				"The register of persons or its key is not that of the extract, or another key of its name is here; nothing was taken.")
		}
	}
	return nil
}

// bring puts the wishes in force. Every dataset on the list has its own, be it empty.
func (s *Service) bring(ctx context.Context, tx *store.Tx, r *receipt, step *act.Step) error {
	came := map[string]string{}
	for _, p := range r.persons {
		c := &p.Persons
		if err := s.c.Residents.Bring(ctx, tx, c); err != nil {
			return err
		}
		came[c.Dataset] = c.Extract
		if c.Number > 0 {
			step.Facts[resident.FactCame+c.Dataset] = fmt.Sprint(c.Number)
		}
	}
	for _, d := range r.held.Datasets {
		extract, in := came[d.ID]
		if !in || d.Current != nil && d.Current.ManifestID != extract {
			return problem.New(problem.Unverified, "清单缺少某一数据集的人员登记和意愿名单；未作任何接收。", "The list lacks the register and the wishes of a dataset's persons; nothing was taken.")
		}
	}
	return nil
}
