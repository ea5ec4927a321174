package service_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// concept is a question of researchers, in our own words, with what the files say: the numbers of each group, behind its keys.
type concept struct {
	name, sql string
	want      map[string][]float64
}

// sums adds up numbers by group.
type sums map[string][]float64

func (s sums) add(key any, values ...float64) {
	k := fmt.Sprint(key)
	if s[k] == nil {
		s[k] = make([]float64, len(values))
	}
	for i, v := range values {
		s[k][i] += v
	}
}

// mean makes the mean of a sum: column i over column n.
func (s sums) mean(i, n int) sums {
	for _, v := range s {
		v[i] /= v[n]
	}
	return s
}

// only keeps some columns, in the order asked for.
func (s sums) only(columns ...int) sums {
	out := sums{}
	for k, v := range s {
		for _, c := range columns {
			out[k] = append(out[k], v[c])
		}
	}
	return out
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// by sorts records into lists by columns.
func by(rows []record, columns ...string) map[string][]record {
	out := map[string][]record{}
	for _, r := range rows {
		k := idOf(r, columns...)
		out[k] = append(out[k], r)
	}
	return out
}

func idOf(r record, columns ...string) string {
	var k []string
	for _, c := range columns {
		k = append(k, r[c])
	}
	return strings.Join(k, "|")
}

var (
	units     = map[string]string{"MICU": "micu", "SICU": "sicu", "CCU": "ccu", "TSICU": "tsicu", "CSRU": "csru", "NICU": "nicu"} //nolint:gochecknoglobals // a table
	dialysis  = []string{"225441", "225802", "225803", "225809", "225955"}                                                        //nolint:gochecknoglobals // a list
	mainDrugs = []string{"Vancomycin", "Furosemide", "Insulin", "Norepinephrine", "Propofol"}                                     //nolint:gochecknoglobals // those of one spelling
)

func drugOf(r record) string {
	switch {
	case r["drug"] == "":
		return ""
	case slices.Contains(mainDrugs, r["drug"]):
		return strings.ToLower(r["drug"])
	case r["drug"] == "Heparin" || r["drug"] == "Heparin Sodium":
		return "heparin"
	default:
		return "other"
	}
}

func sexOf(r record) string { return map[string]string{"F": "female", "M": "male"}[r["gender"]] }

func starts(code string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(code, p) })
}

// questions are the shapes of MIMIC's own concepts and of cohorts in the manner of OHDSI.
func (m *mimic) questions() []concept {
	return slices.Concat(m.stays(), m.vitals(), m.comorbidities(), m.cohorts(), m.treatments(), m.joins())
}

