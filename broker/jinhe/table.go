package jinhe

import "strconv"

// form is the type of a source column in Parquet; in CSV all are text.
type form uint8

const (
	text form = iota
	whole
	money // hundredths
	date
)

type column struct {
	name string
	form form
}

type tableDef struct {
	name    string
	columns []column
}

// The private source tables by index.
const (
	tPerson = iota
	tEncounter
	tCV
	tSepsis
	tLab
	tRx
	tObjection // persons who object to the use of their records
	tConsent   // children whose guardian consents to it
	tableCount
)

var tables = [tableCount]tableDef{
	{"person", []column{{"person_no", text}, {"id_number", text}, {"id_is_guardians", whole}, {"name", text}, {"phone", text}, {"address", text},
		{"sex", text}, {"birth_date", date}, {"district_code", text}, {"insurance_type", text}, {"death_date", date}}},
	{"encounter", []column{{"encounter_id", text}, {"person_no", text}, {"hospital_id", text}, {"admitted", date}, {"discharged", date},
		{"department", text}, {"icd10", text}, {"outcome", text}, {"total_cost", money}, {"drug_cost", money}, {"prescriber_id", text},
		{"prescriber_name", text}, {"notes", text}}},
	{"cv_event", []column{{"event_id", text}, {"person_no", text}, {"hospital_id", text}, {"sex", text}, {"district_code", text}, {"kind", text},
		{"subtype", text}, {"event_date", date}, {"onset_to_door_min", whole}, {"first_ecg_min", whole}, {"door_to_needle_min", whole},
		{"door_to_balloon_min", whole}, {"severity", text}, {"thrombolysis", whole}, {"pci", whole}, {"outcome_30d", text}}},
	{"sepsis_event", []column{{"event_id", text}, {"person_no", text}, {"hospital_id", text}, {"event_date", date}, {"shock", whole},
		{"lactate_min", whole}, {"culture_min", whole}, {"antibiotic_min", whole}, {"fluids_3h", whole}, {"vasopressor_min", whole}, {"outcome_28d", text}}},
	{"lab_result", []column{{"person_no", text}, {"encounter_id", text}, {"hospital_id", text}, {"taken_on", date}, {"item", text}, {"value", money}, {"unit", text}}},
	{"prescription", []column{{"person_no", text}, {"encounter_id", text}, {"drug_code", text}, {"manufacturer", text}, {"quantity", whole}, {"cost", money},
		{"prescribed_on", date}, {"prescriber_id", text}}},
	{"objections", []column{{"person_no", text}, {"recorded_on", date}}},
	{"consents", []column{{"person_no", text}, {"recorded_on", date}}},
}

// sink takes the rows of one table, cell by cell in column order.
type sink interface {
	str(s string)  // never needs quotes
	raw(b []byte)  // free text
	int(v int64)   // whole
	cents(v int64) // money, in hundredths
	day(d int32)   // date
	id(p byte, v uint64)
	null()
	end() // of the row
}

// missing is what optional numbers hold when there is none.
const missing = -1

func optional(s sink, v int64) {
	if v == missing {
		s.null()
	} else {
		s.int(v)
	}
}

// csvSink appends lines to a buffer.
type csvSink struct {
	buf   []byte
	mid   bool // a cell of the row is written already
	rows  int64
	dates *calendar
}

func (c *csvSink) comma() {
	if c.mid {
		c.buf = append(c.buf, ',')
	}
	c.mid = true
}

func (c *csvSink) str(s string) { c.comma(); c.buf = append(c.buf, s...) }

func (c *csvSink) raw(b []byte) {
	c.comma()
	quote := false
	for _, x := range b {
		if x == ',' || x == '"' || x == '\n' || x == '\r' {
			quote = true
			break
		}
	}
	if !quote {
		c.buf = append(c.buf, b...)
		return
	}
	c.buf = append(c.buf, '"')
	for _, x := range b {
		if x == '"' {
			c.buf = append(c.buf, '"')
		}
		c.buf = append(c.buf, x)
	}
	c.buf = append(c.buf, '"')
}

func (c *csvSink) int(v int64) { c.comma(); c.buf = strconv.AppendInt(c.buf, v, 10) }

func (c *csvSink) cents(v int64) {
	c.comma()
	c.buf = strconv.AppendInt(c.buf, v/100, 10)
	c.buf = append(c.buf, '.', byte('0'+v/10%10), byte('0'+v%10))
}

func (c *csvSink) day(d int32) { c.comma(); c.buf = append(c.buf, c.dates.text(d)...) }

func (c *csvSink) id(p byte, v uint64) { c.comma(); c.buf = appendID(c.buf, p, v) }

func (c *csvSink) null() { c.comma() }

func (c *csvSink) end() {
	c.buf = append(c.buf, '\n')
	c.mid = false
	c.rows++
}

// nowhere takes the rows of a table that nobody asked for.
type nowhere struct{}

func (nowhere) str(string)      {}
func (nowhere) raw([]byte)      {}
func (nowhere) int(int64)       {}
func (nowhere) cents(int64)     {}
func (nowhere) day(int32)       {}
func (nowhere) id(byte, uint64) {}
func (nowhere) null()           {}
func (nowhere) end()            {}

// appendID writes a letter and ten digits.
func appendID(buf []byte, p byte, v uint64) []byte {
	buf = append(buf, p)
	at := len(buf)
	buf = append(buf, "0000000000"...)
	for i := at + 9; v > 0 && i >= at; i, v = i-1, v/10 {
		buf[i] = byte('0' + v%10)
	}
	return buf
}

// number spreads consecutive numbers over ten digits one to one, so that the order of a source's numbers says nothing
// about the order in which we made them. The factor is odd and prime to the modulus.
func number(n uint64) uint64 { return n * 6_364_136_223 % 9_999_999_967 }

// calendar knows the text of every day that can occur: formatting dates is a third of the work otherwise.
type calendar struct {
	first int32
	texts []string
	ymd   []civil
}

func newCalendar() *calendar {
	c := &calendar{first: civil{1900, 1, 1}.days()}
	last := civil{lastYear + 2, 1, 1}.days()
	y, m, d := 1900, 1, 1
	for day := c.first; day < last; day++ {
		b := append(pad(nil, y, 4), '-')
		b = append(pad(b, m, 2), '-')
		c.texts = append(c.texts, string(pad(b, d, 2)))
		c.ymd = append(c.ymd, civil{y, m, d})
		next := civil{y, m, d + 1}
		if next.days() == nextMonth(y, m).days() {
			next = nextMonth(y, m)
		}
		y, m, d = next.year, next.month, next.day
	}
	return c
}

func nextMonth(y, m int) civil {
	if m == 12 {
		return civil{y + 1, 1, 1}
	}
	return civil{y, m + 1, 1}
}

func (c *calendar) text(d int32) string { return c.texts[d-c.first] }

func (c *calendar) civil(d int32) civil { return c.ymd[d-c.first] }
