package jinhe

import (
	"slices"
	"testing"

	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
)

func TestEntriesParse(t *testing.T) {
	t.Parallel()
	for _, id := range []string{Dataset, Registry} {
		d, err := Entry(id)
		if err != nil {
			t.Fatal(err)
		}
		if d.ID != id || !d.Synthetic || d.Universe != Universe {
			t.Errorf("entry %s: id %q synthetic %v universe %q", id, d.ID, d.Synthetic, d.Universe)
		}
		if _, err := d.Schema(1000); err != nil {
			t.Error(err)
		}
	}
}

// The entry has exactly the tables and columns that the product promises, in order, with the promised keys.
func TestEntryIsThePromisedOne(t *testing.T) {
	t.Parallel()
	want := map[string][]string{
		"person":       {"person_id", "sex", "birth_year", "district", "insurance_type", "death_month"},
		"encounter":    {"person_id", "encounter_id", "hospital_id", "admitted", "discharged", "department", "icd10", "outcome", "total_cost", "drug_cost", "prescriber_id"},
		"cv_event":     {"person_id", "event_id", "hospital_id", "kind", "subtype", "onset_to_door_min", "first_ecg_min", "door_to_needle_min", "door_to_balloon_min", "severity", "thrombolysis", "pci", "outcome_30d", "event_month"},
		"sepsis_event": {"person_id", "event_id", "hospital_id", "shock", "lactate_min", "culture_min", "antibiotic_min", "fluids_3h", "vasopressor_min", "outcome_28d", "event_month"},
		"lab_result":   {"person_id", "encounter_id", "hospital_id", "taken_on", "item", "value", "unit"},
		"prescription": {"person_id", "encounter_id", "drug_code", "manufacturer", "quantity", "cost", "prescribed_on", "prescriber_id"},
		"hospital":     {"hospital_id", "name", "district", "grade"},
		"icd10":        {"code", "name_zh", "name_en", "chapter"},
		"district":     {"code", "name"},
	}
	private := []string{"encounter.icd10", "prescription.drug_code", "lab_result.item", "encounter.prescriber_id"}
	public := []string{"person.sex", "person.birth_year", "person.district", "person.insurance_type", "encounter.department", "encounter.outcome",
		"encounter.hospital_id", "hospital.grade", "cv_event.kind", "cv_event.subtype", "cv_event.event_month", "cv_event.pci"}
	d, err := Entry(Dataset)
	if err != nil {
		t.Fatal(err)
	}
	s, err := d.Schema(1000)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Tables) != len(want) {
		t.Errorf("%d tables", len(s.Tables))
	}
	for _, table := range s.Tables {
		var names []string
		for _, c := range table.Columns {
			names = append(names, c.Name)
			full := table.Name + "." + c.Name
			if c.PublicKey && slices.Contains(private, full) || !c.PublicKey && slices.Contains(public, full) {
				t.Errorf("%s: public key %v", full, c.PublicKey)
			}
			if (c.Kind == plan.KindUnit) != (c.Name == "person_id") {
				t.Errorf("%s has kind %d", full, c.Kind)
			}
		}
		if !slices.Equal(names, want[table.Name]) {
			t.Errorf("%s has %v", table.Name, names)
		}
	}
}

// Every code that the generator writes is declared, but for the rare ones, which are not.
func TestGeneratorAndCataloguesAgree(t *testing.T) {
	t.Parallel()
	lists, err := catalogue.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	in := func(list, code string, want bool) {
		t.Helper()
		l, ok := lists.Get(list)
		if !ok {
			t.Fatalf("no list %s", list)
		}
		if _, found := l.Find(code); found != want {
			t.Errorf("%s: code %s found %v", list, code, found)
		}
	}
	for i := range departments {
		in("department@jinhe-1", departments[i].code, true)
		for _, c := range departments[i].cases {
			in(listICD, c.code, true)
		}
	}
	for _, c := range []string{"I21.0", "I21.1", "I21.3", "I21.4", "I60.9", "I61.9", "I63.3", "I63.4", "I63.9", "A40.9", "A41.0", "A41.5", "A41.9", "Z49.1", "Z51.1", "I69.3"} {
		in(listICD, c, true)
	}
	for _, c := range rareCodes {
		in(listICD, c, false)
	}
	for i := range hospitals {
		in(listHospital, hospitals[i].id, true)
		in("hospital-grade@nhc", hospitals[i].grade, true)
		l, _ := lists.Get(listHospital)
		if h, _ := l.Find(hospitals[i].id); h.Parent != hospitals[i].district {
			t.Errorf("%s stands in another district in the list", hospitals[i].id)
		}
	}
	for i, d := range districts {
		l, _ := lists.Get(listDistrict)
		c, ok := l.Find(d.code)
		if !ok || c.Label.ZH != districtNames[i] || (c.Parent == "urban") != d.urban {
			t.Errorf("district %s differs from the list", d.code)
		}
	}
	for _, d := range drugs {
		in("drug@jinhe-1", d.code, true)
	}
	for _, i := range labItems {
		in("lab-item@jinhe-1", i.code, true)
		in("lab-unit@jinhe-1", i.unit, true)
	}
	for _, i := range insurances {
		in("insurance@jinhe-1", i, true)
	}
}

// The caps of the catalogue are the ones that the sources keep.
func TestCapsAgree(t *testing.T) {
	t.Parallel()
	d, err := Entry(Dataset)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{"person": 1, "encounter": capEncounters, "cv_event": capEvents, "sepsis_event": capEvents, "lab_result": capResults, "prescription": capResults} {
		table, ok := d.Table(name)
		if !ok || table.RowsPerPerson.Max != want {
			t.Errorf("%s: cap %d, not %d", name, table.RowsPerPerson.Max, want)
		}
	}
}

// What the demo's QC centre asks for exists, and leaves the month out.
func TestHandoverColumnsExist(t *testing.T) {
	t.Parallel()
	d, err := Entry(Registry)
	if err != nil {
		t.Fatal(err)
	}
	table, _ := d.Table("cv_event")
	for _, c := range HandoverColumns() {
		if _, ok := table.Field(c); !ok || c == "event_month" {
			t.Errorf("column %s", c)
		}
	}
}
