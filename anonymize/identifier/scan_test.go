package identifier_test

import (
	"strings"
	"testing"

	"carrel/anonymize/identifier"
)

// scanned writes what Scan finds as kind=text.
func scanned(d *identifier.Detector, text string) string {
	var out []string
	d.Scan([]byte(text), func(k identifier.Kind, from, to int) { out = append(out, k.Key()+"="+text[from:to]) })
	return strings.Join(out, " | ")
}

func TestScan(t *testing.T) {
	t.Parallel()
	d := identifier.New()
	for text, want := range map[string]string{
		"患者张伟，男，56岁，身份证号11010519491231002X，电话13800138000。": "name=张伟 | resident-id=11010519491231002X | mobile=13800138000",
		"身份证：１１０１０５１９４９１２３１００２Ｘ（本人）":                       "resident-id=１１０１０５１９４９１２３１００２Ｘ",
		"号码11010519491231002x，备用138 0013 8000":             "resident-id=11010519491231002x | mobile=138 0013 8000",
		"110105 19491231 002X": "resident-id=110105 19491231 002X",
		"患者高血压病史10年，黄疸3天，康复良好。":                               "",
		"病人黄疸明显，患者安静，患者白细胞升高":                                 "",
		"患者于2020年3月5日入院，住院号：0012345，12床。":                     "date=2020年3月5日 | record-number=0012345 | bed=12床",
		"患者于立新，男，主管医师何志强。患者常头晕，患者于今日入院，患者时有胸痛":                "name=于立新 | name=何志强",
		"患者王伟因发热入院":                                           "name=王伟",
		"患者：买买提·吐尔逊，维吾尔族":                                     "name=买买提·吐尔逊",
		"主治医师：欧阳娜娜 审核者 李四":                                    "name=欧阳娜娜 | name=李四",
		"由张伟医生查房":                                             "name=张伟",
		"现住金河市东城区人民路12号3栋501室，联系人李梅":                          "address=金河市东城区人民路12号3栋501室 | name=李梅",
		"微信号：wx_abc123，邮箱li@example.com":                      "messenger=wx_abc123 | email=li@example.com",
		"车牌京A12345，护照号E12345678，邮编100020":                     "plate=京A12345 | passport=E12345678 | postcode=100020",
		"IP 192.168.1.20 port 80, see https://example.com/a.": "ip=192.168.1.20 | url=https://example.com/a",
		"MRN: 00123456, SSN 123-45-6788, call (617) 555-1234": "record-number=00123456 | ssn=123-45-6788 | us-phone=(617) 555-1234",
		"Mr. John Smith, 92-year-old, seen on 03/05/2011":     "latin-name=John Smith | age-over-89=92 | date=03/05/2011",
		"Na 140, K 4.0, Hb 13.5 g/dL, BP 120/80":              "",
		"0.13800138000 of 1,234,567.89":                       "",
		"lives at 12 Main Street, ZIP 02139":                  "address=12 Main Street | zip=02139",
		"卡号6222020200112230":                                  "bank-card=6222020200112230",
		"统一社会信用代码91350100M000100Y43":                          "credit-code=91350100M000100Y43",
		"电话010-62223333转6，或400-810-8888":                      "landline=010-62223333 | landline=400-810-8888",
		"95岁女性，收缩压90":                                         "age-over-89=95",
		"患者男性，患者今日无不适，医生建议，家属要求":                              "",
		"⟦name⟧与⟦13800138000⟧":                                "mobile=13800138000",
		"身份证号110105194912310021":                              "resident-id=110105194912310021",
		"IBAN GB82 WEST 1234 5698 7654 32.":                   "iban=GB82 WEST 1234 5698 7654 32",
		"1.10105E+17":                                         "damaged-number=1.10105E+17",
		"":                                                    "",
		"\xff\xfe患者张伟":                                        "name=张伟",
	} {
		if got := scanned(d, text); got != want {
			t.Errorf("%q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestRedact(t *testing.T) {
	t.Parallel()
	d := identifier.New()
	var n identifier.Found
	got := string(d.Redact(nil, []byte("患者张伟，电话13800138000，12床，2020-01-02入院"), identifier.FreeText(), &n))
	if want := "患者⟦name⟧，电话⟦mobile⟧，⟦bed⟧，⟦date⟧入院"; got != want {
		t.Errorf("got %s", got)
	}
	if n[identifier.HanName] != 1 || n[identifier.Mobile] != 1 || n[identifier.Bed] != 1 || n[identifier.FineDate] != 1 {
		t.Errorf("counts %v", n)
	}
	got = string(d.Redact([]byte("> "), []byte("患者张伟，电话13800138000"), identifier.Of(identifier.Mobile), &n))
	if got != "> 患者张伟，电话⟦mobile⟧" {
		t.Errorf("got %s", got)
	}
}
