package jinhe

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// validID checks GB 11643 by its text, independent of the writer: sum of a_i·2^(i-1) over 18 digits is 1 modulo 11.
func validID(id string) bool {
	if len(id) != 18 {
		return false
	}
	sum, w := 0, 1
	for i := 17; i >= 0; i-- {
		d := int(id[i] - '0')
		if i == 17 && id[i] == 'X' {
			d = 10
		}
		sum += d * w
		w = w * 2 % 11
	}
	_, err := time.Parse("20060102", id[6:14])
	return sum%11 == 1 && err == nil
}

func TestChecksumOfKnownNumbers(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"11010519491231002X", "440524188001010014"} {
		if !validID(id) || checkDigit([]byte(id)) != id[17] {
			t.Errorf("a known good number fails")
		}
	}
	for _, id := range []string{"110105194912310021", "110101199003077578"} {
		if validID(id) || checkDigit([]byte(id)) == id[17] {
			t.Errorf("a known bad number passes")
		}
	}
}

// Nobody's number: the county code was not in force in the year of birth; and no two persons share one, up to the
// largest city.
func TestNumbersAreNobodysAndUnique(t *testing.T) {
	t.Parallel()
	shared := newModel(1, 0)
	rapid.Check(t, func(rt *rapid.T) {
		persons := rapid.Int64Range(1, MaxPersons).Draw(rt, "persons")
		m := *shared
		m.seed, m.spread = rapid.Uint64().Draw(rt, "seed"), newSpread(persons)
		d := newDice()
		slot := rapid.Uint64Range(0, slots-1).Draw(rt, "slot")
		seen := map[string]bool{}
		for i := slot; i < uint64(persons); i += slots { // all who could share region and sequence
			p := m.profile(d, i)
			id := string(idNumber(nil, i, p.male, p.birth))
			if seen[id] {
				rt.Fatalf("two of %d persons share a number", persons)
			}
			seen[id] = true
			checkNobodys(rt, id, p)
		}
	})
}

func checkNobodys(rt *rapid.T, id string, p profile) {
	if !validID(id) {
		rt.Fatal("a number fails its checksum or date")
	}
	if (id[16]-'0')%2 == 1 != p.male {
		rt.Fatal("the 17th digit is not of the sex")
	}
	year, _ := strconv.Atoi(id[6:10])
	for _, r := range regions {
		if r.code == id[:6] && (r.from == 0 || r.from <= year) && (r.end == 0 || year <= r.end) {
			rt.Fatal("the county code was in force in the year of birth")
		}
	}
}

func TestEachBirthYearHasCodesNotInForce(t *testing.T) {
	t.Parallel()
	for year := 1900; year <= lastYear; year++ {
		if birthplace(year, regionsAYear-1) == "" {
			t.Errorf("%d has fewer than %d codes", year, regionsAYear)
		}
	}
}

// The codes that we say are in force stand in the published list, the ended ones and the city's districts do not.
func TestRegionsAgainstPublishedList(t *testing.T) {
	t.Parallel()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "gbt2260", "areas.csv"))
	if errors.Is(err, os.ErrNotExist) && os.Getenv("CARREL_DATA") != "required" {
		t.Skip("the list of GB/T 2260 codes is not here (../shared/data/gbt2260)")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	current := map[string]bool{}
	for _, r := range rows {
		current[r[0]] = true
	}
	for _, r := range regions {
		if current[r.code] != (r.end == 0) {
			t.Errorf("%s: current %v, but we say it ended in %d", r.code, current[r.code], r.end)
		}
	}
	for _, d := range districts {
		if current[d.code] {
			t.Errorf("district %s exists", d.code)
		}
	}
}

func TestPersonsOfTheCity(t *testing.T) {
	t.Parallel()
	const n = 10_000
	persons := read(t, city(t, Options{Persons: n, Seed: 11}), "person")
	own, short, guardians, none := map[string]bool{}, 0, 0, 0
	for _, p := range persons {
		id := p["id_number"]
		switch {
		case id == "":
			none++
		case p["id_is_guardians"] == "1":
			guardians++
			if !validID(id) || id[6:14] >= p["birth_date"][:4]+p["birth_date"][5:7]+p["birth_date"][8:] {
				t.Error("a guardian's number is not valid, or of somebody younger")
			}
		default:
			if len(id) == 15 {
				short++
				id = id[:6] + "19" + id[6:]
				id += string(checkDigit([]byte(id)))
			}
			if !validID(id) || id[6:14] != p["birth_date"][:4]+p["birth_date"][5:7]+p["birth_date"][8:] {
				t.Error("a number is not valid, or not of the date of birth")
			}
			if own[id] {
				t.Error("two persons have the same number")
			}
			own[id] = true
		}
		if len(p["phone"]) != 11 || p["phone"][:3] != "154" {
			t.Error("a phone number is not of the unused range")
		}
	}
	if none != n/2000 || short < 25 || guardians < 150 {
		t.Errorf("%d without number, %d old cards, %d guardians'", none, short, guardians)
	}
}

func TestCalendarAgreesWithTime(t *testing.T) {
	t.Parallel()
	c := newCalendar()
	rapid.Check(t, func(rt *rapid.T) {
		d := rapid.Int32Range(c.first, c.first+int32(len(c.texts))-1).Draw(rt, "day")
		want := time.Unix(int64(d)*86400, 0).UTC()
		if got := c.text(d); got != want.Format(time.DateOnly) {
			rt.Fatalf("day %d is %s, not %s", d, want.Format(time.DateOnly), got)
		}
		if c.civil(d).days() != d {
			rt.Fatal("civil and days do not round-trip")
		}
	})
}
