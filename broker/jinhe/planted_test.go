package jinhe

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/broker/jinhe/jinhetest"
)

// TestPlantedIdentifiers puts one identifier of every kind into every text of the sources that is dropped, keyed or looked up, and into the numbers
// and codes where it does not belong, and looks for each in all that a build leaves: the decrypted tables, the manifest, the report, the register.
func TestPlantedIdentifiers(t *testing.T) {
	t.Parallel()
	src := city(t, Options{Persons: 600, Seed: 11, Format: CSV})
	var sources bytes.Buffer
	for _, table := range []string{"person", "encounter", "cv_event", "prescription", "lab_result"} {
		sources.Write(jinhetest.Plant(t, filepath.Join(src, table+".csv")))
	}
	for kind, text := range jinhetest.Identifiers() {
		if !bytes.Contains(sources.Bytes(), []byte(text)) {
			t.Fatalf("%s was not planted", kind)
		}
	}
	dir := t.TempDir()
	for _, dataset := range []string{Dataset, Registry} {
		for name, raw := range leftBehind(t, dataset, src, dir) {
			for kind, text := range jinhetest.Identifiers() {
				for form, v := range jinhetest.Variants(t, text) {
					if !innocent(kind, name) && bytes.Contains(raw, v) {
						t.Errorf("%s: %s is in %s (%s)", dataset, kind, name, form)
					}
				}
			}
		}
	}
}

// innocent are texts that a build says of itself: postcodes, dates and numbers of six digits are found by chance in hashes and sizes.
func innocent(kind, place string) bool {
	return (kind == "postcode" || kind == "exact date") && place != "tables"
}

// leftBehind builds an extract and returns all that it leaves, by what it is.
func leftBehind(t *testing.T, dataset, src, dir string) map[string][]byte {
	t.Helper()
	out, keys := filepath.Join(dir, dataset), filepath.Join(dir, "keys")
	_, rep := build(t, dataset, src, out, keys)
	report, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	left := map[string][]byte{"the report": report}
	for name, file := range map[string]string{"the manifest": filepath.Join(out, "manifest.json"), "the register": out + ".register"} {
		if left[name], err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	ring, err := deid.OpenKeyRing(keys)
	if err != nil {
		t.Fatal(err)
	}
	id, err := ring.Identity()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := extract.NewAge(id)
	if err != nil {
		t.Fatal(err)
	}
	e, err := extract.Open(t.Context(), out, sealer)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range e.Tables() {
		p, err := table.Plain()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		left["tables"] = append(left["tables"], raw...)
	}
	if len(left["tables"]) < 1000 {
		t.Fatal("there are no tables to look into")
	}
	return left
}
