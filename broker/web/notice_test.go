package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/notice"
)

// A person sees her own notices, opens the thing from there, and sets an address that counts after its code.
func TestNoticesPage(t *testing.T) {
	t.Parallel()
	p := newPages(t)
	var mail []notice.Mail
	p.Mail.Do(func(_ context.Context, m notice.Mail) error { mail = append(mail, m); return nil })
	a := p.Reviewed("li", apptest.Research())
	_, body := p.page("chen", "/notices?lang=en")
	if !strings.Contains(body, a.ID) || !strings.Contains(body, "an application waits for your review") {
		t.Fatal("the reviewer's notice is not on her page")
	}
	if _, other := p.page("he", "/notices"); strings.Contains(other, a.ID) {
		t.Error("another sees it too")
	}
	list, err := p.Notices.Inbox(context.Background(), p.As("chen"), true, "")
	ok(t, err)
	if status, _ := p.post("he", "/notices/"+list[0].ID+"/read", url.Values{}); status != http.StatusNotFound {
		t.Errorf("another marked it: %d", status)
	}
	res := p.send(request{as: "chen", method: http.MethodPost, path: "/notices/" + list[0].ID + "/read", form: url.Values{"open": {"1"}}})
	defer func() { _ = res.Body.Close() }()
	if to := res.Header.Get("Location"); to != "/applications/"+a.ID {
		t.Errorf("opening leads to %q", to)
	}
	if status, body := p.post("chen", "/notices/channel", url.Values{"mail": {"no address"}}); status != http.StatusUnprocessableEntity || !strings.Contains(body, "name@example.cn") {
		t.Errorf("a wrong address: %d", status)
	}
	p.post("chen", "/notices/channel", url.Values{"mail": {"chen@jinhe.example"}})
	_, err = p.Notices.Deliver(context.Background())
	ok(t, err)
	if len(mail) != 1 {
		t.Fatalf("%d letters", len(mail))
	}
	code := strings.Fields(strings.Split(mail[0].Body, "\n")[0])[1]
	if status, _ := p.post("chen", "/notices/channel/confirm", url.Values{"code": {"1"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", status)
	}
	p.post("chen", "/notices/channel/confirm", url.Values{"code": {code}})
	if _, body := p.page("chen", "/notices?lang=en"); !strings.Contains(body, "chen@jinhe.example") || strings.Contains(body, "waits for the code") {
		t.Error("the address is not confirmed")
	}
}
