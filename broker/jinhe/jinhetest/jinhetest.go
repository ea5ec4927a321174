// Package jinhetest plants identifiers for tests: one of every kind that identify a person in health records, and the forms in which each would still
// be one. Tests put them into sources and look for them in all that comes of these. Nobody has these numbers.
package jinhetest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/csv"
	"encoding/hex"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// Identifiers are one of every kind, by the kind's name.
func Identifiers() map[string]string {
	return map[string]string{
		"resident number": "440524188001010014", "resident number with X": "11010519491231002X", "old resident number": "440524800101001", "foreigner's card": "911124198108030024",
		"residence permit": "830000199201300022", "travel permit": "H1234567890", "passport": "EG7654321", "mobile": "13987654321", "mobile in groups": "+86 139-8765-4321",
		"fixed line": "0832-87654321", "name": "欧阳秋水", "compound name": "司马青衫", "minority name": "阿依古丽·买买提", "latin name": "Whitcombe-Ashgrove", "e-mail": "qiushui.ouyang@example.cn",
		"address": "金河市滨江路4729弄83号1502室", "record number": "ZY20239876543", "insurance card": "K98765432", "insurer's doctor": "D510987654321", "bed": "37-12+4床",
		"credit code": "91350100M000100Y43", "organisation code": "D2143569-X", "bank card": "6222021234567890128", "iban": "DE89370400440532013000", "plate": "川A8Z9Q7挂",
		"vin": "LSVAU2183N2183294", "wechat": "wxid_qiushui83", "url": "https://hospital.example/p/83", "ip": "203.0.113.83", "ip6": "2001:db8:83:1502::7", "mac": "00:1b:44:11:3a:b7",
		"ssn": "219-09-9998", "us phone": "(415) 555-0183", "mbi": "1EG4-TE5-MK73", "npi": "1679048300", "dea": "BW1234563", "device": "(01)09506000134352",
		"spoiled number": "4.40524E+17", "postcode": "641983", "zip": "94105-1835", "exact date": "1949-12-31", "note": "患者自述：前天摔倒，左膝肿痛。",
	}
}

// Plant writes identifiers into a source and returns what it holds now. Each column of text gets all of them in turn, in its first rows; keys keep
// telling rows apart, since a row gets one identifier in one column.
func Plant(t testing.TB, file string) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	all := slices.Sorted(maps.Values(Identifiers()))
	at := 1
	for c, column := range rows[0] {
		switch column {
		case "name", "phone", "address", "notes", "prescriber_name", "department", "icd10", "total_cost", "outcome", "subtype", "severity", "item", "unit", "drug_code", "manufacturer", "prescriber_id",
			"insurance_type", "sex", "hospital_id":
		default:
			continue
		}
		for _, text := range all {
			if n, err := strconv.ParseInt(text, 10, 64); column == "total_cost" && (err != nil || n > 1<<50) {
				continue // a cost that is no number stops the build: these are a telephone number and the like
			}
			rows[at%(len(rows)-1)+1][c] = text
			at++
		}
	}
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Variants are the forms in which an identifier would still be one: encoded, reversed, without its check digit, as a number.
func Variants(t testing.TB, text string) map[string][]byte {
	t.Helper()
	runes := []rune(text)
	backwards := slices.Clone(runes)
	slices.Reverse(backwards)
	bare := strings.NewReplacer(" ", "", "-", "", ":", "", ".", "", "(", "", ")", "", "+", "").Replace(text)
	forms := map[string]string{"as it is": text, "backwards": string(backwards)}
	if len(bare) >= 7 {
		forms["without separators"] = bare
	}
	if len(text) >= 9 {
		forms["without its last character"] = string(runes[:len(runes)-1])
	}
	out := map[string][]byte{}
	for name, s := range forms {
		out[name] = []byte(s)
		out[name+", lower case"] = []byte(strings.ToLower(s))
		gbk, err := simplifiedchinese.GB18030.NewEncoder().Bytes([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		out[name+", GBK"] = gbk
		var little, big []byte
		for _, u := range utf16.Encode([]rune(s)) {
			little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
		}
		out[name+", UTF-16 LE"], out[name+", UTF-16 BE"] = little, big
		for enc, raw := range map[string][]byte{"UTF-8": []byte(s), "GBK": gbk} {
			out[name+", hex of "+enc] = []byte(hex.EncodeToString(raw))
			out[name+", HEX of "+enc] = []byte(strings.ToUpper(hex.EncodeToString(raw)))
			for offset := range 3 {
				for kind, b := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
					whole := b.EncodeToString(append(make([]byte, offset), raw...))
					out[name+", "+kind+strconv.Itoa(offset)+" of "+enc] = []byte(whole[(offset*8+5)/6 : (offset+len(raw))*8/6])
				}
			}
		}
	}
	if n, err := strconv.ParseInt(bare, 10, 64); err == nil && n > 1<<32 {
		out["a number LE"], out["a number BE"] = binary.LittleEndian.AppendUint64(nil, uint64(n)), binary.BigEndian.AppendUint64(nil, uint64(n))
		out["a float"] = binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(n)))
	}
	return out
}
