package jinhe

import "testing"

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
