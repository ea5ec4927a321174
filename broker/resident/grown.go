package resident

import (
	"context"
	"fmt"
	"slices"
	"time"

	"carrel/anonymize/identifier"
	"carrel/broker/conduct/matter"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
)

// Grown are the standing objections that a guardian made for the person of an account, by their numbers. She is proved by her own document, whose
// number carries her day of birth, and the guardian by his, under which the sources have her rows; neither is kept. Where two children of
// the guardian have that day of birth, one does not take back what was said for both.
func (r *Registry) Grown(ctx context.Context, tx *store.Tx, account, document, guardian string) ([]string, error) {
	born := birthday(document)
	if born == "" || mistyped(guardian) {
		return nil, problem.New(problem.Invalid, "须出示本人的公民身份号码（18 位，含出生日期）和监护人当时的证件号码；请对照证件重新录入。",
			"Show her own resident number, of 18 characters with the day of birth, and the guardian's number; enter them again from the documents.")
	}
	person, err := r.refer(PersonKey, document, false)
	if err != nil {
		return nil, err
	}
	var own proof
	if _, err := tx.Get(ctx, proofKind, account, &own); store.IsNotFound(err) || err == nil && own.Person != person {
		return nil, problem.New(problem.Conflict, "该账户不是此证件本人的；请先核验身份。", "The account is not proved to be this person's; prove it first.")
	} else if err != nil {
		return nil, fmt.Errorf("resident: proof: %w", err)
	}
	if person, err = r.refer(PersonKey, guardian, false); err != nil {
		return nil, err
	}
	docs, err := tx.List(ctx, proofKind, store.Filter{Parent: person, Limit: 1})
	if err != nil || len(docs) == 0 {
		return nil, err
	}
	var his proof
	if err := docs[0].Decode(&his); err != nil {
		return nil, fmt.Errorf("resident: proof: %w", err)
	}
	var out []string
	err = matter.All(ctx, tx, matter.Wish, store.Filter{Owner: "person/" + his.Account, State: "standing"}, func(m *matter.Matter) error {
		if string(m.Born) != born || m.Sort == authorise { // what he authorised ended by itself (Lapse)
			return nil
		}
		out = append(out, m.ID)
		return r.apart(ctx, tx, m, &own, &his)
	})
	return out, err
}

// apart refuses a wish that stands for several children, and one for a child whom the sources know as another person than her: whoever has the
// guardian's number, and was born on the child's day, does not take back what was said for the child.
func (r *Registry) apart(ctx context.Context, tx *store.Tx, m *matter.Matter, own, guardian *proof) error {
	entries, err := r.c.Catalogue.List(ctx, act.CatalogueTx{Tx: tx})
	if err != nil {
		return fmt.Errorf("resident: %w", err)
	}
	for _, e := range entries {
		if e.Current == nil || m.Link != "" && m.Link != e.Dataset.ID {
			continue
		}
		have, err := r.c.Extracts.Manifest(ctx, e)
		if err != nil {
			return err
		}
		found, err := r.find(have, []Stance{{Refs: guardian.Refs, Born: string(m.Born)}}, true)
		if err != nil {
			return err
		}
		if len(found) > 1 {
			return problem.New(problem.Conflict, "该监护人名下有多名同日出生的被监护人，意愿对各人均有效；须各人一并办理，请联系数据管理员。",
				"Several children of the guardian have this day of birth, and the wish stands for each of them; they have to come together. Tell the steward.")
		}
		if len(found) == 0 {
			continue
		}
		self, err := r.find(have, []Stance{{Refs: own.Refs}}, true)
		if err != nil {
			return err
		}
		if len(self) > 0 && !slices.Contains(self, found[0]) {
			return problem.New(problem.Conflict, "来源数据中，该监护人名下的被监护人与此证件本人不是同一人；意愿继续有效，请联系数据管理员核对。",
				"The sources know the child under the guardian's number as another person than this document's; the wish stands. Tell the steward.")
		}
	}
	return nil
}

// birthday is the day that a resident number carries (GB 11643), "" of what is none.
func birthday(document string) string {
	id := plain(document)
	if !formed(id) || identifier.ResidentDigit(id) != id[17] {
		return ""
	}
	day, err := time.Parse("20060102", string(id[6:14]))
	if err != nil {
		return ""
	}
	return day.Format(time.DateOnly)
}
