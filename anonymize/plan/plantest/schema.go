// Package plantest holds schemas that the tests of the planner, the binder and the post-processing share. It promises nothing to
// production code, which never imports it.
package plantest

import (
	"fmt"
	"sort"

	"carrel/anonymize/plan"
)

func code(name, codes string, public bool, values ...string) plan.Column {
	v := append([]string(nil), values...)
	sort.Strings(v)
	return plan.Column{Name: name, Kind: plan.KindCode, Codes: codes, Values: v, PublicKey: public, Role: plan.RoleOther, Level: 2}
}

func nullable(c plan.Column) plan.Column { c.Nullable = true; return c }

func perKey(c plan.Column, n int64) plan.Column { c.MaxPerKey = n; return c }

func key(name string) plan.Column {
	return plan.Column{Name: name, Kind: plan.KindKey, Role: plan.RoleIdentifier}
}

func unit() plan.Column {
	return plan.Column{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit}
}

func bounded(name string, k plan.Kind, scale int, lo, hi int64, of string) plan.Column {
	return plan.Column{Name: name, Kind: k, Scale: scale, Bounded: true, Lo: lo, Hi: hi, Reason: "published limits", Unit: of, Role: plan.RoleSensitive, Level: 3}
}

func public(c plan.Column) plan.Column { c.PublicKey = true; return c }

func icd() []string {
	var v []string
	for i := range 60 {
		v = append(v, fmt.Sprintf("I%02d", i), fmt.Sprintf("A%02d.%d", i, i%10))
	}
	return append(v, "other")
}

func large() []string {
	var v []string
	for i := range 20_000 {
		v = append(v, fmt.Sprintf("D%05d", i))
	}
	return v
}

var (
	hospitals = []string{"h1", "h2", "h3", "other"}
	districts = []string{"510101", "510102", "510103", "other"}
)

// City is a schema in the shape of the demo city, small enough to read.
func City() *plan.Schema {
	private := func(name, rowKey string, m int64, c ...plan.Column) plan.Table {
		return plan.Table{Name: name, Unit: "person_id", RowKey: rowKey, MaxRows: m, MaxRowsReason: "notice 12", Columns: c}
	}
	h := code("hospital_id", "hospital@1", true, hospitals...)
	return &plan.Schema{Dataset: "city", Persons: 200_000, Tables: []plan.Table{
		private("person", "", 1, unit(), code("sex", "sex@1", true, "F", "M"), bounded("birth_year", plan.KindInt, 0, 1900, 2025, "year"),
			code("district", "district@1", true, districts...)),
		private("encounter", "encounter_id", 40, key("encounter_id"), unit(), nullable(h),
			nullable(code("department", "department@1", true, "cardiology", "icu", "neurology", "other", "surgery")),
			code("icd10", "icd10@1", false, icd()...), public(bounded("admitted", plan.KindDate, 0, 17532, 17532+364, "")),
			bounded("discharged", plan.KindDate, 0, 17532, 17532+364, ""),
			nullable(bounded("total_cost", plan.KindDecimal, 2, 0, 20_000_000, "CNY")), bounded("drug_cost", plan.KindDecimal, 2, 0, 10_000_000, "CNY"),
			bounded("los", plan.KindInt, 0, 0, 365, "d"), plan.Column{Name: "score", Kind: plan.KindInt, Role: plan.RoleOther, Nullable: true},
			code("prescriber", "staff@1", false, large()...)),
		private("cv_event", "event_id", 10, key("event_id"), unit(), h, code("kind", "kind@1", true, "infarction", "stroke"),
			nullable(bounded("door_min", plan.KindInt, 0, 0, 1440, "min")), bounded("severity", plan.KindInt, 0, -10, 42, "")),
		private("prescription", "", 100, unit(), key("encounter_id"), code("drug", "drug@1", false, "a01", "b02", "c03", "other"),
			bounded("cost", plan.KindDecimal, 2, 0, 1_000_000, "CNY"), bounded("huge", plan.KindInt, 0, 0, 1<<50, "")),
		{Name: "hospital", Public: true, RowKey: "hospital_id", Columns: []plan.Column{perKey(h, 1),
			code("district", "district@1", true, districts...), code("grade", "grade@1", true, "2", "3", "other")}},
		{Name: "alias_map", Public: true, Columns: []plan.Column{perKey(h, 3), code("grade", "grade@1", true, "2", "3", "other")}},
		{Name: "district", Public: true, RowKey: "code", Columns: []plan.Column{perKey(code("code", "district@1", true, districts...), 1)}},
		{Name: "icd10", Public: true, RowKey: "code", Columns: []plan.Column{perKey(code("code", "icd10@1", false, icd()...), 1),
			code("chapter", "chapter@1", true, "I", "IX", "other")}},
	}}
}

// Small is a schema whose bounds tiny random databases reach: the brute-force tests use it.
func Small() *plan.Schema {
	x := func() plan.Column { return code("c", "abc@1", true, "a", "b", "c") }
	return &plan.Schema{Dataset: "small", Persons: 4, Tables: []plan.Table{
		{Name: "one", Unit: "person_id", MaxRows: 1, Columns: []plan.Column{unit(), x(), nullable(bounded("v", plan.KindInt, 0, -3, 5, ""))}},
		{Name: "many", Unit: "person_id", RowKey: "k", MaxRows: 3, Columns: []plan.Column{unit(), key("k"), nullable(x()), nullable(bounded("v", plan.KindInt, 0, -3, 5, "")),
			bounded("w", plan.KindDecimal, 1, 10, 30, "")}},
		{Name: "other", Unit: "person_id", RowKey: "k", MaxRows: 2, Columns: []plan.Column{unit(), key("k"), nullable(key("f")), x(), bounded("v", plan.KindInt, 0, 2, 9, ""),
			public(bounded("d", plan.KindDate, 0, -2, 1, ""))}},
		{Name: "pub", Public: true, RowKey: "c", Columns: []plan.Column{perKey(x(), 1), nullable(code("g", "g@1", true, "x", "y"))}},
		{Name: "fan", Public: true, Columns: []plan.Column{perKey(x(), 2), nullable(code("g", "g@1", true, "x", "y"))}},
	}}
}

// Wide is the small schema with a table more, for expressions: texts of several characters, dates over a leap day and a turn of the year,
// amounts with two decimals.
func Wide() *plan.Schema {
	s := Small()
	s.Dataset = "wide"
	s.Tables = append(s.Tables, plan.Table{Name: "visit", Unit: "person_id", RowKey: "k", MaxRows: 4, Columns: []plan.Column{unit(), key("k"),
		nullable(code("ward", "ward@1", true, "", " icu", "Ward 12", "b-7", "B-7", "eins", "é-12x", "other")),
		code("c", "abc@1", true, "a", "b", "c"),
		nullable(public(bounded("d", plan.KindDate, 0, 18256, 18326, ""))), bounded("e", plan.KindDate, 0, 18300, 18700, ""),
		public(bounded("n", plan.KindInt, 0, 0, 9, "")), nullable(bounded("x", plan.KindDecimal, 2, -150, 1250, "CNY")),
		bounded("big", plan.KindInt, 0, -100, 120, "")}})
	return s
}

// Broad is Wide with amounts so large that quotients and variances of them keep fewer decimals.
func Broad() *plan.Schema {
	s := Wide()
	visit := &s.Tables[len(s.Tables)-1]
	for i := range visit.Columns {
		if c := &visit.Columns[i]; c.Name == "x" {
			c.Lo, c.Hi = -900_000_000, 1_000_000_000
		}
	}
	return s
}
