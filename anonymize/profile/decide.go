package profile

import (
	"slices"

	"carrel/anonymize/identifier"
)

// What a share has to reach. A kind with a check of its own is believed at half; a form without one needs nearly all values, or the name.
const (
	mostly  = 0.5
	nearly  = 0.95
	some    = 0.3
	hardly  = 0.01 // of a checked kind among other things: the column is mixed
	few     = 3    // values at least, for mixed
	several = 20   // different values at least, where the form says little
)

// verdict decides what a column is from what its values are and what its name says.
func (c *column) verdict(out *Column, h hint, person bool) {
	out.Type = c.typeName()
	out.Looked, out.Level5 = c.looked, c.five
	out.Distinct, out.Exact = c.distinct.count()
	out.Distinct = min(out.Distinct, c.values)
	if all := c.values + c.missing; all > 0 {
		out.Missing = float64(c.missing) / float64(all)
	}
	c.shares(out)
	out.By, out.Level = "values", 2
	switch {
	case c.values == 0:
		out.What, out.Sure, out.Level = Empty, 1, 1
		return
	case c.direct(out, h, person), person && c.person(out):
	case c.byName(out, h), c.byForm(out, h):
	default:
		out.What, out.Sure, out.By = Category, 1, "rest"
	}
	out.Level = max(out.Level, h.level)
	if c.five > 0 {
		out.Level = 5
	}
}

func (c *column) share(k identifier.Kind) float64 { return ratio(c.kinds[k], c.looked) }

func (c *column) form(all ...identifier.Form) float64 {
	n := int64(0)
	for _, f := range all {
		n += c.forms[f]
	}
	return ratio(n, c.looked)
}

func ratio(n, of int64) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// typeName is the form that nearly all values have.
func (c *column) typeName() string {
	number := c.form(identifier.Integer, identifier.Decimal)
	switch {
	case c.looked == 0:
		return "none"
	case c.form(identifier.Integer) >= nearly:
		return "integer"
	case number >= nearly:
		return "decimal"
	case c.form(identifier.Date) >= nearly:
		return "date"
	case c.form(identifier.Time) >= nearly:
		return "time"
	case number >= 0.1 && number < 0.9 || c.form(identifier.Date) >= 0.1:
		return "mixed"
	case c.form(identifier.Code) >= nearly:
		return "code"
	default:
		return "text"
	}
}

// shares lists the kinds that at least one in a hundred values fits, and what stands inside texts.
func (c *column) shares(out *Column) {
	for k := identifier.None + 1; int(k) < identifier.Count; k++ {
		if s := c.share(k); s >= hardly && k.Key() != "" {
			out.Kinds = append(out.Kinds, Share{k.Key(), round(s)})
		}
		if n := c.text[k]; n > 0 {
			out.InText = append(out.InText, Count{k.Key(), n})
		}
	}
	slices.SortStableFunc(out.Kinds, func(a, b Share) int {
		if a.Share > b.Share {
			return -1
		}
		return btoi(a.Share < b.Share)
	})
}

// resident are the numbers that one column may hold side by side.
func resident() []identifier.Kind {
	return []identifier.Kind{identifier.ResidentID, identifier.ResidentOld, identifier.ForeignerCard, identifier.HKMTResidence}
}

// direct looks for identifiers by their checks, and by form where the name says the same.
func (c *column) direct(out *Column, h hint, person bool) bool {
	sum := 0.0
	for _, k := range resident() {
		sum += c.share(k)
	}
	oldOnly := c.share(identifier.ResidentOld) >= 0.9*sum
	if sum >= mostly && (!oldOnly || sum >= nearly || h.kind == identifier.ResidentID) {
		return out.identifier(identifier.ResidentID, sum, by(h, identifier.ResidentID))
	}
	if c.share(identifier.Damaged) >= mostly && (h.kind != identifier.None || c.share(identifier.Damaged) >= nearly) {
		return out.identifier(identifier.Damaged, c.share(identifier.Damaged), "values")
	}
	best, at := identifier.None, 0.0
	for k := identifier.None + 1; int(k) < identifier.Count; k++ {
		if s := c.share(k); s > at && c.believed(k, s, h) {
			best, at = k, s
		}
	}
	if best != identifier.None && (!person || best.Checked()) {
		return out.identifier(best, at, by(h, best))
	}
	if h.role == Identifier && !person && c.nameAlone(h.kind) {
		if h.kind == identifier.HanName && c.share(identifier.HanName) == 0 {
			return out.identifier(identifier.LatinName, 0, "name")
		}
		return out.identifier(h.kind, c.share(h.kind), "name")
	}
	return c.mixed(out, h, person)
}

