package service_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// lineageOf asks whether a statement is refused for the statistic that it makes.
func lineageOf(t *testing.T, c *servicetest.City) func(sql string) (bool, error) {
	t.Helper()
	return func(sql string) (bool, error) {
		x, err := c.Jobs.Explain(context.WithoutCancel(t.Context()), c.Who(t, "li"), job.Ask{Grant: c.Grant, SQL: sql, RowsPerPerson: map[string]int64{"*": 1}})
		var p *problem.Error
		if errors.As(err, &p) && p.Decision != nil {
			for _, r := range p.Decision.Reasons {
				if r.Rule == "chongqing-stat/lineage" {
					return true, nil
				}
			}
		}
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(x.Reasons, func(r policy.Reason) bool { return !x.Allowed && r.Rule == "chongqing-stat/lineage" }), nil
	}
}

// tellsStatistics holds that each of these statements is refused for its statistic, and none of those.
func tellsStatistics(t *testing.T, c *servicetest.City, refused, allowed []string) {
	t.Helper()
	refusedFor := lineageOf(t, c)
	for _, sql := range refused {
		if no, err := refusedFor(sql); err != nil || !no {
			t.Errorf("%s: refused %v, %v", sql, no, err)
		}
	}
	for _, sql := range allowed {
		if no, err := refusedFor(sql); err != nil || no {
			t.Errorf("%s: refused %v, %v", sql, no, err)
		}
	}
}

// chongqing-stat goes by lineage: whatever a drug column is called on its way, and wherever it and a maker, prescriber, department or
// hospital meet in a statement, the statistic is refused unless the grant names it; and what only looks like one is not.
func TestDrugStatisticsByLineage(t *testing.T) {
	t.Parallel()
	tellsStatistics(t, moulds.Shared(t), []string{
		`SELECT department, AVG(drug_cost) FROM encounter GROUP BY department`,
		`SELECT d AS ward, AVG(x) AS y FROM (SELECT person_id, department AS d, drug_cost AS x FROM encounter) q GROUP BY d`,
		`WITH a AS (SELECT person_id, department AS w, drug_cost AS c FROM encounter), b AS (SELECT person_id, w AS v, c AS u FROM a) SELECT v, SUM(u) FROM b GROUP BY v`,
		`SELECT AVG(drug_cost) FROM encounter WHERE department = 'cardiology'`,
		`SELECT COUNT(*) FROM encounter WHERE drug_cost > 1000 AND department = 'cardiology'`,
		`SELECT AVG(CASE WHEN department = 'cardiology' THEN drug_cost ELSE 0 END) FROM encounter`,
		`SELECT SUM(drug_cost) FILTER (WHERE department = 'cardiology') FROM encounter`,
		`SELECT COUNT(*) FROM encounter WHERE department = 'cardiology' GROUP BY CASE WHEN drug_cost > 1000 THEN 'a' ELSE 'b' END`,
		`SELECT h.grade, AVG(e.drug_cost) FROM encounter e JOIN hospital h ON e.hospital_id = h.hospital_id GROUP BY h.grade`,
		`SELECT AVG(total_cost - drug_cost) FROM encounter WHERE hospital_id = 'H01'`,
		`SELECT a.department, COUNT(*) FROM encounter a WHERE EXISTS (SELECT 1 FROM encounter b WHERE b.person_id = a.person_id AND b.drug_cost > 1000) GROUP BY a.department`,
		`WITH m AS (SELECT person_id, MAX(drug_cost) AS top FROM encounter GROUP BY person_id) SELECT e.department, AVG(m.top) FROM encounter e JOIN m ON e.person_id = m.person_id GROUP BY e.department`,
		`SELECT department, AVG(total_cost) FROM encounter GROUP BY department HAVING AVG(drug_cost) > 100`,
	}, []string{
		`SELECT department, AVG(total_cost) FROM encounter GROUP BY department`,
		`SELECT outcome, AVG(drug_cost) FROM encounter GROUP BY outcome`,
	})
}

// The same of a dataset whose columns are called otherwise: what is a drug and what a department, its entry marks.
func TestDrugStatisticsByMarks(t *testing.T) {
	t.Parallel()
	tellsStatistics(t, newMimic(t, 0.5).City, []string{
		`SELECT i.unit, COUNT(*) FROM prescription p JOIN icustay i ON i.person_id = p.person_id AND i.admission_id = p.admission_id WHERE p.drug = 'insulin' GROUP BY i.unit`,
		`SELECT i.unit AS place, COUNT(*) AS n FROM prescription p JOIN icustay i ON i.person_id = p.person_id AND i.admission_id = p.admission_id GROUP BY i.unit`,
		`SELECT w, COUNT(*) FROM (SELECT person_id, admission_id AS a, unit AS w FROM icustay) s JOIN prescription p ON p.person_id = s.person_id AND p.admission_id = s.a WHERE p.drug = 'heparin' GROUP BY w`,
		`WITH o AS (SELECT person_id, admission_id AS a, drug AS d FROM prescription), s AS (SELECT person_id, admission_id AS a, unit AS w FROM icustay)
			SELECT d, COUNT(*) FROM o JOIN s ON s.person_id = o.person_id AND s.a = o.a WHERE w = 'micu' GROUP BY d`,
		`SELECT p.drug, COUNT(*) FROM prescription p WHERE EXISTS (SELECT 1 FROM icustay i WHERE i.person_id = p.person_id AND i.unit = 'sicu') GROUP BY p.drug`,
		`SELECT COUNT(*) FROM icustay i WHERE i.unit = 'ccu' AND EXISTS (SELECT 1 FROM prescription p WHERE p.person_id = i.person_id AND p.drug = 'propofol')`,
		`SELECT unit, AVG(k) FROM (SELECT i.person_id, i.unit, m.k FROM icustay i JOIN (SELECT person_id, COUNT(DISTINCT drug) AS k FROM prescription GROUP BY person_id) m ON m.person_id = i.person_id) q GROUP BY unit`,
	}, []string{
		`SELECT unit, AVG(days) FROM icustay GROUP BY unit`,
		`SELECT drug, COUNT(*) FROM prescription GROUP BY drug`,
		`SELECT p.drug, AVG(a.died) FROM prescription p JOIN admission a ON a.person_id = p.person_id AND a.admission_id = p.admission_id GROUP BY p.drug`,
	})
}
