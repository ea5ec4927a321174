package register

import (
	"context"
	"errors"
	"strings"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// LabelOf asks policy what a kind of artefact of the current version is called on this day. Of a package it asks as well whether there may
// be one.
func LabelOf(ctx context.Context, desk act.Desk, id auth.Identity, e *catalogue.Entry, kind string, noised bool) (catalogue.Label, error) {
	a := e.Assessment(kind)
	q := policy.CatalogueQuestion{At: desk.Moment(), Subject: id.Subject(), Act: "artefact.label", Entry: Facts(e.Dataset), Artefact: policy.Artefact{
		Kind: kind, Identifiers: e.Dataset.Identifiers(), Noised: noised,
		Assessment: policy.Assessed{ID: a.ID, Kind: a.Kind, Evidence: a.Evidence, By: a.By, Until: a.Until},
	}}
	if kind == catalogue.ArtefactPackage {
		q.Act = "artefact.package"
	}
	if e.Current != nil {
		q.Artefact.Maker = e.Current.PublishedBy
	}
	dec, err := desk.Ask(ctx, q)
	if err != nil {
		return catalogue.Label{}, err
	}
	for _, o := range dec.Obligations {
		if o.Kind == policy.ObligeLabel {
			l := catalogue.Label{Name: o.Value, Text: o.Text}
			if o.Value == "anonymised" { // the word is worth nothing without its assessment
				l.Assessment = a.ID
			}
			return l, nil
		}
	}
	return catalogue.Label{}, errors.New("register: policy gave no label")
}

// AssessmentInput is what an assessor signs: that artefacts of this kind, made of the current version, are anonymous.
type AssessmentInput struct {
	Kind     string      `json:"kind" maxLength:"20" doc:"extract, package or answer"`
	Evidence string      `json:"evidence" maxLength:"80" doc:"sha256:… of the assessment"`
	Until    policy.Date `json:"until" maxLength:"10" doc:"last day that it holds"`
}

// Assess puts a signed assessment on record. From its commit on artefacts of its kind are called anonymised, until its last day or the
// next version.
func (s *Service) Assess(ctx context.Context, id auth.Identity, dataset string, in AssessmentInput) (*catalogue.Assessment, error) {
	step := act.Step{Kind: "assessment.signed", Object: "dataset/" + dataset}
	var out *catalogue.Assessment
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		e, rev, err := s.c.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, dataset)
		if err != nil {
			return noDataset(err)
		}
		if e.Current == nil {
			return problem.New(problem.Conflict, "该数据集尚无已发布的版本。", "The dataset has no published version yet.")
		}
		a := catalogue.Assessment{ID: act.NewID("as"), Kind: strings.TrimSpace(in.Kind), Version: e.Current.Version, Evidence: in.Evidence, By: id.Account,
			At: s.desk.Now().UTC(), Until: in.Until}
		q := s.question(id, "assessment.sign")
		q.Entry = Facts(e.Dataset)
		q.Artefact = policy.Artefact{Kind: a.Kind, Identifiers: e.Dataset.Identifiers(), Maker: e.Current.PublishedBy,
			Assessment: policy.Assessed{ID: a.ID, Kind: a.Kind, Evidence: a.Evidence, By: a.By, Until: a.Until}}
		dec, err := s.desk.Ask(ctx, q)
		if err != nil {
			return err
		}
		if len(dec.Oblige(policy.ObligeLabel)) == 0 {
			return problem.New(problem.Invalid, "评估对象应为“extract”（提取集）、“package”（数据包）或“answer”（答案）。", "An assessment is of an extract, a package or an answer.")
		}
		e.Assessments = append(e.Assessments, a)
		if err := s.c.Catalogue.Keep(ctx, act.CatalogueTx{Tx: tx}, e, rev); err != nil {
			return err
		}
		step.Unit = e.Dataset.Steps.Serving
		step.Facts = map[string]string{"assessment": a.ID, "kind": a.Kind, "evidence": a.Evidence, "until": string(a.Until)}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		out = &a
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
