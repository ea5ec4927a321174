package plan

// Limits on a plan. They bound the planner's work and the nesting of the generated SQL.
const (
	maxScans      = 6
	maxKeys       = 8
	maxMeasures   = 32
	maxOutputs    = 256
	maxNodes      = 5000
	maxDepth      = 70
	maxLiteral    = 256     // bytes
	maxPersons    = 1 << 36 // register
	maxRowsCap    = 1 << 20 // rows of a person in a table
	maxSensitive  = 1 << 53 // the library's product l0·linf must stay exact in a double (ATTACKS 14)
	maxExact      = 1 << 62 // |Σ| of an exact column
	maxDictionary = 1 << 16
	maxStatement  = 1 << 19 // bytes of generated SQL; one condition on a whole dictionary fits
)

// checkSchema refuses a schema that the arguments of this package do not hold for. The catalogue checks more; this is the
// planner's own minimum, so that no mistake elsewhere becomes a wrong bound here.
func checkSchema(s *Schema) bool {
	if s == nil || s.Dataset == "" || s.Persons < 1 || s.Persons > maxPersons || len(s.Tables) == 0 {
		return false
	}
	names := map[string]bool{}
	for i := range s.Tables {
		t := &s.Tables[i]
		if !identifier(t.Name) || names[t.Name] || !checkTable(t) {
			return false
		}
		names[t.Name] = true
	}
	return true
}

func checkTable(t *Table) bool {
	names := map[string]bool{}
	units := 0
	for i := range t.Columns {
		c := &t.Columns[i]
		if !identifier(c.Name) || names[c.Name] || c.Name == RankColumn || !checkColumn(c, t.Public) {
			return false
		}
		names[c.Name] = true
		if c.Kind == KindUnit {
			units++
			if c.Name != t.Unit || c.Nullable {
				return false // rows without a person are dropped at build; a NULL unit would be an unbounded person
			}
		}
	}
	if t.RowKey != "" && !names[t.RowKey] {
		return false
	}
	if t.Public {
		return units == 0 && t.Unit == "" && t.MaxRows == 0
	}
	return units == 1 && t.MaxRows >= 1 && t.MaxRows <= maxRowsCap
}

func checkColumn(c *Column, public bool) bool {
	if c.Bounded && c.Lo > c.Hi || c.MaxPerKey < 0 || c.MaxPerKey > 0 && !public {
		return false
	}
	const half = 1 << 61 // differences of bounds never overflow
	if c.Bounded && (c.Lo < -half || c.Hi > half) {
		return false
	}
	switch c.Kind {
	case KindUnit:
		return !public
	case KindKey:
		return true
	case KindCode:
		return c.Codes != "" && len(c.Values) > 0 && len(c.Values) <= maxDictionary && sorted(c.Values)
	case KindInt, KindDate:
		return c.Scale == 0
	case KindDecimal:
		return c.Scale >= 0 && c.Scale <= 9
	default:
		return false
	}
}

func sorted(v []string) bool {
	for i := 1; i < len(v); i++ {
		if v[i-1] >= v[i] {
			return false
		}
	}
	return true
}

// identifier says that a name may stand, quoted, in generated SQL: lower-case ASCII letters, digits and underscores.
func identifier(s string) bool {
	if s == "" || len(s) > 63 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// mul multiplies non-negative numbers and saturates at maxExact, above every limit that a product is compared with.
func mul(a, b int64) int64 {
	if a == 0 || b == 0 {
		return 0
	}
	if a > maxExact/b {
		return maxExact
	}
	return min(a*b, maxExact)
}

func abs(a int64) int64 {
	if a < 0 {
		return -a
	}
	return a
}
