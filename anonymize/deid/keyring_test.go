package deid_test

import (
	"errors"
	"path/filepath"
	"testing"

	"carrel/anonymize/deid"
)

// A ring takes a key that comes from another one and numbers persons with it as the other does; a key that it has is never replaced.
func TestRingAdoptsKeys(t *testing.T) {
	t.Parallel()
	c := newCity(t)
	_, _, x := c.must(cityFiles(upTo(40)), cityRecipe)
	register := filepath.Join(c.dir, "persons.register")
	key, err := c.keys.Key("city-unit")
	if err != nil {
		t.Fatal(err)
	}
	other, err := deid.InitKeyRing(filepath.Join(t.TempDir(), "keys"), "city-staff")
	if err != nil {
		t.Fatal(err)
	}
	if err := deid.Registered(other, register, x.Manifest()); err == nil {
		t.Error("a ring without the key knows the register")
	}
	for range 2 {
		if err := other.Adopt("city-unit", key); err != nil {
			t.Error(err)
		}
	}
	if err := deid.Registered(other, register, x.Manifest()); err != nil {
		t.Error(err)
	}
	if err := other.Adopt("city-staff", key); !errors.Is(err, deid.ErrOtherKey) {
		t.Errorf("another key under a name that is taken: %v", err)
	}
	if staff, err := other.Key("city-staff"); err != nil || staff == key {
		t.Errorf("the key that was there was replaced: %v", err)
	}
	for name, k := range map[string]deid.Secret{"../city": key, "none": {}} {
		if err := other.Adopt(name, k); err == nil {
			t.Errorf("%q is adopted", name)
		}
	}
}
