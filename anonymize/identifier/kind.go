package identifier

import "math/bits"

// Kind is what a value is.
type Kind uint8

// The kinds. What follows lastDirect says nothing about one person by itself.
const (
	None          Kind = iota
	ResidentID         // 18 characters, GB 11643-1999
	ResidentOld        // 15 digits, before 1999
	ForeignerCard      // permanent residence of foreigners
	HKMTResidence      // residence permit of people from Hong Kong, Macau and Taiwan
	HKMTPermit         // their travel permits
	Passport
	Mobile
	Landline
	HanName
	LatinName
	Email
	Address
	RecordNumber  // of a record, a stay, a visit, a specimen, an image
	InsuranceCard // medical insurance or social security
	InsurerCode   // of the insurer, for institutions, doctors and nurses
	Bed
	CreditCode // GB 32100-2015
	OrgCode    // GB 11714-1997
	BankCard
	IBAN
	Plate
	VIN
	Messenger // WeChat, QQ
	URL
	IP
	MAC
	SSN
	USPhone
	MBI
	NPI
	DEA
	DeviceID  // UDI, GTIN, IMEI
	Licence   // of a profession; by the name of its column alone
	Biometric // a picture, a print, a voice
	Damaged   // a long number that a spreadsheet has spoiled
	AgeOver89
	lastDirect // no kind

	Postcode
	ZIP
	RegionCode // GB/T 2260, six digits
	FineDate   // finer than a year
	ICD10
	kinds
)

// Mask is a set of kinds.
type Mask uint64

// Of makes a set.
func Of(all ...Kind) Mask {
	var m Mask
	for _, k := range all {
		m |= 1 << k
	}
	return m
}

// Has says whether a kind is in the set.
func (m Mask) Has(k Kind) bool { return m&(1<<k) != 0 }

// Kinds lists the set in order.
func (m Mask) Kinds() []Kind {
	var out []Kind
	for m != 0 {
		k := Kind(bits.TrailingZeros64(uint64(m)))
		out, m = append(out, k), m&(m-1)
	}
	return out
}

// Count is how many kinds there are, None included: the length of a table by kind.
const Count = int(kinds)

// Direct are the kinds that name a person, or a thing of hers, by themselves. Dates, postcodes and codes of regions and diseases do not.
func Direct() Mask { return 1<<lastDirect - 2 }

// FreeText are the kinds that leave a free text when all is redacted.
func FreeText() Mask { return Direct() | Of(FineDate, Postcode, ZIP) }

// description says a kind in words. safeHarbor is its letter in 164.514(b)(2)(i), 0 where the list has none.
type description struct {
	key, zh, en string
	safeHarbor  byte
	// checked: the standard has a check digit, or the form is so particular that few other values have it.
	checked bool
}

func (k Kind) description() description {
	all := [kinds]description{
		ResidentID:    {"resident-id", "居民身份号码", "resident number", 'R', true},
		ResidentOld:   {"resident-id-15", "15 位旧身份号码", "old resident number", 'R', true},
		ForeignerCard: {"foreigner-card", "外国人永久居留证号", "foreigner's permanent residence card", 'R', true},
		HKMTResidence: {"hkmt-residence", "港澳台居民居住证号", "residence permit (HK, Macau, Taiwan)", 'R', true},
		HKMTPermit:    {"hkmt-permit", "港澳台通行证号", "travel permit (HK, Macau, Taiwan)", 'R', false},
		Passport:      {"passport", "护照号", "passport number", 'R', false},
		Mobile:        {"mobile", "手机号", "mobile number", 'D', true},
		Landline:      {"landline", "固定电话", "fixed-line number", 'D', false},
		HanName:       {"name", "姓名", "name (Chinese)", 'A', false},
		LatinName:     {"latin-name", "姓名（拉丁字母）", "name", 'A', false},
		Email:         {"email", "电子邮箱", "e-mail address", 'F', true},
		Address:       {"address", "地址", "address", 'B', false},
		RecordNumber:  {"record-number", "病案号、住院号等", "record number", 'H', false},
		InsuranceCard: {"insurance-card", "医保卡、社保卡号", "insurance card", 'I', false},
		InsurerCode:   {"insurer-code", "医保机构、人员代码", "insurer's code", 'K', false},
		Bed:           {"bed", "床号", "bed number", 'R', false},
		CreditCode:    {"credit-code", "统一社会信用代码", "unified social credit code", 0, true},
		OrgCode:       {"organisation-code", "组织机构代码", "organisation code", 0, false},
		BankCard:      {"bank-card", "银行卡号", "bank card", 'J', true},
		IBAN:          {"iban", "国际银行账号", "IBAN", 'J', true},
		Plate:         {"plate", "车牌号", "licence plate", 'L', true},
		VIN:           {"vin", "车辆识别代号", "vehicle number (VIN)", 'L', true},
		Messenger:     {"messenger", "微信、QQ 号", "WeChat or QQ number", 'R', false},
		URL:           {"url", "网址", "URL", 'N', true},
		IP:            {"ip", "IP 地址", "IP address", 'O', true},
		MAC:           {"mac", "设备物理地址", "MAC address", 'M', true},
		SSN:           {"ssn", "美国社会保障号", "US social security number", 'G', false},
		USPhone:       {"us-phone", "美国电话或传真", "US telephone or fax", 'D', false},
		MBI:           {"mbi", "美国 Medicare 号", "Medicare number (MBI)", 'I', true},
		NPI:           {"npi", "美国医疗服务者号（NPI）", "provider number (NPI)", 'K', false},
		DEA:           {"dea", "美国处方登记号（DEA）", "DEA number", 'K', true},
		DeviceID:      {"device", "器械、设备标识", "device identifier", 'M', false},
		Licence:       {"licence", "执业证书、资格证号", "licence or certificate", 'K', false},
		Biometric:     {"biometric", "生物特征、照片", "picture or biometric record", 'P', true},
		Damaged:       {"damaged-number", "被电子表格损坏的号码", "number spoiled by a spreadsheet", 'R', true},
		AgeOver89:     {"age-over-89", "89 岁以上年龄", "age above 89", 'C', false},
		Postcode:      {"postcode", "邮政编码", "postcode", 'B', false},
		ZIP:           {"zip", "美国邮编", "ZIP code", 'B', false},
		RegionCode:    {"region", "行政区划代码", "region code (GB/T 2260)", 'B', false},
		FineDate:      {"date", "日期（细于年）", "date finer than a year", 'C', true},
		ICD10:         {"icd10", "ICD-10 疾病编码", "ICD-10 code", 0, false},
	}
	if k >= kinds {
		return description{}
	}
	return all[k]
}

// Key is the kind's name in files and JSON, "" for None.
func (k Kind) Key() string { return k.description().key }

// Text is the kind in words of a language, zh or en.
func (k Kind) Text(lang string) string {
	if lang == "zh" {
		return k.description().zh
	}
	return k.description().en
}

// SafeHarbor is the letter of HIPAA's list, "" where it has none.
func (k Kind) SafeHarbor() string {
	if l := k.description().safeHarbor; l != 0 {
		return string(rune(l))
	}
	return ""
}

// Checked says that the value shows its kind without a word beside it.
func (k Kind) Checked() bool { return k.description().checked }

// Parse finds a kind by its key.
func Parse(key string) (Kind, bool) {
	for k := None + 1; k < kinds; k++ {
		if k.Key() == key && key != "" {
			return k, true
		}
	}
	return None, false
}
