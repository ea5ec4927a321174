package web_test

import (
	"context"
	"html"
	"strings"
	"testing"

	"carrel/broker/application"
	"carrel/broker/application/apptest"
	"carrel/broker/store"
)

// Reviewers see on the application's page what changed since the version before, and what was written there does nothing.
func TestChangesOnThePage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	ctx := context.Background()
	d := apptest.Research()
	a, err := p.Create(ctx, p.As("li"), d)
	ok(t, err)
	_, err = p.Applications.Submit(ctx, p.As("li"), a.ID, 0)
	ok(t, err)
	if _, body := p.page("chen", "/applications/"+a.ID); strings.Contains(body, `id="changes"`) {
		t.Error("a first version has changes")
	}
	ok(t, p.Store.Update(ctx, func(tx *store.Tx) error { // as after the authority sent it back
		sent := new(application.Application)
		rev, err := tx.Get(ctx, application.DocKind, a.ID, sent)
		if err != nil {
			return err
		}
		sent.State = "draft"
		return tx.Put(ctx, application.DocKind, a.ID, rev, store.Index{Owner: "li", State: sent.State}, sent)
	}))
	d.Texts[application.TextMethods] = "一\n<script>alert(1)</script>"
	_, err = p.Applications.Edit(ctx, p.As("li"), a.ID, 0, d)
	ok(t, err)
	_, err = p.Applications.Submit(ctx, p.As("li"), a.ID, 0)
	ok(t, err)
	for lang, label := range map[string]string{"zh": "研究方法", "en": "methods"} {
		_, body := read(t, p.send(request{as: "chen", path: "/applications/" + a.ID, header: map[string]string{"Accept-Language": lang}}))
		_, part, found := strings.Cut(body, `id="changes"`)
		if !found || !strings.Contains(part, label) || !strings.Contains(html.UnescapeString(part), "+<script>alert(1)</script>") || foreign(body) != "" {
			t.Errorf("%s: %v, %q", lang, found, foreign(body))
		}
	}
}
