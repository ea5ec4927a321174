package identifier_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"carrel/anonymize/identifier"
)

// valid draws numbers that pass the check of a kind whose check finds every single wrong digit.
func valid() map[identifier.Kind]*rapid.Generator[string] {
	d := identifier.New()
	// complete searches the check character: independent of how the check is written.
	complete := func(k identifier.Kind, body, alphabet string, at int) string {
		for _, c := range alphabet {
			full := body[:at] + string(c) + body[at:]
			if d.Whole([]byte(full)).Kinds.Has(k) {
				return full
			}
		}
		return ""
	}
	digits := func(n int) *rapid.Generator[string] { return rapid.StringMatching(fmt.Sprintf("[0-9]{%d}", n)) }
	return map[identifier.Kind]*rapid.Generator[string]{
		identifier.ResidentID: rapid.Custom(func(t *rapid.T) string {
			return complete(identifier.ResidentID, fmt.Sprintf("51%s19%02d%02d%02d%s", digits(4).Draw(t, "county"), rapid.IntRange(0, 99).Draw(t, "y"), rapid.IntRange(1, 12).Draw(t, "m"), rapid.IntRange(1, 28).Draw(t, "d"), digits(3).Draw(t, "seq")), "0123456789X", 17)
		}),
		identifier.CreditCode: rapid.Custom(func(t *rapid.T) string {
			return complete(identifier.CreditCode, "91"+"51"+digits(4).Draw(t, "county")+rapid.StringMatching("[0-9A-HJ-NPQRTUWXY]{9}").Draw(t, "body"), "0123456789ABCDEFGHJKLMNPQRTUWXY", 17)
		}),
		identifier.BankCard: rapid.Custom(func(t *rapid.T) string {
			return complete(identifier.BankCard, "62"+digits(13).Draw(t, "body"), "0123456789", 15)
		}),
		identifier.NPI: rapid.Custom(func(t *rapid.T) string {
			return complete(identifier.NPI, "1"+digits(8).Draw(t, "body"), "0123456789", 9)
		}),
		identifier.DeviceID: rapid.Custom(func(t *rapid.T) string {
			return complete(identifier.DeviceID, digits(12).Draw(t, "body"), "0123456789", 12)
		}),
	}
}

// TestOneDigitChanged: MOD 11-2, MOD 31, Luhn and GS1's check find every single wrong digit.
func TestOneDigitChanged(t *testing.T) {
	t.Parallel()
	d := identifier.New()
	for k, g := range valid() {
		t.Run(k.Key(), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				v := []byte(g.Draw(t, "number"))
				if !d.Whole(v).Kinds.Has(k) {
					t.Fatalf("%s is not valid", v)
				}
				i := rapid.IntRange(0, len(v)-1).Filter(func(i int) bool { return v[i] >= '0' && v[i] <= '9' }).Draw(t, "place")
				v[i] = '0' + (v[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "change")))%10
				if d.Whole(v).Kinds.Has(k) {
					t.Fatalf("%s is still valid", v)
				}
			})
		})
	}
}

// TestOrganisationDigit: MOD 11 with weights that have inverses finds single wrong digits too.
func TestOrganisationDigit(t *testing.T) {
	t.Parallel()
	d := identifier.New()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching("[0-9]{8}").Draw(t, "body")
		good := 0
		for _, c := range "0123456789X" {
			if d.Whole([]byte(body + string(c))).Kinds.Has(identifier.OrgCode) {
				good++
			}
		}
		if good != 1 {
			t.Fatalf("%d check characters fit", good)
		}
	})
}

// TestFoundAnywhere puts a number between marks and Chinese characters, in either width.
func TestFoundAnywhere(t *testing.T) {
	t.Parallel()
	d := identifier.New()
	numbers := valid()
	rapid.Check(t, func(t *rapid.T) {
		v := numbers[identifier.ResidentID].Draw(t, "number")
		if rapid.Bool().Draw(t, "wide") {
			v = strings.Map(func(r rune) rune { return r + 0xFEE0 }, v)
		}
		before := rapid.SampledFrom([]string{"", "号", "：", "(", "x ", "3天，"}).Draw(t, "before")
		after := rapid.SampledFrom([]string{"", "号", "。", ")", " y", "，13800138000"}).Draw(t, "after")
		if got := scanned(d, before+v+after); !strings.Contains(got, "resident-id="+v) {
			t.Fatalf("%s%s%s: %s", before, v, after, got)
		}
	})
}

