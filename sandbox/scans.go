package sandbox

import (
	"errors"

	"carrel/sandbox/wire"
)

// errScan says that what was scanned is not what the manifest says.
var errScan = errors.New("scan")

// checkScans compares what the engine was given with the manifest. See Session.Run for the rule and why it is sound:
//   - every scan is of a table that the query reads;
//   - a complete scan gave exactly the manifest's rows but those of persons who are left out, and none are left out of a public table or
//     where the choice leaves out nobody;
//   - when a table has no complete scan, or one that stopped early, the answer is empty, or the statement is one that may skip; at least one
//     table was scanned whole then.
func checkScans(src Source, tables []string, scans []wire.Scan, cells [][]int64, skips bool) (map[string]int64, error) {
	manifest, chosen := map[string]int64{}, map[string]bool{}
	who := src.Choice()
	for _, t := range src.Tables() {
		manifest[t.Name] = t.Rows
		chosen[t.Name] = t.Unit != "" && (len(who.Persons) > 0 || who.Only)
	}
	complete := map[string]bool{}
	for _, name := range tables {
		complete[name] = manifest[name] == 0 // an empty table need not be scanned
	}
	whole := true
	for _, s := range scans {
		if _, asked := complete[s.Table]; !asked {
			return nil, errScan
		}
		switch rows := manifest[s.Table] - s.Left; {
		case s.Complete && s.Rows != rows, s.Rows > rows, s.Left != 0 && !chosen[s.Table]:
			return nil, errScan
		case s.Complete:
			complete[s.Table] = true
		default:
			whole = false
		}
	}
	out, all := map[string]int64{}, map[string]int64{}
	for name, ok := range complete {
		whole = whole && ok
		all[name] = manifest[name]
		if ok {
			out[name] = manifest[name]
		}
	}
	switch {
	case whole || empty(cells):
		return all, nil
	case skips && len(out) > 0:
		return out, nil
	}
	return nil, errScan
}

// empty says whether an answer is that of no rows: nothing, or zeros only.
func empty(cells [][]int64) bool {
	for _, column := range cells {
		for _, v := range column {
			if v != 0 {
				return false
			}
		}
	}
	return true
}
