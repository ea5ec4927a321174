package identifier_test

import (
	"strings"
	"testing"

	"carrel/anonymize/identifier"
)

// TestWhole has for each kind values that are it and values that are nearly it. The numbers are nobody's: examples of the standards, and
// numbers whose check was computed here.
func TestWhole(t *testing.T) {
	t.Parallel()
	d := identifier.New()
	for _, c := range []struct {
		kind      identifier.Kind
		good, bad []string
	}{
		{
			identifier.ResidentID, []string{"11010519491231002X", "11010519491231002x", "１１０１０５１９４９１２３１００２Ｘ", "110105 19491231 002X", " 110105-19491231-002x ", "440524188001010014"},
			[]string{"110105194912310021", "110101199003077578", "11010519491331002X", "11010519491231002", "991105194912310024", "1.10105E+17", "110105194912310021X"},
		},
		{identifier.ResidentOld, []string{"130503670401001", "130503 670401 001"}, []string{"130503671301001", "993503670401001", "13050367040100", "139503670401001"}},
		{identifier.ForeignerCard, []string{foreigner("911124198108030"), "CAN110105123456"}, []string{foreigner("911124198113030"), "CA110105123456", "CAN990105123456"}},
		{identifier.HKMTResidence, []string{foreigner("810000199408230")}, []string{"810000199408230020", foreigner("840000199408230")}},
		{identifier.HKMTPermit, []string{"H12345678", "M1234567801", "12345678"}, []string{"X12345678", "H1234567"}},
		{identifier.Passport, []string{"E12345678", "G12345678", "EA1234567", "D12345678"}, []string{"E1234567X", "Q12345678", "EI1234567", "E123456"}},
		{identifier.Mobile, []string{"13800138000", "138 0013 8000", "138-0013-8000", "+8613800138000", "008613800138000", "+86 138 0013 8000", "１３８００１３８０００"}, []string{"12800138000", "1380013800", "138001380001", "8713800138000"}},
		{identifier.Landline, []string{"010-62223333", "01062223333", "0755-82345678", "(010)62223333", "400-810-8888"}, []string{"000-62223333", "0101234567", "0755823456", "99962223333"}},
		{identifier.HanName, []string{"张伟", "王小明", "欧阳娜娜", "司马光", "诸葛亮", "买买提·吐尔逊", "阿依古丽·热合曼"}, []string{"高血压", "白细胞", "黄疸", "康复", "安静", "张", "张伟大人们好", "汉族", "东城区", "张三李四王五", "abc", "你好"}},
		{identifier.Email, []string{"li.wei@example.com", "a_b+c@mail.example.com.cn"}, []string{"a@b", "@example.com", "a b@example.com", "a@example.c1"}},
		{identifier.Address, []string{"北京市朝阳区建国路88号", "金河市东城区人民路12号3栋2单元501室", "四川省成都市武侯区", "河西村3组12号", "12 Main Street", "1600 Pennsylvania Ave"}, []string{"内科病区3号床", "手术室", "三级医院", "头孢", "12 mg", "5 Tablets"}},
		{identifier.Bed, []string{"12床", "3-2床", "+12床", "加12床", "12号床"}, []string{"床", "1234床", "12"}},
		{identifier.CreditCode, []string{"91350100M000100Y43", "91350100m000100y43"}, []string{"91350100M000100Y44", "91350100I000100Y43", "9135010M000100Y43"}},
		{identifier.OrgCode, []string{"D2143569-X", "D2143569X"}, []string{"D2143569-1", "D214356-X"}},
		{identifier.BankCard, []string{"6222020200112230", "4111 1111 1111 1111", "6222 0202 0011 2230"}, []string{"6222020200112231", "4111111111111112", "1234567890123452"}},
		{identifier.IBAN, []string{"GB82WEST12345698765432", "GB82 WEST 1234 5698 7654 32", "DE89370400440532013000"}, []string{"GB82WEST12345698765433", "1282WEST12345698765432"}},
		{identifier.Plate, []string{"京A12345", "川A·12345", "粤BD12345", "沪A1234学"}, []string{"京I12345", "A12345", "京A1234", "京ABCDEF"}},
		{identifier.VIN, []string{"1M8GDM9AXKP042788", "1HGCM82633A004352"}, []string{"1M8GDM9AXKP042789", "11111111111111111", "1M8GDM9AIKP042788"}},
		{identifier.URL, []string{"https://example.com/a?b=1", "www.example.com"}, []string{"https://", "example"}},
		{identifier.IP, []string{"192.168.1.20", "2001:db8::1", "10.0.0.1"}, []string{"192.168.1.256", "1.2.3", "12:30:00", "1.2.3.4.5"}},
		{identifier.MAC, []string{"00:1A:2B:3C:4D:5E", "00-1a-2b-3c-4d-5e"}, []string{"00:1A:2B:3C:4D", "00:1A-2B:3C:4D:5E", "00:1G:2B:3C:4D:5E"}},
		{identifier.SSN, []string{"123-45-6788", "123456788", "123 45 6788"}, []string{"000-45-6788", "666-45-6788", "900-45-6788", "123-00-6788", "123-45-0000", "078-05-1120", "219-09-9999"}},
		{identifier.USPhone, []string{"(617) 555-1234", "617-555-1234", "1-617-555-1234", "617.555.1234"}, []string{"117-555-1234", "611-555-1234", "617-155-1234", "617-555-123"}},
		{identifier.MBI, []string{"1EG4-TE5-MK73", "1EG4TE5MK73"}, []string{"0EG4TE5MK73", "1SG4TE5MK73", "1EG4TE5MK7"}},
		{identifier.NPI, []string{"1234567893"}, []string{"1234567890", "3234567893"}},
		{identifier.DEA, []string{"AB1234563", "F91234563"}, []string{"AB1234564", "ZB1234563"}},
		{identifier.DeviceID, []string{"(01)00614141999996", "4006381333931", "00614141999996"}, []string{"4006381333932"}},
		{identifier.Damaged, []string{"1.10105E+17", "1.10105e+17", "110105194912310000", "1.1E+17"}, []string{"1.5E-3", "1.50E-12", "2.1E+03", "12.5"}},
		{identifier.Biometric, []string{"/9j/" + strings.Repeat("Ab3+", 80), "data:image/png;base64," + strings.Repeat("Ab3+", 80)}, []string{strings.Repeat("Ab3+", 80), "/9j/", "/9j/ " + strings.Repeat("a word ", 80)}},
		{identifier.AgeOver89, []string{"90", "101"}, []string{"89", "131", "9"}},
		{identifier.Postcode, []string{"100020"}, []string{"10002", "900000"}},
		{identifier.ZIP, []string{"02139", "02139-4307"}, []string{"0213", "021394"}},
		{identifier.RegionCode, []string{"110105", "519902"}, []string{"990105", "110195", "11010"}},
		{
			identifier.FineDate, []string{"2020-02-29", "2020/2/9", "20200229", "2020年2月29日", "2020年2月", "2101-10-20 19:08:00", "2020-01-02T03:04:05Z", "02/29/2020", "29.02.2020", "5-Mar-2011", "March 5, 2011", "2020-02", "２０２０年２月２９日", "20200229123000"},
			[]string{"2020", "2021-02-30", "20210229", "1.2.3", "12:30", "2020-13-01", "99999999", "3.14", "13/13/2020"},
		},
		{identifier.ICD10, []string{"I10", "I21.9", "I10.x00x002", "U07.1", "A17.0+", "F20.900"}, []string{"10", "II1.9", "I2", "410.11", "I21.a"}},
		{identifier.InsurerCode, []string{"H11010500001", "D110105000012"}, []string{"X11010500001", "H1101050000"}},
		{identifier.InsuranceCard, []string{"A12345678"}, []string{"A1234567"}},
	} {
		for _, v := range c.good {
			if m := d.Whole([]byte(v)); !m.Kinds.Has(c.kind) {
				t.Errorf("%s: %q is none, but %v", c.kind.Key(), v, keys(m.Kinds))
			}
		}
		for _, v := range c.bad {
			if m := d.Whole([]byte(v)); m.Kinds.Has(c.kind) {
				t.Errorf("%s: %q is one", c.kind.Key(), v)
			}
		}
	}
}