// stays: first stays, ages, lengths, outcomes.
func (m *mimic) stays() []concept {
	patients, admissions := by(m.tables["patients"], "subject_id"), by(m.tables["admissions"], "hadm_id")
	first, outcome, moved := sums{}, sums{}, sums{}
	for _, stays := range by(m.tables["icustays"], "subject_id") {
		d0 := math.MaxInt
		for _, s := range stays {
			d0 = min(d0, s.on("intime"))
		}
		for _, s := range stays {
			days, _ := s.number("los", 4, 180)
			if s.on("intime") == d0 {
				first.add(units[s["first_careunit"]], 1, days)
			}
			outcome.add(units[s["first_careunit"]], 1, flag(admissions[s["hadm_id"]][0]["hospital_expire_flag"] == "1"))
		}
	}
	for _, stays := range by(m.tables["icustays"], "hadm_id") {
		moved.add(len(stays) > 1, 1)
	}
	ages, lengths, again := sums{}, sums{}, sums{}
	for person, list := range by(m.tables["admissions"], "subject_id") {
		p := patients[person][0]
		slices.SortFunc(list, func(a, b record) int { return a.on("admittime") - b.on("admittime") })
		for i, a := range list {
			kind := strings.ToLower(a["admission_type"])
			ages.add(sexOf(p), float64(min((a.on("admittime")-p.on("dob"))/365, 91)), 1)
			days := float64(min(max(a.on("dischtime")-a.on("admittime"), 0), 365))
			lengths.add(kind, 1, days, days*days)
			back := i+1 < len(list) && list[i+1].on("admittime")-a.on("dischtime") <= 30
			again.add(kind, 1, flag(back))
		}
	}
	for _, v := range lengths { // variance from the sums of powers
		v[1] /= v[0]
		v[2] = v[2]/v[0] - v[1]*v[1]
	}
	return []concept{
		{"first stay in intensive care", `WITH numbered AS (SELECT person_id, unit, days, entered, min(entered) OVER (PARTITION BY person_id) AS d0 FROM icustay)
			SELECT unit, count(*) AS stays, avg(days) AS days FROM numbered WHERE entered = d0 GROUP BY unit`, first.mean(1, 0)},
		{"outcome by unit", `SELECT unit, count(*) AS n, avg(a.died) AS died FROM icustay i JOIN admission a ON a.person_id = i.person_id AND a.admission_id = i.admission_id GROUP BY unit`, outcome.mean(1, 0)},
		{"age at admission", `SELECT p.sex, avg(least(date_diff('day', p.birth_date, a.admitted) // 365, 91)) AS age, count(*) AS n FROM admission a JOIN patient p ON p.person_id = a.person_id GROUP BY p.sex`, ages.mean(0, 1)},
		{"length of stay", `SELECT admission_type, count(*) AS n, avg(clamp(discharged - admitted, 0, 365)) AS days, var_pop(clamp(discharged - admitted, 0, 365)) AS spread FROM admission GROUP BY admission_type`, lengths},
		{"readmission within thirty days", `WITH stays AS (SELECT person_id, admission_type, discharged, lead(admitted) OVER (PARTITION BY person_id ORDER BY admitted) AS again FROM admission)
			SELECT admission_type, count(*) AS n, count(*) FILTER (WHERE again - discharged <= 30) / count(*) AS back FROM stays GROUP BY admission_type`, again.mean(1, 0)},
		{"back in intensive care", `SELECT more, count(*) AS n FROM (SELECT person_id, admission_id, count(*) > 1 AS more FROM icustay GROUP BY person_id, admission_id) t GROUP BY more`, moved},
	}
}

// firstDay gives the readings of a stay's first day, by stay and item.
func (m *mimic) firstDay() map[string]map[string][]float64 {
	stays, out := by(m.tables["icustays"], "icustay_id"), map[string]map[string][]float64{}
	for _, r := range m.tables["chartevents"] {
		stay := stays[r["icustay_id"]]
		if stay == nil || r.on("charttime") != stay[0].on("intime") {
			continue
		}
		if out[r["icustay_id"]] == nil {
			out[r["icustay_id"]] = map[string][]float64{}
		}
		if v, there := r.number("valuenum", 1, 500); there {
			item := concepts[r["itemid"]]
			out[r["icustay_id"]][item] = append(out[r["icustay_id"]][item], v)
		}
	}
	return out
}

func total(list []float64) (s float64) {
	for _, v := range list {
		s += v
	}
	return s
}

