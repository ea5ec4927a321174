package jinhe

import "strconv"

// region is a county code of Sichuan that can stand in an ID number.
type region struct {
	code      string
	from, end int // years of the change: in force from `from`, or until `end`; 0 = before or after all our births
}

// Counties of Sichuan that became districts or cities since 2012: each change ended one code and began another. A birth
// is registered under the code in force at the time, so a code that began after the birth year, or ended before it, is
// in nobody's number. (GB/T 2260 and its notices of change; the present codes are checked against the list in the tests.)
var regions = []region{
	{"510116", 2015, 0}, {"510122", 0, 2015}, // 双流
	{"510117", 2016, 0}, {"510124", 0, 2016}, // 郫
	{"510118", 2020, 0}, {"510132", 0, 2020}, // 新津
	{"510604", 2017, 0}, {"510626", 0, 2017}, // 罗江
	{"510705", 2016, 0}, {"510724", 0, 2016}, // 安
	{"510981", 2019, 0}, {"510922", 0, 2019}, // 射洪
	{"511403", 2014, 0}, {"511422", 0, 2014}, // 彭山
	{"511504", 2018, 0}, {"511521", 0, 2018}, // 宜宾, 叙州
	{"511703", 2013, 0}, {"511721", 0, 2013}, // 达
	{"511803", 2012, 0}, {"511821", 0, 2012}, // 名山
	{"513201", 2015, 0}, {"513229", 0, 2015}, // 马尔康
	{"513301", 2015, 0}, {"513321", 0, 2015}, // 康定
	{"513402", 2021, 0}, {"513425", 0, 2021}, // 会理
	{"511083", 2017, 0}, {"511028", 0, 2017}, // 隆昌
}

const (
	regionsAYear = 11  // so many codes at least were not in force in each birth year (tested)
	sequences    = 499 // sequence numbers of one sex: 001, 003 … 997 and 002, 004 … 998
	slots        = regionsAYear * sequences
	daySteps     = 300 // persons of one slot differ in the day of the year first, then in the year
)

// birthplace returns the n-th code that was not in force in a year.
func birthplace(year, n int) string {
	for _, r := range regions {
		if r.from > year || r.end != 0 && r.end < year {
			if n == 0 {
				return r.code
			}
			n--
		}
	}
	return ""
}

// idNumber writes the 18 characters of GB 11643 for a person. Two persons never share one: the slot (region and
// sequence) follows from the index, and birthDate keeps the dates of one slot apart.
func idNumber(buf []byte, index uint64, male bool, birth civil) []byte {
	slot := int(index % slots)
	start := len(buf)
	buf = append(buf, birthplace(birth.year, slot/sequences)...)
	buf = pad(buf, birth.year, 4)
	buf = pad(buf, birth.month, 2)
	buf = pad(buf, birth.day, 2)
	seq := 2*(slot%sequences) + 2
	if male {
		seq--
	}
	buf = pad(buf, seq, 3)
	return append(buf, checkDigit(buf[start:]))
}

// shortID turns an 18-character number of the 1900s into the 15 digits of the old card.
func shortID(buf []byte, id []byte) []byte {
	buf = append(buf, id[:6]...)
	return append(buf, id[8:17]...)
}

// checkDigit is ISO 7064 MOD 11-2 over the first 17 digits.
func checkDigit(digits []byte) byte {
	const weight = "\x07\x09\x0a\x05\x08\x04\x02\x01\x06\x03\x07\x09\x0a\x05\x08\x04\x02"
	sum := 0
	for i := range 17 {
		sum += int(digits[i]-'0') * int(weight[i])
	}
	return "10X98765432"[sum%11]
}

// spread says how far births must be set apart for n persons: residues of the day of the year and of the year.
type spread struct{ days, years int }

func newSpread(persons int64) spread {
	blocks := int((persons + slots - 1) / slots)
	return spread{days: min(blocks, daySteps), years: (blocks + daySteps - 1) / daySteps}
}

// birthDate settles the date of birth near a wanted year: any day when the city is small, one of a residue class when
// many persons share a slot.
func (s spread) birthDate(d *dice, index uint64, wanted int) civil {
	block := int(index / slots)
	year := wanted - mod(wanted-block/s.days, s.years)
	residue := block % s.days
	n := (365 - residue + s.days - 1) / s.days
	return dayOfYear(year, residue+s.days*d.IntN(n))
}

func mod(a, b int) int { return ((a % b) + b) % b }

