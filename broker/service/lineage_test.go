package service_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/policy"
)

// chongqing-stat goes by lineage: whatever a drug column is called on its way, and wherever it and a maker, prescriber, department or
// hospital meet in a statement, the statistic is refused unless the grant names it; and what only looks like one is not.
func TestDrugStatisticsByLineage(t *testing.T) {
	t.Parallel()
	c := moulds.Shared(t)
	refusedFor := func(sql string) (bool, error) {
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
	for _, sql := range []string{
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
	} {
		if no, err := refusedFor(sql); err != nil || !no {
			t.Errorf("%s: refused %v, %v", sql, no, err)
		}
	}
	for _, sql := range []string{
		`SELECT department, AVG(total_cost) FROM encounter GROUP BY department`,
		`SELECT outcome, AVG(drug_cost) FROM encounter GROUP BY outcome`,
	} {
		if no, err := refusedFor(sql); err != nil || no {
			t.Errorf("%s: refused %v, %v", sql, no, err)
		}
	}
}
