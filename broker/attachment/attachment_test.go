package attachment_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/broker/attachment"
	"carrel/broker/problem"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var pdf = []byte("%PDF-1.7\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n")

func picture(t testing.TB, w, h int, encode func(*bytes.Buffer, image.Image) error) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, encode(&b, image.NewGray(image.Rect(0, 0, w, h))))
	return b.Bytes()
}

func asPNG(b *bytes.Buffer, m image.Image) error  { return png.Encode(b, m) }
func asJPEG(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) }

type part struct {
	name string
	data []byte
}

const wordTypes = `<Types><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>`

// docx is a word document with more parts.
func docx(t testing.TB, more ...part) []byte {
	t.Helper()
	return archive(t, append([]part{{"[Content_Types].xml", []byte(wordTypes)}, {"word/document.xml", []byte("<w:document/>")}}, more...)...)
}

func archive(t testing.TB, parts ...part) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, p := range parts {
		w, err := z.Create(p.name)
		must(t, err)
		_, err = w.Write(p.data)
		must(t, err)
	}
	must(t, z.Close())
	return b.Bytes()
}

func xlsx(t testing.TB) []byte {
	t.Helper()
	f := excelize.NewFile()
	var b bytes.Buffer
	must(t, f.Write(&b))
	return b.Bytes()
}

func TestKinds(t *testing.T) {
	t.Parallel()
	good := map[string]struct {
		name, media string
		data        []byte
	}{
		"pdf": {"批件.pdf", attachment.PDF, pdf}, "png": {"a.PNG", "image/png; x=y", picture(t, 3, 2, asPNG)}, "jpeg": {"a.jpeg", attachment.JPEG, picture(t, 3, 2, asJPEG)},
		"docx": {"a.docx", attachment.DOCX, docx(t)}, "xlsx": {"a.xlsx", attachment.XLSX, xlsx(t)}, "text": {"a.txt", "text/plain; charset=utf-8", []byte("\ufeff一 <b>二</b>\r\n")},
	}
	for what, g := range good {
		f, err := attachment.Check(g.name, g.media, g.data)
		if err != nil || f.Type == "" || strings.Contains(f.Type, ";") {
			t.Errorf("%s: %v, %v", what, f.Type, err)
		}
		for other, o := range good {
			if other == what {
				continue
			}
			// another's content, another's type, another's name: each alone is a lie
			if _, err := attachment.Check(g.name, g.media, o.data); err == nil && what != "text" {
				t.Errorf("%s with the content of %s passes", what, other)
			}
			if _, err := attachment.Check(g.name, o.media, g.data); err == nil {
				t.Errorf("%s declared as %s passes", what, other)
			}
			if _, err := attachment.Check(o.name, g.media, g.data); err == nil {
				t.Errorf("%s named as %s passes", what, other)
			}
		}
	}
}

