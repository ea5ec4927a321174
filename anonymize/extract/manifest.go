package extract

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"carrel/anonymize/plan"
)

// Format is the version of the directory's layout that this package writes and reads.
const Format = 1

// BatchRows is the number of rows of every record batch but the last of a table.
const BatchRows = 122_880

// The kinds of extracts.
const (
	KindQuery    = "query"    // answers questions inside the service, never leaves
	KindHandover = "handover" // source of packages for receivers
)

// The scopes of the privacy guarantee (PRIVACY, "Extracts: local and global steps").
const (
	ScopeSource  = "source"  // every step of the recipe was local: the guarantee holds about the sources
	ScopeExtract = "extract" // some step was global: the guarantee holds about the extract only
)

// Names of column kinds in a manifest. KindNameRank is the hidden rank column; the others are plan's kinds.
const (
	KindNameUnit    = "unit"
	KindNameKey     = "key"
	KindNameCode    = "code"
	KindNameInt     = "int"
	KindNameDecimal = "decimal"
	KindNameDate    = "date"
	KindNameRank    = "rank"
)

// Manifest describes an extract. It is trusted by nobody before Open has checked it.
type Manifest struct {
	Format       int    `json:"format"`
	ID           string `json:"id"` // random, see NewID
	Dataset      string `json:"dataset"`
	Universe     string `json:"universe"` // whose budget root is spent
	Kind         string `json:"kind"`     // KindQuery or KindHandover
	DPScope      string `json:"dp_scope"` // ScopeSource or ScopeExtract
	Recipe       string `json:"recipe"`   // its name
	RecipeHash   string `json:"recipe_hash"`
	RegisterHash string `json:"register_hash"`
	Persons      int64  `json:"persons"` // size of the register, public
	// Exclusions names the list of persons who were left out at the build; Numbering how the persons got their numbers.
	Exclusions string    `json:"exclusions,omitempty"`
	Numbering  Numbering `json:"numbering,omitzero"`
	Tables     []Table   `json:"tables"`
}

// Numbering is what turns a person into a number of the extract: a key by its name, the recipe's version, and whether identifiers are the
// sources' own and not resident numbers. Only who holds the key can do it.
type Numbering struct {
	Key     string `json:"key"`
	Version string `json:"version,omitempty"`
	Local   bool   `json:"local,omitempty"`
	// Wards is the hash of the index of children under guardians' numbers, "none" where the sources tell of no guardians; "" is of before
	// there were indexes, when nobody can be found in them.
	Wards string `json:"wards,omitempty"`
}

// Table describes one table and its file.
type Table struct {
	Name    string `json:"name"`
	Public  bool   `json:"public,omitempty"`
	Unit    string `json:"unit,omitempty"`
	RowKey  string `json:"row_key,omitempty"`
	MaxRows int64  `json:"max_rows,omitempty"` // private: hard cap of rows a person
	Rows    int64  `json:"rows"`
	File    string `json:"file"`
	Bytes   int64  `json:"bytes"`  // of the plaintext Arrow file
	SHA256  string `json:"sha256"` // of the plaintext Arrow file, hex
	Sealed  string `json:"sealed_sha256"`
	// Columns in file order; in a private table the last one is the rank.
	Columns []Column `json:"columns"`
}

// Column describes one stored column. Lo and Hi are in stored integers and hold only when Bounded.
type Column struct {
	Name      string   `json:"name"`
	Kind      string   `json:"kind"`
	ArrowType string   `json:"arrow_type"`
	Scale     int      `json:"scale,omitempty"`
	Bounded   bool     `json:"bounded,omitempty"`
	Lo        int64    `json:"lo,omitempty"`
	Hi        int64    `json:"hi,omitempty"`
	Nullable  bool     `json:"nullable,omitempty"`
	Values    []string `json:"values,omitempty"`
	Codes     string   `json:"codes,omitempty"`
	// MaxPerValue, in a public table, is the largest number of rows that share one value; 0: not verified. That of a row key is 1.
	MaxPerValue int64 `json:"max_per_value,omitempty"`
}

// NewID makes the random identifier of a new extract. It is random because a hash of the content in a permit or an
// answer would tell whether two versions of the data are equal.
func NewID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process when the system has no randomness
	return "ex-" + hex.EncodeToString(b[:])
}

// Table returns the table of that name.
func (m *Manifest) Table(name string) (*Table, bool) {
	for i := range m.Tables {
		if m.Tables[i].Name == name {
			return &m.Tables[i], true
		}
	}
	return nil, false
}

