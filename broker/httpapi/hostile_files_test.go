package httpapi_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"carrel/broker/attachment"
	"carrel/broker/service/servicetest"
)

// deliver sends bytes as what they are not.
func (b *bait) deliver(account, method, path, media string, body io.Reader) *httptest.ResponseRecorder {
	b.send(account, http.MethodGet, "/api/v1/whoami", nil) // for a token
	req := httptest.NewRequestWithContext(b.t.Context(), method, path, body)
	req.Header.Set("Content-Type", media)
	if account != "" {
		req.Header.Set("Authorization", "Bearer "+b.tokens[account])
	}
	rec := httptest.NewRecorder()
	b.h.ServeHTTP(rec, req)
	return rec
}

// bomb is a document of a megabyte that unpacks to a gigabyte.
func bomb(t *testing.T) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	w, err := z.Create("word/document.xml")
	servicetest.Must(t, err)
	zeros := make([]byte, 1<<20)
	for range 1 << 10 {
		_, err := w.Write(zeros)
		servicetest.Must(t, err)
	}
	servicetest.Must(t, z.Close())
	return out.Bytes()
}

// TestHostileFiles: a file that is too large, unpacks to too much, is not what it says, or is named like a path, is refused in a sentence
// and leaves nothing behind.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	rec := b.send("li", http.MethodPost, "/api/v1/applications", []byte(`{"facts":{"kind":"query"},"texts":{}}`))
	var made struct{ ID string }
	if err := json.Unmarshal(rec.Body.Bytes(), &made); err != nil || made.ID == "" {
		t.Fatal(rec.Body)
	}
	at := "/api/v1/applications/" + made.ID + "/attachments"
	pdf := []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")
	for what, x := range map[string]struct {
		name, media string
		body        io.Reader
		status      int
	}{
		"100 MB":                    {"a.txt", attachment.Text, io.LimitReader(endless{}, 100<<20), http.StatusRequestEntityTooLarge},
		"a bomb":                    {"a.docx", attachment.DOCX, bytes.NewReader(bomb(t)), http.StatusRequestEntityTooLarge},
		"a type nobody takes":       {"a.html", "text/html", strings.NewReader("<script>alert(1)</script>"), http.StatusUnprocessableEntity},
		"no type":                   {"a.pdf", "", bytes.NewReader(pdf), http.StatusUnprocessableEntity},
		"a form":                    {"a.pdf", "multipart/form-data; boundary=x", strings.NewReader("--x\r\n\r\n--x--"), http.StatusUnprocessableEntity},
		"a page that says it is":    {"a.pdf", attachment.PDF, strings.NewReader("<html></html>"), http.StatusUnprocessableEntity},
		"another ending":            {"a.exe", attachment.PDF, bytes.NewReader(pdf), http.StatusUnprocessableEntity},
		"nothing":                   {"a.txt", attachment.Text, strings.NewReader(""), http.StatusUnprocessableEntity},
		"a name that is a path":     {"../../etc/passwd.txt", attachment.Text, strings.NewReader("x"), http.StatusUnprocessableEntity},
		"a name that turns":         {"a\u202etxt.exe.txt", attachment.Text, strings.NewReader("x"), http.StatusUnprocessableEntity},
		"a name of blanks":          {"\u3000\u200b", attachment.Text, strings.NewReader("x"), http.StatusUnprocessableEntity},
		"a name with a null":        {"a\x00.txt", attachment.Text, strings.NewReader("x"), http.StatusUnprocessableEntity},
		"a name that never ends":    {strings.Repeat("长", 2000) + ".txt", attachment.Text, strings.NewReader("x"), http.StatusUnprocessableEntity},
		"a text with a null inside": {"a.txt", attachment.Text, strings.NewReader("a\x00b"), http.StatusUnprocessableEntity},
		"a text that is not UTF-8":  {"a.txt", attachment.Text, strings.NewReader("\xff\xfe"), http.StatusUnprocessableEntity},
	} {
		before := b.books()
		rec := b.deliver("li", http.MethodPost, at+"?name="+url.QueryEscape(x.name), x.media, x.body)
		if rec.Code/100 != 4 || x.status == http.StatusRequestEntityTooLarge && rec.Code != x.status {
			t.Errorf("%s: %d %.200s", what, rec.Code, rec.Body)
		}
		b.judge(what, rec, before)
	}
	if rec := b.send("li", http.MethodGet, at, nil); strings.TrimSpace(rec.Body.String()) != "[]" {
		t.Errorf("something was kept: %s", rec.Body)
	}
}

// endless is a text without end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// TestHostileMedia: each body of each route, as another media type and larger than the route takes, is refused in a sentence.
func TestHostileMedia(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	var doc surface
	servicetest.Must(t, json.Unmarshal(b.send("", http.MethodGet, "/openapi.json", nil).Body.Bytes(), &doc))
	n := 0
	for _, path := range slices.Sorted(maps.Keys(doc.Paths)) {
		for method, op := range doc.Paths[path] {
			method = strings.ToUpper(method)
			if op.RequestBody == nil || op.RequestBody.Content["application/json"].Schema.Ref == "" && op.RequestBody.Content["application/json"].Schema.Type == nil {
				continue
			}
			account := ""
			if path != "/api/v1/login" {
				account = b.who(method + " " + path)
			}
			at := strings.NewReplacer("{id}", "ap-0", "{kind}", "ethics").Replace(path)
			for _, media := range []string{"text/plain", "application/xml", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", "image/png"} {
				n++
				before := b.books()
				rec := b.deliver(account, method, at, media, strings.NewReader(`{"a":"b"}`))
				if rec.Code/100 != 4 {
					t.Errorf("%s %s as %s: %d", method, path, media, rec.Code)
				}
				b.judge(method+" "+path+" as "+media, rec, before)
			}
			before := b.books()
			rec := b.deliver(account, method, at, "application/json", io.MultiReader(strings.NewReader(`{"a":"`), io.LimitReader(endless{}, 41<<20), strings.NewReader(`"}`)))
			if rec.Code/100 != 4 {
				t.Errorf("%s %s with 41 MB: %d", method, path, rec.Code)
			}
			b.judge(method+" "+path+" with 41 MB", rec, before)
		}
	}
	if n < 200 {
		t.Errorf("only %d bodies", n)
	}
}

// TestHalvedSurrogates: a text that no character could be made of is refused, and not stored as another one.
func TestHalvedSurrogates(t *testing.T) {
	t.Parallel()
	b := newBait(t)
	for text, ok := range map[string]bool{`\ud800`: false, `a\udc00\ud800`: false, `\ud83d\u0041`: false, `\ud83d\ude00`: true, `\\ud800`: true, `\u5352\u4e2d`: true} {
		before := b.books()
		b.ahead.Add(int64(3 * time.Second)) // as slowly as the brake wants them
		rec := b.send("", http.MethodPost, "/api/v1/conduct/complaints", []byte(`{"text":"`+text+` 病历被他人查看，请予核实处理。"}`))
		if (rec.Code/100 == 2) != ok {
			t.Errorf("%s: %d %.200s", text, rec.Code, rec.Body)
		}
		b.judge(text, rec, before)
	}
}
