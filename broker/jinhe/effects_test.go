package jinhe

import (
	"slices"
	"testing"
	"time"
)

// What a researcher would look for must be there in 20,000 persons. The seed is fixed, so these tests never flicker;
// the distances asked for are far below the ones in the model.
func TestEffects(t *testing.T) {
	t.Parallel()
	dir := city(t, Options{Persons: 20_000, Seed: 1})
	t.Run("events", func(t *testing.T) { t.Parallel(); eventEffects(t, dir) })
	t.Run("stays", func(t *testing.T) { t.Parallel(); stayEffects(t, dir) })
	t.Run("integrity", func(t *testing.T) { t.Parallel(); integrity(t, dir) })
	t.Run("drugs and values", func(t *testing.T) { t.Parallel(); valueEffects(t, dir) })
}

func died(column string) func(row) bool { return func(r row) bool { return r[column] == "died" } }

func below(t *testing.T, name string, low, high float64) {
	t.Helper()
	if !(low < high) {
		t.Error(describe(name, low, high))
	}
}

func eventEffects(t *testing.T, dir string) {
	events := read(t, dir, "cv_event")
	grade := map[string]string{}
	for _, h := range read(t, dir, "hospital") {
		grade[h["hospital_id"]] = h["grade"]
	}
	stemi := where(events, "subtype", "stemi")
	men, n := share(stemi, func(r row) bool { return r["sex"] == "male" })
	if n < 40 || men < 0.58 {
		t.Errorf("STEMI: %d events, %.2f of men", n, men)
	}
	acute := where(events, "kind", "infarction")
	with, _ := share(where(acute, "pci", "1"), died("outcome_30d"))
	without, _ := share(where(acute, "pci", "0"), died("outcome_30d"))
	below(t, "deaths after infarction with and without PCI", with*1.3, without)
	ischaemic, _ := share(where(events, "subtype", "ischaemic"), died("outcome_30d"))
	bleeding, _ := share(where(events, "subtype", "haemorrhagic"), died("outcome_30d"))
	below(t, "deaths after stroke", ischaemic*1.5, bleeding)
	var best, rest []float64
	warm, cold := 0, 0
	for _, r := range events {
		if r["door_to_needle_min"] != "" && r["kind"] == "stroke" {
			if grade[r["hospital_id"]] == "3A" {
				best = append(best, r.num(t, "door_to_needle_min"))
			} else {
				rest = append(rest, r.num(t, "door_to_needle_min"))
			}
		}
		switch r["event_date"][5:7] {
		case "12", "01", "02":
			cold++
		case "06", "07", "08":
			warm++
		}
	}
	below(t, "door to needle by grade of hospital", mean(best)+4, mean(rest))
	if all := append(best, rest...); len(all) < 30 || mean(all) < 38 || mean(all) > 62 {
		t.Errorf("door to needle: %d of mean %.0f", len(all), mean(all))
	}
	below(t, "summer and winter events", 1.1*float64(warm), float64(cold))
	sep := read(t, dir, "sepsis_event")
	calm, _ := share(where(sep, "shock", "0"), died("outcome_28d"))
	shock, _ := share(where(sep, "shock", "1"), died("outcome_28d"))
	below(t, "deaths in sepsis without and with shock", calm*1.6, shock)
}

func stayEffects(t *testing.T, dir string) {
	stays := read(t, dir, "encounter")
	if perPerson := float64(len(stays)) / 20_000; perPerson < 3.1 || perPerson > 3.5 {
		t.Errorf("%.2f stays a person", perPerson)
	}
	cost := map[string][]float64{}
	byGrade := map[bool][]float64{}
	airways := map[string]int{}
	early, late := []float64{}, []float64{}
	for _, s := range stays {
		total := s.num(t, "total_cost")
		cost[s["department"]] = append(cost[s["department"]], total)
		byGrade[s["hospital_id"] <= "H03"] = append(byGrade[s["hospital_id"] <= "H03"], total)
		if s["department"] == "respiratory" {
			airways[s["admitted"][:7]]++
		}
		drugs := s.num(t, "drug_cost") / total
		if s["admitted"] < "2020" {
			early = append(early, drugs)
		} else if s["admitted"] >= "2024" {
			late = append(late, drugs)
		}
	}
	order := []string{"emergency", "paediatrics", "gastroenterology", "cardiology", "surgery", "orthopaedics", "icu"}
	for i := 1; i < len(order); i++ {
		below(t, "cost of "+order[i-1]+" and "+order[i], 1.05*mean(cost[order[i-1]]), mean(cost[order[i]]))
	}
	for d, xs := range cost {
		slices.Sort(xs)
		below(t, "skew of cost in "+d, xs[len(xs)/2], mean(xs))
	}
	below(t, "cost by grade of hospital", 1.2*mean(byGrade[false]), mean(byGrade[true]))
	below(t, "drug share falls", mean(late)+0.05, mean(early))
	below(t, "airways in summer and in the wave of 2022/23", 2.5*float64(airways["2022-07"]+airways["2022-08"]), float64(airways["2022-12"]+airways["2023-01"]))
	readmissions(t, stays)
}