// Rows returns the number of rows of each table.
func (m *Manifest) Rows() map[string]int64 {
	rows := make(map[string]int64, len(m.Tables))
	for i := range m.Tables {
		rows[m.Tables[i].Name] = m.Tables[i].Rows
	}
	return rows
}

// Column returns the position of a column, or -1.
func (t *Table) Column(name string) int {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// Text shows a stored value as a person reads it: the code's value, the decimal, the date as YYYY-MM-DD.
func (c *Column) Text(v int64) string {
	switch c.Kind {
	case KindNameCode:
		if v >= 0 && v < int64(len(c.Values)) {
			return c.Values[v]
		}
		return ""
	case KindNameDecimal:
		return decimalText(v, c.Scale)
	case KindNameDate:
		return time.Unix(v*86400, 0).UTC().Format(time.DateOnly)
	default:
		return strconv.FormatInt(v, 10)
	}
}

func decimalText(v int64, scale int) string {
	s := strconv.FormatInt(v, 10)
	if scale <= 0 {
		return s
	}
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if len(s) <= scale {
		s = strings.Repeat("0", scale+1-len(s)) + s
	}
	return sign + s[:len(s)-scale] + "." + s[len(s)-scale:]
}

// encode gives the only byte form of a manifest: indented JSON in field order with a final newline. A manifest that
// reads well but is written otherwise has been changed.
func (m *Manifest) encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(m); err != nil {
		return nil, fmt.Errorf("encode the manifest: %w", err)
	}
	return b.Bytes(), nil
}

func decodeManifest(raw []byte) (*Manifest, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	m := new(Manifest)
	if err := d.Decode(m); err != nil {
		return nil, errors.New("the manifest is not readable")
	}
	again, err := m.encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, raw) {
		return nil, errors.New("the manifest is not in its canonical form: it was changed")
	}
	return m, m.check()
}

// ArrowType names the integer type that stores a column of the schema. It depends on the catalogue alone.
func ArrowType(c plan.Column) (string, error) {
	switch c.Kind {
	case plan.KindUnit, plan.KindKey:
		return "uint32", nil
	case plan.KindCode:
		switch n := len(c.Values); {
		case n == 0:
			return "", fmt.Errorf("column %q has no dictionary", c.Name)
		case n <= 1<<8:
			return "uint8", nil
		case n <= 1<<16:
			return "uint16", nil
		default:
			return "", fmt.Errorf("the dictionary of column %q has %d values, at most 65,536 fit", c.Name, n)
		}
	case plan.KindInt, plan.KindDecimal:
		return intType(c)
	case plan.KindDate:
		return "int32", nil
	default:
		return "", fmt.Errorf("column %q has no kind", c.Name)
	}
}

func intType(c plan.Column) (string, error) {
	if !c.Bounded {
		return "int64", nil
	}
	if c.Lo > c.Hi {
		return "", fmt.Errorf("the bounds of column %q are reversed", c.Name)
	}
	for _, t := range arrowTypes {
		if c.Lo >= t.lo && c.Hi <= t.hi {
			return t.name, nil
		}
	}
	return "int64", nil
}

// arrowTypes lists the integer types from narrow to wide with their ranges.
var arrowTypes = []struct {
	name   string
	lo, hi int64
}{
	{"uint8", 0, math.MaxUint8},
	{"int8", math.MinInt8, math.MaxInt8},
	{"uint16", 0, math.MaxUint16},
	{"int16", math.MinInt16, math.MaxInt16},
	{"uint32", 0, math.MaxUint32},
	{"int32", math.MinInt32, math.MaxInt32},
	{"int64", math.MinInt64, math.MaxInt64},
}

// typeRange returns what an Arrow type can hold.
func typeRange(name string) (lo, hi int64, ok bool) {
	for _, t := range arrowTypes {
		if t.name == name {
			return t.lo, t.hi, true
		}
	}
	return 0, 0, false
}

// rankType names the type of the rank column under a cap of m rows a person.
func rankType(m int64) (string, error) {
	switch {
	case m < 1:
		return "", errors.New("a private table needs a cap of rows a person of 1 or more")
	case m <= math.MaxUint8:
		return "uint8", nil
	case m <= math.MaxUint16:
		return "uint16", nil
	default:
		return "", fmt.Errorf("a cap of %d rows a person is above 65,535", m)
	}
}