// vitals: the worst and the mean of the first day, a coma score, days of low pressure.
func (m *mimic) vitals() []concept {
	hearts, coma, low := sums{}, sums{}, sums{}
	stays := by(m.tables["icustays"], "icustay_id")
	for id, items := range m.firstDay() {
		if h := items["heart-rate"]; len(h) > 0 {
			hearts.add("", slices.Min(h), slices.Max(h), total(h)/float64(len(h)), 1)
		}
		if e, x, w := items["coma-eyes"], items["coma-motor"], items["coma-words"]; len(e) > 0 && len(x) > 0 && len(w) > 0 {
			coma.add(units[stays[id][0]["first_careunit"]], slices.Min(e)+slices.Min(x)+slices.Min(w), 1)
		}
	}
	days := map[string]map[int]bool{}
	for _, r := range m.tables["chartevents"] {
		stay := stays[r["icustay_id"]]
		if v, there := r.number("valuenum", 1, 500); there && stay != nil && concepts[r["itemid"]] == "systolic" && v < 90 {
			person := stay[0]["subject_id"]
			if days[person] == nil {
				days[person] = map[int]bool{}
			}
			days[person][r.on("charttime")] = true
		}
	}
	for _, d := range days {
		low.add(min(len(d), 10), 1)
	}
	return []concept{
		{"heart rate of the first day", `WITH daily AS (SELECT person_id, icustay_id, charted, min(value) AS lo, max(value) AS hi, avg(value) AS mean
				FROM reading WHERE item = 'heart-rate' GROUP BY person_id, icustay_id, charted)
			SELECT avg(d.lo) AS lo, avg(d.hi) AS hi, avg(d.mean) AS mean FROM icustay i JOIN daily d ON d.person_id = i.person_id AND d.icustay_id = i.icustay_id AND d.charted = i.entered`, hearts.mean(0, 3).mean(1, 3).mean(2, 3).only(0, 1, 2)},
		{"coma score of the first day", `SELECT unit, avg(eyes + motor + words) AS score FROM (
			SELECT i.person_id, i.icustay_id, min(i.unit) AS unit, min(r.value) FILTER (WHERE r.item = 'coma-eyes') AS eyes,
				min(r.value) FILTER (WHERE r.item = 'coma-motor') AS motor, min(r.value) FILTER (WHERE r.item = 'coma-words') AS words
			FROM icustay i JOIN reading r ON r.person_id = i.person_id AND r.icustay_id = i.icustay_id AND r.charted = i.entered
			GROUP BY i.person_id, i.icustay_id) t GROUP BY unit`, coma.mean(0, 1).only(0)},
		{"days of low pressure", `SELECT least(n, 10) AS days, count(*) AS persons FROM (
			SELECT person_id, count(DISTINCT charted) AS n FROM reading WHERE item = 'systolic' AND value < 90 GROUP BY person_id) t GROUP BY days`, low},
	}
}

// Weights and prefixes of the comorbidities, written down again.
var (
	charlson = []struct { //nolint:gochecknoglobals // a table
		weight   int
		prefixes []string
	}{
		{1, []string{"410", "412"}}, {1, []string{"428"}}, {1, []string{"430", "431", "432", "433", "434", "435", "436", "437", "438"}},
		{1, []string{"490", "491", "492", "493", "494", "495", "496"}}, {1, []string{"2500", "2501", "2502", "2503"}},
		{2, []string{"582", "583", "585", "586", "588"}}, {3, []string{"4560", "4561", "5722", "5723", "5724", "5728"}},
		{6, []string{"196", "197", "198", "1990", "1991"}},
	}
	elixhauser = [][]string{{"428"}, {"401", "402", "403", "404", "405"}, {"276"}, {"286", "2871", "2873", "2874", "2875"}, {"582", "583", "585", "586", "588"}} //nolint:gochecknoglobals // a table
)

// comorbidities: Charlson by person, Elixhauser by admission against its outcome.
func (m *mimic) comorbidities() []concept {
	points, burden := sums{}, sums{}
	for _, list := range by(m.tables["diagnoses_icd"], "subject_id") {
		score := 0
		for _, c := range charlson {
			if slices.ContainsFunc(list, func(r record) bool { return starts(r["icd9_code"], c.prefixes...) }) {
				score += c.weight
			}
		}
		points.add(min(score, 9), 1)
	}
	admissions := by(m.tables["admissions"], "hadm_id")
	for hadm, list := range by(m.tables["diagnoses_icd"], "hadm_id") {
		n := 0
		for _, prefixes := range elixhauser {
			n += int(flag(slices.ContainsFunc(list, func(r record) bool { return starts(r["icd9_code"], prefixes...) })))
		}
		burden.add(n, 1, flag(admissions[hadm][0]["hospital_expire_flag"] == "1"))
	}
	has := func(set string, weight int) string {
		return fmt.Sprintf("max(CASE WHEN icd9 IN codes('%s@1') THEN %d ELSE 0 END)", set, weight)
	}
	return []concept{
		{"Charlson score", "SELECT least(score, 9) AS points, count(*) AS persons FROM (SELECT person_id, " + strings.Join([]string{has("infarction", 1), has("heart-failure", 1), has("stroke", 1),
			has("lung-disease", 1), has("diabetes", 1), has("renal-disease", 2), has("liver-disease", 3), has("metastasis", 6)}, " + ") + " AS score FROM diagnosis GROUP BY person_id) t GROUP BY points", points},
		{"Elixhauser burden and death", "SELECT d.burden, count(*) AS n, avg(a.died) AS died FROM admission a JOIN (SELECT person_id, admission_id, " + strings.Join([]string{has("heart-failure", 1), has("hypertension", 1),
			has("fluid-disorder", 1), has("coagulopathy", 1), has("renal-disease", 1)}, " + ") + ` AS burden FROM diagnosis GROUP BY person_id, admission_id) d
			ON d.person_id = a.person_id AND d.admission_id = a.admission_id GROUP BY d.burden`, burden.mean(1, 0)},
	}
}