// foreigner appends two digits of a sequence and the check digit.
func foreigner(first15 string) string {
	b := []byte(first15 + "02")
	return string(append(b, identifier.ResidentDigit(b)))
}

func keys(m identifier.Mask) []string {
	var out []string
	for _, k := range m.Kinds() {
		out = append(out, k.Key())
	}
	return out
}

func TestForms(t *testing.T) {
	t.Parallel()
	d := identifier.New()
	for v, want := range map[string]identifier.Form{
		"": identifier.Empty, "  ": identifier.Empty, "　": identifier.Empty, "12": identifier.Integer, "-3": identifier.Integer, "1.5": identifier.Decimal, "-.5e-3": identifier.Decimal,
		"2020-01-02": identifier.Date, "12:30": identifier.Time, "M": identifier.Code, "I21.9": identifier.Code, "a b": identifier.Text, "男": identifier.Text, "１２": identifier.Integer,
	} {
		if got := d.Whole([]byte(v)).Form; got != want {
			t.Errorf("%q: form %d, want %d", v, got, want)
		}
	}
}

func TestKindsAreDescribed(t *testing.T) {
	t.Parallel()
	seen := 0
	for k := identifier.None + 1; int(k) < identifier.Count; k++ {
		if k.Key() == "" { // the mark between direct and other kinds
			continue
		}
		seen++
		if back, ok := identifier.Parse(k.Key()); !ok || back != k || k.Text("zh") == "" || k.Text("en") == "" {
			t.Errorf("kind %d: %q", k, k.Key())
		}
	}
	if seen != identifier.Count-2 {
		t.Fatalf("%d kinds have a key", seen)
	}
	if identifier.Direct().Has(identifier.FineDate) || !identifier.Direct().Has(identifier.AgeOver89) || !identifier.FreeText().Has(identifier.FineDate) {
		t.Fatal("the sets are wrong")
	}
}