// readmissions within 30 days: more after heart failure than after an operation, about a tenth in all.
func readmissions(t *testing.T, stays []row) {
	byPerson := map[string][]row{}
	for _, s := range stays {
		byPerson[s["person_no"]] = append(byPerson[s["person_no"]], s)
	}
	var all, failing []bool
	for _, ss := range byPerson {
		slices.SortStableFunc(ss, func(a, b row) int { return a.date(t, "admitted").Compare(b.date(t, "admitted")) })
		for i, s := range ss {
			if s["icd10"] == "Z49.1" || s["icd10"] == "Z51.1" || s["outcome"] == "died" {
				continue
			}
			back := i+1 < len(ss) && ss[i+1].date(t, "admitted").Sub(s.date(t, "discharged")) <= 30*24*time.Hour
			all = append(all, back)
			if s["icd10"] == "I50.0" || s["icd10"] == "I50.9" {
				failing = append(failing, back)
			}
		}
	}
	yes := func(b bool) bool { return b }
	usual, _ := share(all, yes)
	heart, _ := share(failing, yes)
	below(t, "readmission, usual and after heart failure", usual*1.3, heart)
	if usual < 0.05 || usual > 0.2 {
		t.Errorf("%.3f are readmitted", usual)
	}
}

func valueEffects(t *testing.T, dir string) {
	diabetic := map[string]bool{}
	for _, s := range read(t, dir, "encounter") {
		if s["icd10"] == "E11.9" {
			diabetic[s["person_no"]] = true
		}
	}
	var with, without []float64
	for _, l := range where(read(t, dir, "lab_result"), "item", "hba1c") {
		if diabetic[l["person_no"]] {
			with = append(with, l.num(t, "value"))
		} else {
			without = append(without, l.num(t, "value"))
		}
	}
	below(t, "HbA1c", mean(without)+0.6, mean(with))
	price := map[bool][]float64{}
	for _, p := range where(read(t, dir, "prescription"), "drug_code", "C10AA05") {
		price[p["prescribed_on"] >= "2021"] = append(price[p["prescribed_on"] >= "2021"], p.num(t, "cost")/p.num(t, "quantity"))
	}
	below(t, "price of a procured drug", 2*mean(price[true]), mean(price[false]))
}

// integrity: every row names a person and a stay that are there, keys are unique, caps and the window are kept, and
// nothing happens to the dead or the unborn.
func integrity(t *testing.T, dir string) {
	persons, stays := map[string]row{}, map[string]row{}
	for _, p := range read(t, dir, "person") {
		if _, twice := persons[p["person_no"]]; twice {
			t.Error("a person number stands twice")
		}
		persons[p["person_no"]] = p
	}
	for _, s := range read(t, dir, "encounter") {
		if _, twice := stays[s["encounter_id"]]; twice {
			t.Error("a stay's number stands twice")
		}
		stays[s["encounter_id"]] = s
		p := persons[s["person_no"]]
		if p == nil || s["admitted"] > s["discharged"] || s["admitted"] < "2018-01-01" || s["discharged"] > "2025-12-31" || s["admitted"] < p["birth_date"] {
			t.Errorf("a stay from %s to %s does not fit its person", s["admitted"], s["discharged"])
		}
		if p["death_date"] != "" && s["discharged"] > p["death_date"] || s["outcome"] == "died" && s["discharged"] != p["death_date"] {
			t.Errorf("a stay to %s with outcome %s of a person dead since %q", s["discharged"], s["outcome"], p["death_date"])
		}
		if s.num(t, "drug_cost") > s.num(t, "total_cost") {
			t.Error("drugs cost more than the stay")
		}
	}
	for table, limit := range map[string]int{"encounter": capEncounters, "cv_event": capEvents, "sepsis_event": capEvents, "lab_result": capResults, "prescription": capResults} {
		count, events := map[string]int{}, map[string]bool{}
		for _, r := range read(t, dir, table) {
			if count[r["person_no"]]++; count[r["person_no"]] > limit || persons[r["person_no"]] == nil {
				t.Errorf("%s: a person above the cap, or not there", table)
			}
			if e, has := r["encounter_id"]; has && (stays[e] == nil || stays[e]["person_no"] != r["person_no"]) {
				t.Errorf("%s: a row names a stay that is not the person's", table)
			}
			if e, has := r["event_id"]; has {
				if events[e] {
					t.Errorf("%s: an event's number stands twice", table)
				}
				events[e] = true
			}
		}
	}
}