func by(h hint, k identifier.Kind) string {
	if h.kind == k || h.kind == identifier.Mobile && (k == identifier.Landline || k == identifier.USPhone) || h.kind == identifier.HanName && k == identifier.LatinName {
		return "both"
	}
	return "values"
}

// believed says whether a kind's share makes the column that kind.
func (c *column) believed(k identifier.Kind, share float64, h hint) bool {
	if !identifier.Direct().Has(k) || k == identifier.Damaged {
		return false
	}
	number := c.form(identifier.Integer, identifier.Decimal)
	switch k {
	case identifier.ResidentID, identifier.ResidentOld, identifier.ForeignerCard, identifier.HKMTResidence:
		return false // together, above
	case identifier.AgeOver89, identifier.OrgCode, identifier.HKMTPermit, identifier.Passport, identifier.InsuranceCard, identifier.InsurerCode:
		return h.kind == k && share >= some
	case identifier.HanName:
		return h.kind == k && share >= some || (h.role == "" || h.role == Staff) && share >= 0.8 && c.different() >= several
	case identifier.Landline, identifier.USPhone:
		return h.kind == identifier.Mobile && share >= some || share >= nearly && number < 0.1
	case identifier.SSN:
		return h.kind == k && share >= some || share >= nearly && number < 0.1
	case identifier.NPI, identifier.DeviceID:
		return h.kind == k && share >= some || h.role == "" && share >= nearly && c.different() >= 5*several
	case identifier.Mobile, identifier.BankCard:
		return h.kind == k && share >= some || share >= 0.8 && c.different() >= 2
	case identifier.Address:
		return h.kind == k && share >= some || share >= mostly && c.different() >= few
	case identifier.Bed:
		return h.kind == k && share >= some || share >= mostly
	default:
		return share >= mostly
	}
}

func (c *column) different() int64 { n, _ := c.distinct.count(); return n }

// nameAlone: of these kinds the name of the column is enough, unless the values are plainly something else.
func (c *column) nameAlone(k identifier.Kind) bool {
	number, date := c.form(identifier.Integer, identifier.Decimal), c.form(identifier.Date)
	switch k {
	case identifier.HanName, identifier.LatinName, identifier.Address:
		return number+date < mostly
	case identifier.Bed, identifier.RecordNumber, identifier.InsuranceCard, identifier.DeviceID, identifier.BankCard, identifier.ResidentID, identifier.Mobile, identifier.SSN, identifier.Passport, identifier.MBI, identifier.NPI:
		return date < mostly && c.form(identifier.Decimal) < mostly && c.different() > 1
	default:
		return number+date < mostly && c.different() > 1
	}
}

// mixed: some values are identifiers of a checked kind, most are not. In columns of numbers only resident numbers count: their check is
// strict enough.
func (c *column) mixed(out *Column, h hint, person bool) bool {
	number := c.form(identifier.Integer, identifier.Decimal)
	for _, k := range []identifier.Kind{identifier.ResidentID, identifier.ForeignerCard, identifier.HKMTResidence, identifier.Email, identifier.URL, identifier.MAC, identifier.CreditCode, identifier.Plate, identifier.Mobile, identifier.MBI, identifier.Damaged} {
		s := c.share(k)
		strict := k == identifier.ResidentID || k == identifier.ForeignerCard || k == identifier.HKMTResidence
		if s < hardly || c.kinds[k] < few || !strict && number >= mostly {
			continue
		}
		if person {
			return out.identifier(k, s, "values")
		}
		out.What, out.Kind, out.SafeHarbor, out.Sure, out.Level = Mixed, k.Key(), k.SafeHarbor(), s, 4
		return true
	}
	return false
}

func (out *Column) identifier(k identifier.Kind, sure float64, by string) bool {
	out.What, out.Kind, out.SafeHarbor, out.Sure, out.By, out.Level = Identifier, k.Key(), k.SafeHarbor(), min(sure, 1), by, 4
	return true
}

// person is the column that the caller or the name says to be it.
func (c *column) person(out *Column) bool {
	out.What, out.Sure, out.By, out.Level, out.SafeHarbor = Person, 1, "name", 4, "R"
	return true
}

