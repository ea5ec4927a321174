package deid

import (
	"bytes"
	"testing"
	"unicode/utf8"

	utf8x "github.com/segmentio/asm/utf8"
	"pgregory.net/rapid"
)

// FuzzValidUTF8: what looks at 32 bytes at once says what utf8.Valid says, at any place of a text.
func FuzzValidUTF8(f *testing.F) {
	for _, s := range []string{"", "abcdefgh", "患者女，34岁，K80.2。主管医师蔡艳。", "\xe0\x80\x80", "\xed\xa0\x80", "é😀\xf4\x90\x80\x80", "\xef\xbf\xbf\xee\x80", "\xc0\xaf"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for pad := range 33 {
			text := append(bytes.Repeat([]byte("a"), pad), append(b, "金bcdefghijklmnopqrstuvwxyz金河河河"...)...)
			if got, want := utf8x.Valid(text), utf8.Valid(text); got != want {
				t.Fatalf("%q: %v, want %v", text, got, want)
			}
		}
	})
}

func TestValidUTF8(t *testing.T) {
	t.Parallel()
	pieces := []string{"a", "12345678", "é", "金", "河", "\u0800", "\u1000", "\ucfff", "\ud7ff", "\ue000", "\uffff", "😀", "\x80", "\xe9", "\xe9\x87", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf4\x90\x80\x80"}
	rapid.Check(t, func(t *rapid.T) {
		var text []byte
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 80).Draw(t, "pieces") {
			text = append(text, p...)
		}
		if got, want := utf8x.Valid(text), utf8.Valid(text); got != want {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
	})
}
