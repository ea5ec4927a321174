package jinhe

import (
	"fmt"
	"os"

	"carrel/broker/catalogue"
)

// The code lists of the city, as the catalogue names them.
const (
	listICD      = "icd10@jinhe-1"
	listHospital = "hospital@jinhe-1"
	listDistrict = "district@jinhe-1"
)

var publicTables = [...]tableDef{
	{"hospital", []column{{"hospital_id", text}, {"name", text}, {"district", text}, {"grade", text}}},
	{"icd10", []column{{"code", text}, {"name_zh", text}, {"name_en", text}, {"chapter", text}}},
	{"district", []column{{"code", text}, {"name", text}}},
}

// writePublic writes the public tables. They are the same for every seed: a public table is not of the data.
func (o *output) writePublic(rows map[string]int64) error {
	lists, err := catalogue.Embedded()
	if err != nil {
		return err
	}
	dates := newCalendar()
	for i := range publicTables {
		t := &publicTables[i]
		var s sink
		c, a := &csvSink{dates: dates}, (*arrowSink)(nil)
		if s = c; o.format == Parquet {
			a = newArrowSink(t)
			s = a
		}
		n, err := fill(t.name, lists, s)
		if err != nil {
			return err
		}
		rows[t.name] = n
		if err := o.savePublic(t, c, a); err != nil {
			return fmt.Errorf("jinhe: write %s: %w", t.name, err)
		}
	}
	return nil
}

func (o *output) savePublic(t *tableDef, c *csvSink, a *arrowSink) error {
	if a == nil {
		return os.WriteFile(o.path(t.name), append([]byte(header(t)), c.buf...), 0o600)
	}
	f, err := os.OpenFile(o.path(t.name), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	p, err := newParquetFile(f, t)
	if err != nil {
		_ = f.Close()
		return err
	}
	if _, err := p.write(a); err != nil {
		_ = f.Close()
		return err
	}
	return p.close()
}

// fill writes the rows of a public table from its code list. The member "other" is where undeclared values go, and
// no row of its own: a join on it finds nothing.
func fill(table string, lists *catalogue.Lists, s sink) (int64, error) {
	name := map[string]string{"hospital": listHospital, "icd10": listICD, "district": listDistrict}[table]
	list, ok := lists.Get(name)
	if !ok {
		return 0, fmt.Errorf("jinhe: code list %s is missing", name)
	}
	rows := int64(0)
	for _, c := range list.Codes {
		if c.Code == catalogue.Other {
			continue
		}
		s.raw([]byte(c.Code))
		s.raw([]byte(c.Label.ZH))
		switch table {
		case "hospital":
			s.raw([]byte(c.Parent))
			s.str(gradeOf(c.Code))
		case "icd10":
			s.raw([]byte(c.Label.EN))
			s.raw([]byte(c.Parent))
		}
		s.end()
		rows++
	}
	return rows, nil
}

func gradeOf(hospital string) string {
	for i := range hospitals {
		if hospitals[i].id == hospital {
			return hospitals[i].grade
		}
	}
	return catalogue.Other
}