// cohorts: first events with washout, death after an index date.
func (m *mimic) cohorts() []concept {
	patients := by(m.tables["patients"], "subject_id")
	septic := map[string]bool{}
	for _, r := range m.tables["diagnoses_icd"] {
		if starts(r["icd9_code"], "038") || slices.Contains([]string{"99591", "99592", "78552"}, r["icd9_code"]) {
			septic[r["hadm_id"]] = true
		}
	}
	washed, dead := sums{}, sums{}
	for _, list := range by(m.tables["admissions"], "subject_id") {
		d0 := math.MaxInt
		for _, a := range list {
			if septic[a["hadm_id"]] {
				d0 = min(d0, a.on("admittime"))
			}
		}
		before := slices.ContainsFunc(list, func(a record) bool { return a.on("admittime") < d0 && a.on("admittime") >= d0-365 })
		if d0 < math.MaxInt && !before {
			washed.add("", 1)
		}
	}
	for person, list := range by(m.tables["icustays"], "subject_id") {
		d0 := math.MaxInt
		for _, s := range list {
			d0 = min(d0, s.on("intime"))
		}
		died, ok := patients[person][0].day("dod")
		dead.add(sexOf(patients[person][0]), 1, flag(ok && died-d0 >= 0 && died-d0 <= 90))
	}
	return []concept{
		{"first sepsis after a year without a stay", `WITH septic AS (SELECT a.person_id, a.admitted FROM admission a WHERE EXISTS (SELECT 1 FROM diagnosis d
				WHERE d.person_id = a.person_id AND d.admission_id = a.admission_id AND d.icd9 IN codes('sepsis@1'))),
			idx AS (SELECT person_id, min(admitted) AS d0 FROM septic GROUP BY person_id)
			SELECT count(*) AS persons FROM idx WHERE NOT EXISTS (SELECT 1 FROM admission b WHERE b.person_id = idx.person_id AND b.admitted < idx.d0 AND b.admitted >= idx.d0 - INTERVAL 365 DAY)`, washed},
		{"death within ninety days of the index stay", `WITH idx AS (SELECT person_id, min(entered) AS d0 FROM icustay GROUP BY person_id)
			SELECT p.sex, count(*) AS n, avg(CASE WHEN date_diff('day', idx.d0, p.death_date) BETWEEN 0 AND 90 THEN 1 ELSE 0 END) AS dead FROM idx JOIN patient p ON p.person_id = idx.person_id GROUP BY p.sex`, dead.mean(1, 0)},
	}
}