// civil is a calendar date.
type civil struct{ year, month, day int }

var monthStart = [...]int{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365}

// dayOfYear returns the n-th day (from 0) of a year without leap days: a 29th of February is nobody's birthday here.
func dayOfYear(year, n int) civil {
	m := 1
	for monthStart[m] <= n {
		m++
	}
	return civil{year, m, n - monthStart[m-1] + 1}
}

// days returns the days since 1970-01-01 (Howard Hinnant's algorithm for the civil calendar).
func (c civil) days() int32 {
	y, m := c.year, c.month
	if m <= 2 {
		y--
		m += 12
	}
	era := y / 400
	yoe := y - era*400
	doy := (153*(m-3)+2)/5 + c.day - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return int32(era*146097 + doe - 719468)
}

func pad(buf []byte, v, width int) []byte {
	for w, p := width, pow10(width-1); w > 0; w, p = w-1, p/10 {
		buf = append(buf, byte('0'+v/p%10))
	}
	return buf
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

// Common surnames and parts of given names; the names made of them are nobody's in particular.
var (
	surnames = [...]string{"王", "李", "张", "刘", "陈", "杨", "黄", "赵", "周", "吴", "徐", "孙", "马", "朱", "胡", "林", "郭", "何",
		"高", "罗", "郑", "梁", "谢", "宋", "唐", "许", "邓", "冯", "韩", "曹", "曾", "彭", "萧", "蔡", "潘", "田", "董", "袁", "于", "余",
		"叶", "蒋", "杜", "苏", "魏", "程", "吕", "丁", "沈", "任", "姚", "卢", "傅", "钟", "姜", "崔", "谭", "廖", "范", "汪", "陆", "金",
		"石", "戴", "贾", "韦", "夏", "邱", "方", "侯", "邹", "熊", "孟", "秦", "白", "江", "阎", "薛", "尹", "段", "欧阳", "司马", "诸葛", "上官"}
	givenMale = [...]string{"伟", "强", "磊", "军", "勇", "杰", "涛", "超", "明", "刚", "平", "辉", "鹏", "华", "飞", "鑫", "波", "斌", "宇",
		"浩", "凯", "健", "俊", "帆", "建国", "建华", "志强", "志明", "文博", "子轩", "浩然", "宇航", "国庆", "永福", "德明", "光荣", "大勇", "小龙"}
	givenFemale = [...]string{"芳", "娜", "敏", "静", "丽", "艳", "娟", "霞", "秀英", "桂英", "玉兰", "桂兰", "秀兰", "红", "玲", "燕", "梅",
		"雪", "婷", "颖", "慧", "洁", "莉", "倩", "琳", "欣怡", "梓涵", "诗雨", "思颖", "雨欣", "淑珍", "凤英", "春梅", "小红", "晓燕", "海燕"}
	streets = [...]string{"人民路", "解放街", "建设路", "新华街", "滨江路", "文化街", "和平路", "光明街", "东风路", "团结村", "红星村", "兴隆镇街",
		"青龙街", "学府路", "长安街", "锦绣路", "桂花巷", "梧桐巷", "竹林村", "石桥村"}
)

func appendName(buf []byte, d *dice, male bool) []byte {
	// Squaring makes the first surnames the common ones, as they are.
	u := d.Float64()
	buf = append(buf, surnames[int(u*u*float64(len(surnames)))]...)
	if male {
		return append(buf, givenMale[d.IntN(len(givenMale))]...)
	}
	return append(buf, givenFemale[d.IntN(len(givenFemale))]...)
}

func appendPhone(buf []byte, d *dice) []byte {
	return pad(append(buf, "154"...), d.IntN(100_000_000), 8)
}

func appendAddress(buf []byte, d *dice, district string) []byte {
	buf = append(append(append(buf, "四川省"...), City...), district...)
	buf = append(buf, streets[d.IntN(len(streets))]...)
	buf = append(strconv.AppendInt(buf, int64(1+d.IntN(300)), 10), "号"...)
	if d.chance(0.7) {
		buf = append(strconv.AppendInt(buf, int64(1+d.IntN(30)), 10), "栋"...)
		buf = append(strconv.AppendInt(buf, int64(1+d.IntN(4)), 10), "单元"...)
		buf = append(strconv.AppendInt(buf, int64((1+d.IntN(30))*100+1+d.IntN(4)), 10), "室"...)
	}
	return buf
}
