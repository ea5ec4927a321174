package application

import (
	"context"
	"errors"
	"fmt"
	"time"

	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// The bounds of what is attached to one application or grant.
const (
	maxAttachments   = 50
	maxAttachedBytes = 100 << 20
)

// Vault keeps sealed files (broker/attachment).
type Vault interface {
	Put(data []byte) (id string, err error)
	Get(id string) ([]byte, error)
	Remove(id string) error
	Sweep(named func(id string) (bool, error)) (int, error)
}

// Papers is the use cases about files attached to applications and grants. What is attached is named by its sha256; name and content can be
// taken away for good, and the log holds salted commitments to the content only.
type Papers struct {
	apps  *Service
	vault Vault
}

// NewPapers makes the use cases.
func NewPapers(apps *Service, vault Vault) (*Papers, error) {
	if apps == nil || vault == nil {
		return nil, errors.New("application: attachments need the applications and a vault")
	}
	return &Papers{apps: apps, vault: vault}, nil
}

// Attached is an attachment as people see it.
type Attached struct {
	Hash string    `json:"hash"`
	Name string    `json:"name"`
	Type string    `json:"type"`
	Size int       `json:"size"`
	By   string    `json:"by"`
	At   time.Time `json:"at"`
}

// Attach attaches a file to an application. The same file twice is one. It is allowed while the application is in the applicant's hands.
func (s *Papers) Attach(ctx context.Context, id auth.Identity, app, name, media string, data []byte) (*Attached, error) {
	return s.attach(ctx, id, s.ofApplication(app), name, media, data)
}

func (s *Papers) attach(ctx context.Context, id auth.Identity, at place, name, media string, data []byte) (*Attached, error) {
	file, err := attachment.Check(name, media, data)
	if err != nil {
		return nil, err
	}
	if known, err := s.before(ctx, id, at, folder.HashOf(data)); err != nil || known != nil {
		return known, err
	}
	blob, err := s.vault.Put(data)
	if err != nil {
		return nil, fmt.Errorf("application: attach: %w", err)
	}
	var out *Attached
	err = s.apps.desk.Do(ctx, id, at.step("attachment.added"), func(tx *store.Tx) error {
		version, dec, err := at.add(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := room(ctx, tx, at.id, len(data)); err != nil {
			return err
		}
		p := &folder.Paper{Of: at.id, Hash: folder.HashOf(data), Type: file.Type, Size: len(data), Blob: blob, By: id.Account, At: s.apps.desk.Now().UTC(), Version: version}
		out, err = s.keep(ctx, tx, id, at, dec, p, file)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, s.vault.Remove(blob))
	}
	return out, nil
}

// before looks, without the writer, whether the file may be attached at all, so that nobody fills the disk with what is refused; it
// returns the attachment when it is there already. A refusal is put on record.
func (s *Papers) before(ctx context.Context, id auth.Identity, at place, hash string) (*Attached, error) {
	var known *Attached
	err := s.apps.desk.Store.View(ctx, func(tx *store.Tx) error {
		if _, _, err := at.add(ctx, tx, id); err != nil {
			return err
		}
		if err := room(ctx, tx, at.id, 0); err != nil {
			return err
		}
		p := &folder.Paper{Of: at.id, Hash: hash}
		_, err := tx.Get(ctx, folder.DocKind, p.ID(), p)
		if store.IsNotFound(err) || err == nil && !p.Removed.IsZero() {
			return nil
		}
		if err != nil {
			return err
		}
		known, err = show(ctx, tx, *p)
		return err
	})
	if err != nil {
		return nil, s.apps.desk.Do(ctx, id, at.step("attachment.added"), func(*store.Tx) error { return err })
	}
	return known, nil
}

// room says whether so many bytes more have a place in a folder.
func room(ctx context.Context, tx *store.Tx, of string, size int) error {
	kept, err := folder.Kept(ctx, tx, of)
	if err != nil {
		return err
	}
	for _, p := range kept {
		size += p.Size
	}
	if len(kept) >= maxAttachments || size > maxAttachedBytes {
		return problem.New(problem.TooLarge, "附件过多（最多 50 个、共 100 MB）；请先撤下一些。", "There are too many attachments (at most 50, 100 MB in all); take some off first.")
	}
	return nil
}

// keep writes the attachment and its log entry. A file that was taken off before is a new one.
func (s *Papers) keep(ctx context.Context, tx *store.Tx, id auth.Identity, at place, dec policy.Decision, p *folder.Paper, file attachment.File) (*Attached, error) {
	var err error
	if p.Salt, err = audit.NewSalt(); err != nil {
		return nil, err
	}
	content, err := audit.Commit(p.Salt, file.Data)
	if err != nil {
		return nil, err
	}
	if p.Name, err = tx.PutText(ctx, file.Name); err != nil {
		return nil, err
	}
	rev, err := tx.Get(ctx, folder.DocKind, p.ID(), nil)
	if err != nil && !store.IsNotFound(err) {
		return nil, err
	}
	if err := tx.Put(ctx, folder.DocKind, p.ID(), rev, p.Index(), p); err != nil {
		return nil, err
	}
	step := at.step("attachment.added")
	step.Facts, step.Commit = map[string]string{"type": p.Type, "size": fmt.Sprint(p.Size)}, map[string]string{"content": content, "name": p.Name.Commitment}
	if _, err := s.apps.desk.Record(ctx, tx, id, dec, step); err != nil {
		return nil, err
	}
	return &Attached{Hash: p.Hash, Name: file.Name, Type: p.Type, Size: p.Size, By: p.By, At: p.At}, nil
}

func show(ctx context.Context, tx *store.Tx, p folder.Paper) (*Attached, error) {
	name, err := opened(ctx, tx, p.Name)
	return &Attached{Hash: p.Hash, Name: name, Type: p.Type, Size: p.Size, By: p.By, At: p.At}, err
}

// List shows what is attached to who may read the application, and puts the view on record.
func (s *Papers) List(ctx context.Context, id auth.Identity, app string) ([]Attached, error) {
	return s.list(ctx, id, s.ofApplication(app))
}

func (s *Papers) list(ctx context.Context, id auth.Identity, at place) ([]Attached, error) {
	var out []Attached
	err := s.apps.desk.Look(ctx, id, at.step("attachment.listed"), at.what, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := at.read(ctx, tx, id)
		if err != nil {
			return dec, err
		}
		kept, err := folder.Kept(ctx, tx, at.id)
		if err != nil {
			return dec, err
		}
		for _, p := range kept {
			one, err := show(ctx, tx, p)
			if err != nil {
				return dec, err
			}
			out = append(out, *one)
		}
		return dec, nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// Fetch gives an attachment to who may read the application, after the view is on record. What is given has the hash it was asked by.
func (s *Papers) Fetch(ctx context.Context, id auth.Identity, app, hash string) (*attachment.File, error) {
	return s.fetch(ctx, id, s.ofApplication(app), hash)
}

func (s *Papers) fetch(ctx context.Context, id auth.Identity, at place, hash string) (*attachment.File, error) {
	var out *attachment.File
	err := s.apps.desk.Look(ctx, id, at.step("attachment.fetched"), at.what, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := at.read(ctx, tx, id)
		if err != nil {
			return dec, err
		}
		p := &folder.Paper{Of: at.id, Hash: hash}
		if _, err := tx.Get(ctx, folder.DocKind, p.ID(), p); err != nil {
			return dec, err
		}
		if !p.Removed.IsZero() {
			return dec, problem.Absent(policy.Text{ZH: "附件", EN: "attachment"})
		}
		out, err = s.open(ctx, tx, p)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (s *Papers) open(ctx context.Context, tx *store.Tx, p *folder.Paper) (*attachment.File, error) {
	name, err := opened(ctx, tx, p.Name)
	if err != nil {
		return nil, err
	}
	data, err := s.vault.Get(p.Blob)
	if err != nil {
		return nil, fmt.Errorf("application: attachment: %w", err)
	}
	if folder.HashOf(data) != p.Hash {
		return nil, problem.New(problem.Unverified, "附件与其摘要不符，未予提供；请告知管理员。", "The attachment is not what its hash says and is not given out; tell the administrator.")
	}
	return &attachment.File{Name: name, Type: p.Type, Data: data}, nil
}

// Detach takes an attachment off for good. What a submitted version rests on stays.
func (s *Papers) Detach(ctx context.Context, id auth.Identity, app, hash string) error {
	step := act.Step{Kind: "attachment.removed", Object: "application/" + app}
	var gone string
	err := s.apps.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		a, dec, err := s.mayDetach(ctx, tx, id, app)
		if err != nil {
			return act.Conceal(err, what())
		}
		p := &folder.Paper{Of: app, Hash: hash}
		rev, err := tx.Get(ctx, folder.DocKind, p.ID(), p)
		if err != nil || !p.Removed.IsZero() {
			return errors.Join(err, problem.Absent(policy.Text{ZH: "附件", EN: "attachment"}))
		}
		if p.Version < a.Version {
			return problem.New(problem.Conflict, "已提交的版本以此附件为依据，不能撤下。", "A submitted version rests on this attachment; it stays.")
		}
		if gone, err = s.erase(ctx, tx, p, rev); err != nil {
			return err
		}
		_, err = s.apps.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil || gone == "" {
		return err
	}
	if err := s.vault.Remove(gone); err != nil {
		return fmt.Errorf("application: detach: %w", err) // the sweep at the next start takes it
	}
	return nil
}

func (s *Papers) mayDetach(ctx context.Context, tx *store.Tx, id auth.Identity, app string) (*Application, policy.Decision, error) {
	a, _, err := s.apps.visible(ctx, tx, id, app)
	if err != nil {
		return nil, policy.Decision{}, err
	}
	dec, err := s.apps.access(ctx, id, "application.edit", a)
	if err != nil {
		return nil, dec, err
	}
	w, err := s.apps.workflow(ctx)
	if err == nil && a.State != w.Initial {
		err = problem.New(problem.Conflict, "申请已提交，不能撤下附件。", "The application was submitted; nothing can be taken off.")
	}
	return a, dec, err
}

// erase marks an attachment as removed and says which file nobody needs any more.
func (s *Papers) erase(ctx context.Context, tx *store.Tx, p *folder.Paper, rev int64) (string, error) {
	p.Removed, p.Salt = s.apps.desk.Now().UTC(), nil
	if err := tx.EraseText(ctx, p.Name.ID); err != nil {
		return "", err
	}
	if err := tx.Put(ctx, folder.DocKind, p.ID(), rev, p.Index(), p); err != nil {
		return "", err
	}
	if shared, err := folder.Shared(ctx, tx, p.Blob); err != nil || shared {
		return "", err
	}
	return p.Blob, nil
}

// Sweep removes the files that a crash left without a document. It is for the start, when nothing is being attached.
func (s *Papers) Sweep(ctx context.Context) error {
	_, err := s.vault.Sweep(func(blob string) (bool, error) {
		kept := false
		err := s.apps.desk.Store.View(ctx, func(tx *store.Tx) error {
			var err error
			kept, err = folder.Shared(ctx, tx, blob)
			return err
		})
		return kept, err
	})
	if err != nil {
		return fmt.Errorf("application: sweep attachments: %w", err)
	}
	return nil
}