// checkText holds for every text: positions ascend and lie on runes, and what is redacted cannot be found again.
func checkText(t interface{ Fatalf(string, ...any) }, d *identifier.Detector, text []byte, which identifier.Mask) {
	last := 0
	d.Scan(text, func(k identifier.Kind, from, to int) {
		if from < last || to <= from || to > len(text) || k.Key() == "" {
			t.Fatalf("%q: %s from %d to %d after %d", text, k.Key(), from, to, last)
		}
		last = to
	})
	d.Whole(text)
	var n identifier.Found
	out := d.Redact(nil, text, which, &n)
	d.Scan(out, func(k identifier.Kind, from, to int) {
		if which.Has(k) {
			t.Fatalf("%q became %q, which holds %s", text, out, k.Key())
		}
	})
	if n.Mask() == 0 && !bytes.Equal(out, text) {
		t.Fatalf("%q changed and nothing was counted", text)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{
		"患者张伟，身份证号11010519491231002X，电话13800138000，12床", "Mr. John Smith, SSN 123-45-6788, 12 Main Street, ZIP 02139", "⟦name⟧⟦13800138000⟧", "１１０１０５１９４９１２３１００２Ｘ",
		"北京市朝阳区建国路88号", "GB82 WEST 1234 5698 7654 32 1.10105E+17", "\xff\xfe年月日", "((((+86 138 0013 8000", "2020年2月29日 3月5日", "床号：+12-3", "电话电话电话13800138000", "患者患者于于张张",
	} {
		f.Add([]byte(s), uint64(identifier.FreeText()))
	}
	d := identifier.New()
	f.Fuzz(func(t *testing.T, text []byte, which uint64) {
		checkText(t, d, text, identifier.Mask(which)&identifier.FreeText())
	})
}

// TestRedactedHoldsNothing makes texts out of pieces that fit together in bad ways.
func TestRedactedHoldsNothing(t *testing.T) {
	t.Parallel()
	d := identifier.New()
	piece := rapid.SampledFrom([]string{
		"患者", "姓名", "：", "张", "伟", "王小明", "13800138000", "11010519491231002X", "138 ", "0013 ", "8000", "2020-01-02", "床", "12", "加", "住院号", "MRN ", "00123456", "Mr. ", "John ", "Smith", "，", " ", "-", ".", "(", ")", "+86",
		"北京市", "朝阳区", "建国路", "88号", "医生", "电话", "⟦name⟧", "⟦", "⟧", "@", "example.com", "li", "x", "1", "０", "岁", "96", "·", "年", "3月", "5日", "ZIP ", "02139", ":", "00", "1A",
	})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(piece, 0, 14).Draw(t, "pieces"), "")
		which := identifier.FreeText()
		if rapid.Bool().Draw(t, "some") {
			which = identifier.Mask(rapid.Uint64().Draw(t, "which")) & identifier.FreeText()
		}
		checkText(t, d, []byte(text), which)
	})
}

// TestDisguisedNumbers sets numbers in digits of other scripts, in circles, in Chinese, and puts between their digits what nobody sees: they are
// found all the same, and none of their digits is left.
func TestDisguisedNumbers(t *testing.T) {
	t.Parallel()
	d := identifier.New()
	forms := [][]string{
		strings.Split("0123456789", ""), strings.Split("０１２３４５６７８９", ""), strings.Split("٠١٢٣٤٥٦٧٨٩", ""), strings.Split("०१२३४५६७८९", ""), strings.Split("𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗", ""),
		strings.Split("⓪①②③④⑤⑥⑦⑧⑨", ""), strings.Split("⁰¹²³⁴⁵⁶⁷⁸⁹", ""), strings.Split("₀₁₂₃₄₅₆₇₈₉", ""),
	}
	han := []string{"零", "幺", "二", "三", "四", "五", "六", "七", "八", "九"}
	between := rapid.SampledFrom([]string{"", "", "", "\u200b", "\u200d", "\ufeff", "\u00ad", "\u2060", "\u0332", "\ufe0f\u20e3", "\u202e"})
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.SampledFrom([]string{"13800138000", "15439881328", "11010519491231002X"}).Draw(t, "number")
		digits := number
		if last := number[len(number)-1]; last == 'X' {
			digits = number[:len(number)-1]
		}
		allHan := rapid.Bool().Draw(t, "han")
		var text strings.Builder
		for _, c := range digits {
			form := han
			if !allHan {
				form = rapid.SampledFrom(forms).Draw(t, "form")
			}
			text.WriteString(form[c-'0'])
			if !allHan {
				text.WriteString(between.Draw(t, "between"))
			}
		}
		text.WriteString(number[len(digits):])
		var found identifier.Found
		got := string(d.Redact(nil, []byte("电话或证件"+text.String()+"。复诊"), identifier.FreeText(), &found))
		if found.Mask() == 0 || strings.ContainsAny(got, strings.Join(han, "")) {
			t.Fatalf("%q became %q", text.String(), got)
		}
		for _, form := range forms {
			if strings.ContainsAny(got, strings.Join(form, "")) {
				t.Fatalf("%q became %q", text.String(), got)
			}
		}
		if !allHan && string(identifier.Normalise(nil, []byte(strings.NewReplacer("\u0332", "", "\u20e3", "").Replace(text.String())))) != number {
			t.Fatalf("%q is not keyed as %s", text.String(), number)
		}
	})
	for _, text := range []string{"二〇二四年三月", "一二三四五", "第一百二十三次", "血压一百二十", "10×10⁹/L", "Ⅲ级①②"} {
		var found identifier.Found
		if got := string(d.Redact(nil, []byte(text), identifier.FreeText()&^identifier.Of(identifier.FineDate), &found)); got != text {
			t.Errorf("%s became %s", text, got)
		}
	}
}

func BenchmarkWhole(b *testing.B) {
	d := identifier.New()
	for _, v := range []string{"11010519491231002X", "13800138000", "张伟", "2020-01-02", "1234.56", "I21.9", "金河市东城区人民路12号3栋501室"} {
		b.Run(v, func(b *testing.B) {
			for b.Loop() {
				d.Whole([]byte(v))
			}
		})
	}
}

func BenchmarkScan(b *testing.B) {
	d := identifier.New()
	text := []byte("患者张伟因反复胸痛3天于2020-01-02入院，既往高血压病史10年，联系电话13800138000，查体：BP 150/90mmHg，心率82次/分。")
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		d.Scan(text, func(identifier.Kind, int, int) {})
	}
}