func TestHostileContent(t *testing.T) {
	t.Parallel()
	zeros := make([]byte, 30<<20)
	many := make([]part, 2001)
	for i := range many {
		many[i] = part{name: fmt.Sprint("word/p", i, ".xml")}
	}
	spread := make([]part, 30)
	for i := range spread {
		spread[i] = part{fmt.Sprint("word/p", i, ".xml"), zeros[:4<<20]}
	}
	noise := make([]byte, 100<<10)
	_, _ = rand.Read(noise)
	thin := make([]byte, 4<<20) // packs about forty to one
	for i := 0; i+20 < len(thin); i += 1000 {
		copy(thin[i:], noise[i%(len(noise)-20):][:20])
	}
	wide := make([]part, 27)
	for i := range wide {
		wide[i] = part{fmt.Sprint("word/p", i, ".xml"), thin}
	}
	for _, c := range []struct {
		what, name, media string
		data              []byte
		code              problem.Code
	}{
		{"empty", "a.txt", attachment.Text, nil, problem.Invalid},
		{"too large", "a.txt", attachment.Text, bytes.Repeat([]byte("a"), attachment.MaxSize+1), problem.TooLarge},
		{"unknown type", "a.html", "text/html", []byte("<p>"), problem.Invalid},
		{"no type", "a.pdf", "", pdf, problem.Invalid},
		{"type that is none", "a.pdf", "pdf/;;", pdf, problem.Invalid},
		{"page as pdf", "a.pdf", attachment.PDF, []byte("<html>%PDF-1.7 %%EOF"), problem.Invalid},
		{"cut pdf", "a.pdf", attachment.PDF, pdf[:20], problem.Invalid},
		{"broken picture", "a.png", attachment.PNG, picture(t, 3, 2, asPNG)[:12], problem.Invalid},
		{"binary text", "a.txt", attachment.Text, []byte("a\x00b"), problem.Invalid},
		{"text that turns", "a.txt", attachment.Text, []byte("a\u202eb"), problem.Invalid},
		{"text not in UTF-8", "a.txt", attachment.Text, []byte("\xd6\xd0"), problem.Invalid},
		{"bomb in one", "a.docx", attachment.DOCX, docx(t, part{"word/a.xml", zeros}), problem.TooLarge},
		{"bomb beside noise", "a.docx", attachment.DOCX, docx(t, part{"word/noise.xml", noise}, part{"word/a.xml", zeros[:2<<20]}), problem.TooLarge},
		{"much of what packs less", "a.docx", attachment.DOCX, docx(t, wide...), problem.TooLarge},
		{"bomb in all", "a.docx", attachment.DOCX, docx(t, spread...), problem.TooLarge},
		{"many entries", "a.docx", attachment.DOCX, docx(t, many...), problem.TooLarge},
		{"macros", "a.docx", attachment.DOCX, docx(t, part{"word/vbaProject.bin", pdf}), problem.Invalid},
		{"package inside", "a.docx", attachment.DOCX, docx(t, part{"word/embeddings/a.bin", pdf}), problem.Invalid},
		{"archive inside", "a.docx", attachment.DOCX, docx(t, part{"word/a.ZIP", pdf}), problem.Invalid},
		{"way out", "a.docx", attachment.DOCX, docx(t, part{"word/../../a.xml", pdf}), problem.Invalid},
		{"root", "a.docx", attachment.DOCX, docx(t, part{"/etc/a.xml", pdf}), problem.Invalid},
		{"twice", "a.docx", attachment.DOCX, docx(t, part{"word/document.xml", pdf}), problem.Invalid},
		{"any archive", "a.docx", attachment.DOCX, archive(t, part{"a.xml", pdf}), problem.Invalid},
		{"other main part", "a.docx", attachment.DOCX, archive(t, part{"word/document.xml", pdf}, part{"[Content_Types].xml", []byte("<Types/>")}), problem.Invalid},
		{"something before", "a.docx", attachment.DOCX, append([]byte("<script>"), docx(t)...), problem.Invalid},
		{"cut archive", "a.docx", attachment.DOCX, docx(t)[:90], problem.Invalid},
	} {
		_, err := attachment.Check(c.name, c.media, c.data)
		if !problem.Is(err, c.code) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

// An archive's directory that claims to be small does not help it: what is unpacked is counted.
func TestAnArchiveMayNotLie(t *testing.T) {
	t.Parallel()
	data := docx(t, part{"word/a.xml", make([]byte, 30<<20)})
	size := []byte{0, 0, 0xe0, 1} // 30 MB, little-endian
	if n := bytes.Count(data, size); n == 0 {
		t.Fatal("the size is not where it was")
	}
	lying := bytes.ReplaceAll(data, size, []byte{9, 0, 0, 0})
	if _, err := attachment.Check("a.docx", attachment.DOCX, lying); err == nil {
		t.Error("passes")
	}
}

func TestPictureBomb(t *testing.T) {
	t.Parallel()
	data := picture(t, 3, 2, asPNG)
	copy(data[16:24], []byte{0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff}) // width and height; the sum of the header is not looked at before them
	if _, err := attachment.Check("a.png", attachment.PNG, data); err == nil {
		t.Error("passes")
	}
	big := picture(t, 12000, 9000, asPNG)
	if _, err := attachment.Check("a.png", attachment.PNG, big); !problem.Is(err, problem.TooLarge) {
		t.Errorf("108 million pixels: %v", err)
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"批件 2026.pdf": "批件 2026.pdf", "  a   b.pdf ": "a b.pdf", "e\u0301.pdf": "é.pdf", "a\u3000b.pdf": "a b.pdf", "CONTRACT.pdf": "CONTRACT.pdf", "a.b.pdf": "a.b.pdf",
	} {
		if got, err := attachment.Name(in); err != nil || got != want {
			t.Errorf("%q is %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", " ", "../a.pdf", "a/b.pdf", `a\b.pdf`, "C:a.pdf", "a\x00.pdf", "a\n.pdf", "a\u202efdp.exe", "a\u200b.pdf", "\ufeffa.pdf", ".a.pdf", "-a.pdf", "~a.pdf", "a.pdf.", "a..pdf",
		"CON.pdf", "nul.pdf", "LPT1.pdf", "com0.x.pdf", "a\uff0fb.pdf", "a\u2215b.pdf", "a\u2044b.pdf", "\uff0e\uff0e.pdf", "a\uff1ab.pdf", "a?.pdf", "\xff.pdf", strings.Repeat("长", 121), "a\u2028b.pdf", "a\ue000.pdf", "\uff23\uff2f\uff2e.pdf"} {
		if got, err := attachment.Name(in); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q passes as %q: %v", in, got, err)
		}
	}
}

// Whatever a name was, what is kept is one component that shows all it has.
func TestNameProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.StringOfN(rapid.RuneFrom([]rune("ab./\\:. \u202e\u200b\uff0f\u2215CON长é\u0301")), 1, 20, -1)).Draw(t, "name")
		got, err := attachment.Name(in)
		if err != nil {
			return
		}
		if filepath.Base(got) != got || !filepath.IsLocal(got) || strings.ContainsAny(got, `/\`) || strings.IndexFunc(got, func(r rune) bool { return !unicode.IsGraphic(r) }) >= 0 {
			t.Fatalf("%q became %q", in, got)
		}
		if again, err := attachment.Name(got); err != nil || again != got {
			t.Fatalf("%q became %q and then %q, %v", in, got, again, err)
		}
	})
}

func FuzzCheck(f *testing.F) {
	f.Add("a.pdf", attachment.PDF, pdf)
	f.Add("a.docx", attachment.DOCX, docx(f))
	f.Add("a.png", attachment.PNG, picture(f, 3, 2, asPNG))
	f.Add("a.txt", "text/plain", []byte("一"))
	f.Fuzz(func(t *testing.T, name, media string, data []byte) {
		file, err := attachment.Check(name, media, data)
		if err != nil {
			var p *problem.Error
			if !errors.As(err, &p) || p.Text.ZH == "" || p.Text.EN == "" || p.Code == problem.Failed {
				t.Fatalf("no sentence: %v", err)
			}
			return
		}
		if !bytes.Equal(file.Data, data) || len(data) > attachment.MaxSize || filepath.Base(file.Name) != file.Name {
			t.Fatalf("kept as %q", file.Name)
		}
		if _, err := attachment.Check(file.Name, file.Type, file.Data); err != nil {
			t.Fatalf("does not pass again: %v", err)
		}
	})
}

func vault(t *testing.T) (*attachment.Vault, string) {
	t.Helper()
	ring, err := deid.InitKeyRing(t.TempDir())
	must(t, err)
	secret, err := ring.Identity()
	must(t, err)
	age, err := extract.NewAge(secret)
	must(t, err)
	dir := filepath.Join(t.TempDir(), "attachments")
	v, err := attachment.OpenVault(dir, age)
	must(t, err)
	t.Cleanup(func() { _ = v.Close() })
	return v, dir
}

func TestVault(t *testing.T) {
	t.Parallel()
	v, dir := vault(t)
	secret := []byte("identity card of a person")
	id, err := v.Put(secret)
	must(t, err)
	sealed, err := os.ReadFile(filepath.Join(dir, id))
	must(t, err)
	if bytes.Contains(sealed, []byte("person")) {
		t.Error("the file is kept in the clear")
	}
	if info, err := os.Stat(filepath.Join(dir, id)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read it: %v %v", info.Mode(), err)
	}
	if got, err := v.Get(id); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("read %q, %v", got, err)
	}
	sealed[len(sealed)-1] ^= 1
	must(t, os.WriteFile(filepath.Join(dir, id), sealed, 0o600))
	if _, err := v.Get(id); err == nil {
		t.Error("a changed file is read")
	}
	must(t, v.Remove(id))
	must(t, v.Remove(id))
	for _, gone := range []string{id, "../" + id, "", "keys"} {
		if _, err := v.Get(gone); !errors.Is(err, attachment.ErrGone) {
			t.Errorf("%q: %v", gone, err)
		}
	}
	if _, err := attachment.OpenVault(dir, nil); err == nil {
		t.Error("a vault without a sealer opens")
	}
}

// What a crash left is swept: unfinished files and those without a document; what is not ours stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	v, dir := vault(t)
	kept, err := v.Put(pdf)
	must(t, err)
	lost, err := v.Put(pdf)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, lost+"x.part"), pdf, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "README"), pdf, 0o600))
	n, err := v.Sweep(func(id string) (bool, error) { return id == kept, nil })
	if err != nil || n != 2 {
		t.Errorf("%d swept, %v", n, err)
	}
	if _, err := v.Get(lost); !errors.Is(err, attachment.ErrGone) {
		t.Errorf("%v", err)
	}
	if _, err := v.Get(kept); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "README")); err != nil {
		t.Error(err)
	}
	if _, err := v.Sweep(func(string) (bool, error) { return false, errors.New("the store is away") }); err == nil {
		t.Error("a sweep without an answer removes")
	}
}
