package plan

// Cut is a place where rows of one person above a bound are left out, so that one person's share stays bounded. What it costs in truth is
// not told: that would have to be looked up in the data. Rows are left out by a pseudo-random rank, so no kind of row is favoured.
type Cut struct {
	Table string `json:"table,omitempty"` // "" for joined rows
	Rows  int64  `json:"rows"`            // kept
	Most  int64  `json:"most"`            // a person could have
}

// cuts are those of a SELECT and of the SELECTs in its FROM.
func (b *builder) cuts() []Cut {
	var out []Cut
	for i := range b.scans {
		s := &b.scans[i]
		switch {
		case s.table.Public:
		case s.rel != nil:
			for _, below := range s.rel.below {
				out = append(out, below.cuts()...)
			}
		case s.m < s.table.MaxRows:
			out = append(out, Cut{s.table.Name, s.m, s.table.MaxRows})
		}
	}
	if b.ranked {
		out = append(out, Cut{"", b.m, b.state.rows})
	}
	return out
}
