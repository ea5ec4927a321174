package register

import (
	"context"
	"errors"
	"strconv"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// ConfirmGrade puts an office's word on the grade of the version that is current, under the digest of what was read. Nothing that was signed
// changes by it: from its commit on the grade is no more called provisional, here and in packages, until the next version.
func (s *Service) ConfirmGrade(ctx context.Context, id auth.Identity, dataset, digest string) (*Version, error) {
	step := act.Step{Kind: "grade.confirmed", Object: "dataset/" + dataset}
	var out *Version
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		e, rev, err := s.c.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, dataset)
		if err != nil {
			return noDataset(err)
		}
		if e.Current == nil {
			return problem.New(problem.Conflict, "该数据集尚无已发布的版本。", "The dataset has no published version yet.")
		}
		q := s.question(id, "grade.confirm")
		q.Entry = Facts(e.Dataset)
		if q.Edition, err = edition(e, e.Current, digest); err != nil {
			return err
		}
		q.Edition.Signers = append(q.Edition.Signers, e.Current.PublishedBy)
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return err
		}
		said := textOf(dec, policy.ObligeState)
		if said == (policy.Text{}) {
			return errors.New("register: policy gave a confirmation no words")
		}
		if err := s.confirm(ctx, tx, e, rev, catalogue.Confirmation{By: id.Account, Office: id.Institution, At: s.desk.Now().UTC(), Grade: q.Edition.Graded.Grade,
			Report: q.Edition.Graded.Report, Digest: q.Edition.Digest, Text: said}); err != nil {
			return err
		}
		step.Unit = e.Dataset.Steps.Storing
		step.Facts = map[string]string{"version": strconv.FormatInt(e.Current.Version, 10), "digest": q.Edition.Digest, "risk": q.Edition.Risk,
			"grade": strconv.Itoa(q.Edition.Graded.Grade), "report": q.Edition.Graded.Report}
		out = view(e.Current, e.Dataset.ID, "published", q.Edition.Digest)
		if out.Label, err = LabelOf(ctx, s.desk, id, e, catalogue.ArtefactExtract, false); err != nil {
			return err
		}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// confirm keeps the word with a copy of the version: what readers were given stays as it was.
func (s *Service) confirm(ctx context.Context, tx *store.Tx, e *catalogue.Entry, rev int64, c catalogue.Confirmation) error {
	x := *e.Current
	x.Confirmed = &c
	e.Current = &x
	return s.c.Catalogue.Keep(ctx, act.CatalogueTx{Tx: tx}, e, rev)
}

func textOf(dec policy.Decision, kind string) policy.Text {
	for _, o := range dec.Obligations {
		if o.Kind == kind {
			return o.Text
		}
	}
	return policy.Text{}
}

// view is a version as those see it who sign.
func view(x *catalogue.Extract, dataset, state, digest string) *Version {
	return &Version{Extract: *x, Dataset: dataset, State: state, Digest: digest, Provisional: x.Risk.Grade != nil && !x.GradeFacts().Confirmed}
}
