package identifier

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// context is a word behind which an identifier stands.
type context struct {
	word string
	kind Kind
	// read gives the length of the identifier at the start of b, 0 for none; marked: a colon or the like stands between.
	read func(d *Detector, b []byte, marked bool) int
	// only: a colon or the like must stand between.
	only bool
}

func chineseContexts() (map[rune][]context, *runeSet) {
	var all []context
	add := func(kind Kind, read func(*Detector, []byte, bool) int, words string) {
		for _, w := range strings.Fields(words) {
			all = append(all, context{word: w, kind: kind, read: read})
		}
	}
	add(HanName, readName, "姓名 患者 病人 家属 联系人 签名 签字 医师 医生 护士 主任 患儿 产妇 父亲 母亲 丈夫 妻子 儿子 女儿 配偶 监护人 主治 护师 大夫 记录者 录入者 审核者 报告者 检查者 申请者 陪同者 陈述者 术者 助手 麻醉师")
	add(RecordNumber, readRecord, "病案号 住院号 门诊号 就诊号 登记号 检查号 影像号 标本号 条码 条码号 病历号 就诊卡号 体检号 病理号 处方号 医嘱号 编号 病案编号 登记编号 流水号")
	add(Bed, readBed, "床号 床位 床位号")
	add(Messenger, readMessenger, "微信 微信号 QQ号 企鹅号")
	add(Passport, readAlnum(7, 9), "护照 护照号 护照号码")
	add(HKMTPermit, readAlnum(8, 11), "通行证 通行证号 回乡证 回乡证号 台胞证 台胞证号")
	add(Postcode, readDigits(6, 6), "邮编 邮政编码")
	add(InsuranceCard, readAlnum(8, 28), "社保 社保卡 社保号 社保卡号 医保卡 医保卡号 医保号 医保证号 参保号 社会保障卡号 医保编号 个人编号")
	add(OrgCode, readAlnum(9, 10), "组织机构代码 机构代码")
	add(Landline, readDigits(7, 12), "电话 手机 联系方式 传真 手机号 联系电话 电话号码 家庭电话")
	add(BankCard, readDigits(8, 30), "账号 帐号 卡号 银行卡 银行账号")
	add(ResidentID, readResident, "身份证 身份证号 身份证号码 公民身份号码 证件号 证件号码")
	out := map[rune][]context{}
	var heads strings.Builder
	for _, c := range all {
		r, _ := utf8.DecodeRuneInString(c.word)
		out[r] = append(out[r], c)
		heads.WriteRune(r)
	}
	return out, newRuneSet(heads.String())
}

func englishContexts() map[string]context {
	out := map[string]context{}
	add := func(kind Kind, only bool, read func(*Detector, []byte, bool) int, words ...string) {
		for _, w := range words {
			out[w] = context{word: w, kind: kind, read: read, only: only}
		}
	}
	add(RecordNumber, false, readMRN, "mrn", "record", "accession", "specimen", "encounter", "visit")
	add(SSN, false, readSSN, "ssn", "security")
	add(Passport, false, readAlnum(7, 9), "passport")
	add(ZIP, false, readZIP, "zip", "zipcode")
	add(LatinName, false, readLatin, "mr", "mrs", "ms", "miss", "dr", "prof")
	add(LatinName, true, readLatin, "name", "patient", "physician", "nurse", "attending")
	add(NPI, false, readNPI, "npi")
	add(DEA, false, readDEA, "dea")
	add(BankCard, false, readDigits(6, 30), "account", "acct")
	add(USPhone, false, readDigits(7, 11), "phone", "tel", "fax", "cell", "mobile", "pager")
	add(DeviceID, false, readSerial, "serial", "udi", "imei")
	add(InsuranceCard, false, readMRN, "policy", "member", "medicare", "medicaid")
	add(Messenger, false, readMessenger, "wechat", "qq", "weixin")
	add(AgeOver89, false, readOld, "age", "aged")
	add(Bed, false, readDigits(1, 4), "bed")
	return out
}

// between skips what stands between a word and its value: blanks, colons, "no.", "是".
func between(b []byte) (skipped int, marked bool) {
	start := len(b)
	for len(b) > 0 {
		switch b[0] {
		case ':', '=', '#', '(', '[':
			marked = true
			b = b[1:]
			continue
		case ' ', '\t', '.', '"':
			b = b[1:]
			continue
		}
		rest := b
		for _, w := range [...]string{"：", "为", "是", "号码", "号", "名叫", "no", "No", "NO", "number", "Number", "num", "is ", "was "} {
			if after, found := bytes.CutPrefix(b, []byte(w)); found && (w[0] >= 0x80 || len(after) == 0 || !alnum(after[0]) || w[len(w)-1] == ' ' || after[0] <= '9') {
				rest = after
				marked = marked || w == "："
				break
			}
		}
		if len(rest) == len(b) {
			break
		}
		b = rest
	}
	return start - len(b), marked
}

func readName(d *Detector, b []byte, marked bool) int { return d.names.running(b, marked) }

