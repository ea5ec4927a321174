package httpapi_test

import (
	"strings"
	"sync"
	"testing"

	"carrel/broker/auth"
	"carrel/broker/jinhe"
	"carrel/policy/tongue"
)

// called are the names of the city: of accounts, institutions and datasets. Sentences in both languages name them so. They
// are asked for with each sentence, and reading the catalogue takes milliseconds.
var called = sync.OnceValue(func() []string {
	out := []string{jinhe.Dataset, jinhe.Registry, "count"} // and the measure that a conversation names
	entry, err := jinhe.Entry(jinhe.Dataset)
	if err != nil {
		return nil
	}
	for _, table := range entry.Tables {
		out = append(out, table.Name)
		for _, f := range table.Fields {
			for _, v := range f.Values {
				if v.Label.ZH == v.Code { // a maker, who has no other name
					out = append(out, v.Code)
				}
			}
		}
	}
	for _, a := range auth.DemoAccounts() {
		out = append(out, a.ID, a.Institution)
	}
	return out
})

// heard holds every text of a reply to the language that it is in: sentences of refusals, obligations, lines of what is waited for,
// notices, labels of the catalogue.
func (k *talk) heard(t *testing.T, where string, body []byte) {
	t.Helper()
	if strings.HasSuffix(where, "/agreement") { // it holds what people wrote, in the language they wrote in
		return
	}
	for x := range tongue.In(body) {
		if odd := tongue.Strange(x, called()...); len(odd) > 0 {
			t.Errorf("%s: %q in\n  %s\n  %s", where, odd, x.ZH, x.EN)
		}
	}
}