// treatments: ventilation and dialysis by item, drugs by order.
func (m *mimic) treatments() []concept {
	stays, admissions := by(m.tables["icustays"], "icustay_id"), by(m.tables["admissions"], "hadm_id")
	tubes, kidneys := map[string]bool{}, map[string]bool{}
	for _, r := range m.tables["procedureevents_mv"] {
		tubes[r["icustay_id"]] = tubes[r["icustay_id"]] || r["itemid"] == "225792"
		if slices.Contains(dialysis, r["itemid"]) {
			kidneys[stays[r["icustay_id"]][0]["subject_id"]] = true
		}
	}
	for _, r := range m.tables["chartevents"] {
		tubes[r["icustay_id"]] = tubes[r["icustay_id"]] || concepts[r["itemid"]] == "ventilator"
	}
	vented, filtered, many, delay := sums{}, sums{}, sums{}, sums{}
	for id, s := range stays {
		days, _ := s[0].number("los", 4, 180)
		vented.add(tubes[id], 1, days)
	}
	for _, p := range m.tables["patients"] {
		if kidneys[p["subject_id"]] {
			filtered.add(sexOf(p), 1)
		}
	}
	for hadm, orders := range by(m.tables["prescriptions"], "hadm_id") {
		drugs, d0, mains := map[string]bool{}, math.MaxInt, 0
		for _, r := range orders {
			if r["drug_type"] == "MAIN" {
				mains++
				drugs[drugOf(r)] = true
			}
			if d, ok := r.day("startdate"); ok && drugOf(r) == "vancomycin" {
				d0 = min(d0, d)
			}
		}
		delete(drugs, "")
		if mains > 0 {
			many.add(len(drugs) >= 4, 1)
		}
		if d0 < math.MaxInt {
			delay.add("", float64(min(max(d0-admissions[hadm][0].on("admittime"), 0), 60)), 1)
		}
	}
	return []concept{
		{"ventilated stays", `SELECT vented, count(*) AS n, avg(days) AS days FROM (SELECT i.person_id, i.days,
				EXISTS (SELECT 1 FROM procedure p WHERE p.person_id = i.person_id AND p.icustay_id = i.icustay_id AND p.item = 'invasive-ventilation')
				OR EXISTS (SELECT 1 FROM reading r WHERE r.person_id = i.person_id AND r.icustay_id = i.icustay_id AND r.item = 'ventilator') AS vented
			FROM icustay i) t GROUP BY vented`, vented.mean(1, 0)},
		{"persons on dialysis", `SELECT sex, count(*) AS persons FROM patient WHERE person_id IN (SELECT person_id FROM procedure WHERE item = 'dialysis') GROUP BY sex`, filtered},
		{"many drugs", `SELECT many, count(*) AS n FROM (SELECT person_id, admission_id, count(DISTINCT drug) >= 4 AS many FROM prescription WHERE drug_type = 'main' GROUP BY person_id, admission_id) t GROUP BY many`, many},
		{"days to the first vancomycin", `WITH v AS (SELECT person_id, admission_id, min(started) AS d0 FROM prescription WHERE drug = 'vancomycin' GROUP BY person_id, admission_id)
			SELECT avg(clamp(v.d0 - a.admitted, 0, 60)) AS days, count(v.d0) AS n FROM v JOIN admission a ON a.person_id = v.person_id AND a.admission_id = v.admission_id`, delay.mean(0, 1)},
	}
}

// points are those of a score of organs, by the worst value of a day: below (or, of what should be low, from) each bound one more.
func points(v []float64, worst func([]float64) float64, beyond func(x, bound float64) bool, bounds ...float64) (p int) {
	if len(v) == 0 {
		return 0
	}
	for _, b := range bounds {
		p += int(flag(beyond(worst(v), b)))
	}
	return p
}

func lowest(v []float64) float64  { return slices.Min(v) }
func highest(v []float64) float64 { return slices.Max(v) }
func less(x, bound float64) bool  { return x < bound }
func least(x, bound float64) bool { return x >= bound }