// byName follows the name where the values can be what it says.
func (c *column) byName(out *Column, h hint) bool {
	number, date := c.form(identifier.Integer, identifier.Decimal), c.form(identifier.Date)
	fits := 1.0
	switch h.role {
	case "", Identifier, Person:
		return false
	case BirthDate, DeathDate, EventDate:
		if fits = date; h.role == BirthDate && date < mostly && c.years() {
			h.role, fits = BirthYear, c.form(identifier.Integer)
		}
	case BirthYear:
		fits = btof(c.years())
	case Age:
		fits = c.form(identifier.Integer, identifier.Decimal, identifier.Code)
		out.SafeHarbor = "C"
	case Measure, Money, Laboratory:
		fits = max(number, btof(h.role == Laboratory))
	case Region:
		fits = max(c.share(identifier.RegionCode), 1-number, btof(c.different() <= 1000))
		out.SafeHarbor = "B"
		if s := c.share(identifier.RegionCode); s >= nearly {
			out.Kind = identifier.RegionCode.Key()
		}
	case PostalCode:
		fits = max(c.share(identifier.Postcode), c.share(identifier.ZIP))
		out.SafeHarbor = "B"
	case Diagnosis:
		if s := c.share(identifier.ICD10); s >= mostly {
			fits, out.Kind = s, identifier.ICD10.Key()
		}
	case Sex:
		fits = btof(c.different() <= 12)
	default:
	}
	if fits < mostly {
		return false
	}
	out.What, out.Sure, out.By = h.role, fits, "both"
	if fits == 1 && out.Kind == "" {
		out.By = "name"
	}
	if h.role == BirthDate || h.role == DeathDate || h.role == EventDate {
		out.Kind, out.SafeHarbor = identifier.FineDate.Key(), "C"
	}
	return c.notText(out)
}

// notText: what a name calls a diagnosis or a treatment may be written freely.
func (c *column) notText(out *Column) bool {
	if c.free() && (out.What == Diagnosis || out.What == Treatment || out.What == Laboratory || out.What == Outcome || out.What == Place || out.What == Social || out.What == Staff) && c.inText() {
		out.What, out.Level = FreeText, 4
	}
	if out.What == Diagnosis && c.form(identifier.Text) >= mostly && c.spaced > 0 && c.values >= 50 && 2*c.different() > c.values {
		out.What, out.Level = FreeText, 4 // typed, not chosen from a list
	}
	return true
}

func btof(b bool) float64 { return float64(btoi(b)) }

func (c *column) years() bool {
	return c.form(identifier.Integer) >= nearly && c.lo >= 1850 && c.hi <= 2299
}

// free says that the values are sentences rather than words of a list.
func (c *column) free() bool {
	return c.form(identifier.Text) >= some && ratio(c.bytes, max(min(c.misses, c.looked), 1)) >= 12 && c.spaced > 0 && c.different() > 5*several
}

func (c *column) inText() bool {
	return c.text.Mask()&identifier.Direct() != 0
}

// byForm is for names that say nothing.
func (c *column) byForm(out *Column, h hint) bool {
	number, n := c.form(identifier.Integer, identifier.Decimal), c.different()
	out.Sure = 1
	switch {
	case c.form(identifier.Date) >= mostly:
		out.What, out.Sure, out.Kind, out.SafeHarbor, out.Level = EventDate, c.form(identifier.Date), identifier.FineDate.Key(), "C", 3
	case c.form(identifier.Time) >= mostly:
		out.What, out.Sure = TimeOfDay, c.form(identifier.Time)
	case c.share(identifier.ICD10) >= 0.8 && n >= several:
		out.What, out.Sure, out.Kind, out.Level = Diagnosis, c.share(identifier.ICD10), identifier.ICD10.Key(), 3
	case c.share(identifier.RegionCode) >= nearly && n >= 5:
		out.What, out.Sure, out.Kind, out.SafeHarbor, out.Level = Region, c.share(identifier.RegionCode), identifier.RegionCode.Key(), "B", 3
	case c.free() || c.inText():
		out.What, out.Level = FreeText, 4
	case c.values >= 100 && float64(n) >= nearly*float64(c.values) && c.form(identifier.Decimal) < 0.1:
		out.What, out.SafeHarbor, out.Sure, out.Level = Unique, "R", float64(n)/float64(c.values), 3
	case h.key && number >= nearly && n > 60: // a number of something, not a measure
		out.What, out.SafeHarbor, out.Sure, out.Level = Unique, "R", float64(n)/float64(c.values), 3
	case number >= nearly && (n > 60 || n > 12 && c.form(identifier.Decimal) > 0.05):
		out.What, out.Sure = Measure, number
	default:
		return false
	}
	return true
}

// round keeps four digits behind the point.
func round(v float64) float64 { return float64(int64(v*10000+0.5)) / 10000 }
