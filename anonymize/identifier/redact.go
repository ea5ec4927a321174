package identifier

import "bytes"

// Markers stand where identifiers stood: ⟦name⟧, with the key of the kind. Scan passes over them.
const (
	markerOpen  = "⟦"
	markerClose = "⟧"
)

// marker is the length of a marker at the start of b, 0 for none. Brackets around anything but a kind's key are no marker: nobody hides
// a number from Scan by writing them.
func marker(b []byte) int {
	rest, found := bytes.CutPrefix(b, []byte(markerOpen))
	if !found {
		return 0
	}
	key, _, closed := bytes.Cut(rest[:min(len(rest), 32)], []byte(markerClose))
	if !closed {
		return 0
	}
	if _, known := Parse(string(key)); !known {
		return 0
	}
	return len(markerOpen) + len(key) + len(markerClose)
}

// Found counts identifiers by kind.
type Found [Count]int64

// Add counts another text's.
func (f *Found) Add(more *Found) {
	for k := range f {
		f[k] += more[k]
	}
}

// Mask is the set of kinds that were found.
func (f *Found) Mask() Mask {
	var m Mask
	for k := range f {
		if f[k] > 0 {
			m |= 1 << k
		}
	}
	return m
}

// Count counts the identifiers in a text.
func (d *Detector) Count(text []byte, into *Found) {
	d.Scan(text, func(k Kind, _, _ int) { into[k]++ })
}

// rounds is how often Redact looks at what it made: taking one identifier out may bring a word and a number together.
const rounds = 6

// Redact appends text to dst with each identifier of the kinds given replaced by its marker, and counts them. What it returns holds none that
// Scan can find. It depends on the text alone, so a step of a recipe that uses it is local.
func (d *Detector) Redact(dst, text []byte, which Mask, count *Found) []byte {
	start := len(dst)
	for range rounds {
		out, n := d.once(nil, text, which, count)
		if n == 0 {
			return append(dst[:start], out...)
		}
		text = out
	}
	if out, n := d.once(nil, text, which, count); n == 0 {
		return append(dst[:start], out...)
	}
	return append(dst[:start], markerOpen+HanName.Key()+markerClose...)
}

func (d *Detector) once(dst, text []byte, which Mask, count *Found) ([]byte, int) {
	last, n := 0, 0
	d.Scan(text, func(k Kind, from, to int) {
		if !which.Has(k) {
			return
		}
		count[k]++
		n++
		dst = append(dst, text[last:from]...)
		dst = append(dst, markerOpen...)
		dst = append(dst, k.Key()...)
		dst = append(dst, markerClose...)
		last = to
	})
	return append(dst, text[last:]...), n
}
