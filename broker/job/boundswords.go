package job

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"carrel/anonymize/ledger"
	"carrel/broker/problem"
	"carrel/policy"
)

// foundWords tells the bounds, what they mean and what they cost.
func foundWords(b *Bounds) policy.Text {
	var zh, en, again []string
	for _, f := range b.Found {
		unit := strings.TrimSpace(" " + f.Unit)
		zh = append(zh, strings.TrimSpace(fmt.Sprintf("%s：%s 至 %s %s", f.Argument, f.Lo, f.Hi, unit)))
		en = append(en, strings.TrimSpace(fmt.Sprintf("%s %s to %s %s", f.Argument, f.Lo, f.Hi, unit)))
		if f.Clamp != "" {
			again = append(again, f.Clamp)
		}
	}
	t := policy.Text{
		ZH: fmt.Sprintf("找到的上下限 %s；区间之外的值按端点计；查找用去 ε %.3g", strings.Join(zh, "，"), b.Epsilon),
		EN: fmt.Sprintf("bounds found: %s; values outside are clamped to them; the search cost ε %.3g", strings.Join(en, ", "), b.Epsilon),
	}
	if b.FromRecord {
		t = policy.Text{
			ZH: fmt.Sprintf("找到的上下限 %s；区间之外的值按端点计；查找已有记录，免费", strings.Join(zh, "，")),
			EN: fmt.Sprintf("bounds found: %s; values outside are clamped to them; the search was on record: free", strings.Join(en, ", ")),
		}
	}
	if len(again) > 0 {
		t.ZH += "；以后可直接写 " + strings.Join(again, "、")
		t.EN += "; later questions can write " + strings.Join(again, ", ")
	}
	return t
}

// explainSteps is Explain of a question whose bounds are to be found. When they are on record the explanation is that of the second step, else
// that of the widest bounds: narrower ones make the noise of sums and means smaller in proportion.
func (s *Service) explainSteps(ctx context.Context, whole *prepared) (*Explanation, error) {
	first, err := s.searching(ctx, whole)
	denied := problem.Is(err, problem.Forbidden)
	if err != nil && !denied {
		return nil, s.refusal(ctx, first, err)
	}
	second, onRecord := whole, false
	if ranges, perr := s.pick(ctx, first); perr == nil && !denied {
		onRecord = true
		if second, err = s.prepareStep(ctx, whole.id, whole.ask, &found{ranges, ""}); err != nil {
			return nil, s.refusal(ctx, second, err)
		}
	} else if perr != nil && !errors.Is(perr, ledger.ErrNotFound) && !errors.Is(perr, ledger.ErrState) {
		return nil, s.refusal(ctx, first, perr) // on record is that nothing was found
	}
	if denied {
		second = first
	}
	x, err := s.explained(ctx, second, denied)
	if err != nil || denied {
		return x, err
	}
	return x, s.forecastSteps(x, first, second, onRecord)
}

// forecastSteps makes costs and offers those of both steps.
func (s *Service) forecastSteps(x *Explanation, first, second *prepared, onRecord bool) (err error) {
	x.Bounds = boundsOf(first, second, onRecord)
	x.Epsilon = first.step.split.asked
	if x.Cost, err = first.cost.Add(second.cost); err != nil {
		return err
	}
	x.Budget = budget(second.account, x.Cost)
	for _, m := range first.list {
		x.Draws += m.Cells
	}
	x.Offers = nil
	a := second.account
	for _, times := range []float64{0.5, 1, 2} {
		d, err := divide(a.Accounting, x.Epsilon*times, a.RootDelta, first.ask.FindBounds)
		if err != nil {
			continue
		}
		if o, ok := (pricing{a.Accounting, a.RootDelta, s.c.Defaults.SelectDelta}).offer(second.plan, d.rest); ok {
			o.Epsilon = x.Epsilon * times
			x.Offers = append(x.Offers, o)
		}
	}
	x.Bounds.Words = searchWords(x.Bounds)
	return nil
}

// searchWords tells both charges before they are made.
func searchWords(b *Bounds) policy.Text {
	if b.FromRecord {
		return foundWords(b)
	}
	names := strings.Join(b.Arguments, ", ")
	return policy.Text{
		ZH: fmt.Sprintf("先查找 %s 的上下限（ε %.3g），再回答问题（ε %.3g），两次分别扣减；此处的误差按可能找到的最宽上下限计，找到的越窄，误差按比例越小", names, b.Epsilon, b.Question),
		EN: fmt.Sprintf("bounds of %s are found first (ε %.3g), then the question is answered (ε %.3g); each is charged by itself; the errors shown are for the widest bounds that can be found, narrower ones make them smaller in proportion", names, b.Epsilon, b.Question),
	}
}
