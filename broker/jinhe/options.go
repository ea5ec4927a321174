package jinhe

import "errors"

// The marks of the synthetic city.
const (
	Dataset    = "jinhe"             // the dataset that researchers query
	Registry   = "jinhe-cv-registry" // the dataset that QC centres receive from
	Universe   = "jinhe"             // its own person universe: synthetic, the only one that refills
	City       = "金河市"               // a name on no map
	MaxPersons = 10_000_000          // more would exhaust the ID numbers that nobody has
)

// Formats of source tables.
const (
	CSV     = "csv"     // UTF-8, header, RFC 4180 quotes; an empty cell is NULL
	Parquet = "parquet" // the same columns typed; money and laboratory values as double
)

// Options says what to generate.
type Options struct {
	Persons int64  // 1 to MaxPersons
	Seed    uint64 // same seed, same bytes
	Dir     string // is made; must not hold a source table yet
	Format  string // CSV (also when empty) or Parquet
	Workers int    // 0: as many as processors; does not change the output
	// Tables are the private tables to write, by name; empty is all. It does not change the bytes of those that are written. Public
	// tables are always written.
	Tables []string
	// Progress is told, from one goroutine, how many persons are written. May be nil.
	Progress func(done, total int64)
}

// ErrOccupied says that the directory holds source tables already: we never write over data.
var ErrOccupied = errors.New("jinhe: the directory holds source tables already; give an empty one")