// joins: laboratory values by day, public tables, several groupings at once, the last value before.
func (m *mimic) joins() []concept {
	labs := by(m.tables["labevents"], "subject_id")
	organs, before, sets := sums{}, sums{}, sums{}
	patients := by(m.tables["patients"], "subject_id")
	for _, s := range m.tables["icustays"] {
		day, last := map[string][]float64{}, map[int][]float64{}
		for _, l := range labs[s["subject_id"]] {
			v, there := l.number("valuenum", 2, 10000)
			if there && l.on("charttime") == s.on("intime") {
				day[l["itemid"]] = append(day[l["itemid"]], v)
			}
			if there && l["itemid"] == "50912" && l.on("charttime") <= s.on("intime") {
				last[l.on("charttime")] = append(last[l.on("charttime")], v)
			}
		}
		organs.add(points(day["51265"], lowest, less, 150, 100, 50, 20)+points(day["50912"], highest, least, 1.2, 2, 3.5, 5)+points(day["50885"], highest, least, 1.2, 2, 6, 12), 1)
		if len(last) > 0 {
			before.add("", min(highest(last[slices.Max(slices.Collect(maps.Keys(last)))]), 20), 1)
		}
		unit, sex := units[s["first_careunit"]], sexOf(patients[s["subject_id"]][0])
		sets.add(unit+"|"+sex, 1)
		sets.add(unit+"|NULL", 1)
		sets.add("NULL|NULL", 1)
	}
	items, categories := by(m.tables["d_labitems"], "itemid"), sums{}
	for _, l := range m.tables["labevents"] {
		category := map[string]string{"hematology": "haematology", "chemistry": "chemistry", "blood gas": "blood-gas"}[strings.ToLower(items[l["itemid"]][0]["category"])]
		categories.add(category, 1)
	}
	codes, failing := by(m.tables["d_icd_diagnoses"], "icd9_code"), map[string]bool{}
	for _, d := range m.tables["diagnoses_icd"] {
		if c := codes[d["icd9_code"]]; c != nil && strings.Contains(c[0]["short_title"], "hrt fail") {
			failing[d["subject_id"]] = true
		}
	}
	return []concept{
		{"score of organs on the first day", `WITH worst AS (SELECT person_id, taken, min(value) FILTER (WHERE item = '51265') AS platelets,
				max(value) FILTER (WHERE item = '50912') AS creatinine, max(value) FILTER (WHERE item = '50885') AS bilirubin FROM lab GROUP BY person_id, taken)
			SELECT CASE WHEN platelets < 20 THEN 4 WHEN platelets < 50 THEN 3 WHEN platelets < 100 THEN 2 WHEN platelets < 150 THEN 1 ELSE 0 END
				+ CASE WHEN creatinine >= 5 THEN 4 WHEN creatinine >= 3.5 THEN 3 WHEN creatinine >= 2 THEN 2 WHEN creatinine >= 1.2 THEN 1 ELSE 0 END
				+ CASE WHEN bilirubin >= 12 THEN 4 WHEN bilirubin >= 6 THEN 3 WHEN bilirubin >= 2 THEN 2 WHEN bilirubin >= 1.2 THEN 1 ELSE 0 END AS points, count(*) AS n
			FROM icustay i LEFT JOIN worst w ON w.person_id = i.person_id AND w.taken = i.entered GROUP BY points`, organs},
		{"last creatinine before intensive care", `SELECT avg(least(l.value, 20)) AS creatinine FROM icustay i ASOF JOIN (SELECT person_id, taken, max(value) AS value FROM lab
			WHERE item = '50912' AND value IS NOT NULL GROUP BY person_id, taken) l ON l.person_id = i.person_id AND i.entered >= l.taken`, before.mean(0, 1).only(0)},
		{"units by sex and in all", `SELECT i.unit, p.sex, count(*) AS n FROM icustay i JOIN patient p ON p.person_id = i.person_id GROUP BY GROUPING SETS ((i.unit, p.sex), (i.unit), ())`, sets},
		{"results by category", `SELECT c.category, count(*) AS n FROM lab l JOIN lab_item c ON c.item = l.item GROUP BY c.category`, categories},
		{"heart failure by title", `SELECT count(DISTINCT d.person_id) AS persons FROM diagnosis d JOIN icd9_code c ON c.code = d.icd9 WHERE c.title LIKE '%hrt fail%'`, sums{"": {float64(len(failing))}}},
	}
}