// token is the length of a run of letters, digits and hyphens inside.
func token(b []byte) (n, digits int) {
	for n < len(b) && (alnum(b[n]) || b[n] == '-' && n+1 < len(b) && alnum(b[n+1])) {
		if b[n] >= '0' && b[n] <= '9' {
			digits++
		}
		n++
	}
	return n, digits
}

func readRecord(_ *Detector, b []byte, _ bool) int {
	if n, digits := token(b); digits >= 4 && n <= 24 {
		return n
	}
	return 0
}

func readMRN(_ *Detector, b []byte, _ bool) int {
	if n, digits := token(b); digits >= 5 && n >= 6 && n <= 24 {
		return n
	}
	return 0
}

func readSerial(_ *Detector, b []byte, _ bool) int {
	if n, digits := token(b); digits >= 3 && n >= 5 && n <= 40 {
		return n
	}
	return 0
}

func readBed(_ *Detector, b []byte, _ bool) int {
	at := 0
	if len(b) > 0 && b[0] == '+' {
		at = 1
	}
	n := digitsAt(b, at)
	if n < 1 || n > 4 {
		return 0
	}
	at += n
	for at+1 < len(b) && (b[at] == '-' || b[at] == '+') && digitsAt(b, at+1) > 0 {
		at += 1 + digitsAt(b, at+1)
	}
	return at
}

func readMessenger(_ *Detector, b []byte, _ bool) int {
	n := 0
	for n < len(b) && (alnum(b[n]) || b[n] == '_' || b[n] == '-') {
		n++
	}
	if n < 5 || n > 20 {
		return 0
	}
	return n
}

// readAlnum reads a run with at least four digits whose length lies between.
func readAlnum(lo, hi int) func(*Detector, []byte, bool) int {
	return func(_ *Detector, b []byte, _ bool) int {
		n, digits := token(b)
		if n < lo || n > hi || digits < 4 {
			return 0
		}
		return n
	}
}

// readDigits reads digits with single blanks or hyphens between, so many of them.
func readDigits(lo, hi int) func(*Detector, []byte, bool) int {
	return func(_ *Detector, b []byte, _ bool) int {
		n, digits := 0, 0
		for n < len(b) && (b[n] >= '0' && b[n] <= '9' || digits > 0 && (b[n] == ' ' || b[n] == '-') && n+1 < len(b) && b[n+1] >= '0' && b[n+1] <= '9') {
			if b[n] >= '0' && b[n] <= '9' {
				digits++
			}
			n++
		}
		if digits < lo || digits > hi || n < len(b) && alnum(b[n]) {
			return 0
		}
		return n
	}
}

// readResident takes any number of the right length behind the word for it, also one whose check fails: people mistype their own.
func readResident(_ *Detector, b []byte, _ bool) int {
	n := readDigits(14, 18)(nil, b, false)
	if n == 0 {
		n, _ = token(b)
		if n < 15 || n > 24 {
			return 0
		}
	}
	return n
}

func readSSN(_ *Detector, b []byte, _ bool) int {
	n, digits := token(b)
	if digits != 9 || n > 11 {
		return 0
	}
	return n
}

func readZIP(_ *Detector, b []byte, _ bool) int {
	n, digits := token(b)
	if n == 5 && digits == 5 || n == 10 && digits == 9 && b[5] == '-' {
		return n
	}
	return 0
}

func readNPI(_ *Detector, b []byte, _ bool) int {
	if n, _ := token(b); n == 10 && npi(b[:n]) {
		return n
	}
	return 0
}

func readDEA(_ *Detector, b []byte, _ bool) int {
	if n, _ := token(b); n == 9 && dea(bytes.ToUpper(b[:n])) {
		return n
	}
	return 0
}

func readOld(_ *Detector, b []byte, _ bool) int {
	n := digitsAt(b, 0)
	if n < 2 || n > 3 || number(b[:n]) < 90 || number(b[:n]) > 130 || n < len(b) && (b[n] == '.' && n+1 < len(b) && digitsAt(b, n+1) > 0 || b[n] == '%') {
		return 0
	}
	return n
}

// readLatin reads one to three words that begin with a capital.
func readLatin(_ *Detector, b []byte, _ bool) int {
	end := 0
	for words, at := 0, 0; words < 3; words++ {
		n := at
		for n < len(b) && (b[n] >= 'a' && b[n] <= 'z' || letter(b[n]) || (b[n] == '-' || b[n] == '\'') && n > at && n+1 < len(b) && letter(b[n+1])) {
			n++
		}
		if n == at || !letter(b[at]) || n-at > 1 && letter(b[at+1]) && n-at < 4 {
			break
		}
		end = n
		if n < len(b) && b[n] == '.' && n-at == 1 {
			n++
		}
		if n < len(b) && b[n] == ',' && words == 0 {
			n++
		}
		if n >= len(b) || b[n] != ' ' {
			break
		}
		at = n + 1
	}
	if end < 2 {
		return 0
	}
	return end
}
