package institution

import (
	"time"

	"carrel/policy"
)

// Demo is the register of the made-up city: its health commission, the centre that operates the service under its commission, the
// university, the quality-control centre, and the commission of the province above.
func Demo(now time.Time) []Institution {
	const (
		province   = "sichuan-health-commission"
		commission = "jinhe-health-commission"
		city       = "519900" // no place has this code
	)
	today, years := policy.DateOf(now), policy.DateOf(now.AddDate(3, 0, 0))
	joined := &Connection{Platform: "jinhe-municipal-platform", From: today}
	return []Institution{
		{ID: province, NameZH: "四川省卫生健康委员会", NameEN: "Health Commission of Sichuan", Level: "province", Region: "510000", Department: "规划信息处", Post: "数据管理岗"},
		{ID: commission, NameZH: "金河市卫生健康委员会", NameEN: "Health Commission of Jinhe", Level: "city", Region: city, Supervisor: province,
			Department: "信息统计科", Post: "数据管理岗", Connection: joined},
		{ID: "jinhe-health-information-centre", NameZH: "金河市卫生健康信息中心", NameEN: "Health Information Centre of Jinhe", Level: "city", Region: city, Supervisor: commission,
			Kind: "operator", Department: "数据运营部", Post: "运营主管岗", Connection: joined,
			Commission: &Commission{By: commission, Document: "sha256:6f1d2f0c7e0b2a4d8c9e5b3a1f7d6c4e2b0a9f8e7d6c5b4a3f2e1d0c9b8a7f6e", From: today, Until: years}},
		{ID: "jinhe-university", NameZH: "金河大学", NameEN: "University of Jinhe", Level: "city", Region: city, Supervisor: commission,
			Department: "科研数据中心", Post: "数据管理岗", Connection: joined},
		{ID: "jinhe-qc-centre", NameZH: "金河市脑卒中质量控制中心", NameEN: "Quality Control Centre for Stroke of Jinhe", Level: "city", Region: city, Supervisor: commission,
			Department: "质控办公室", Post: "数据管理岗", Connection: joined},
		{ID: "jinhe-first-hospital", NameZH: "金河市第一医院", NameEN: "First Hospital of Jinhe", Level: "city", Region: city, Supervisor: commission,
			Department: "病案统计科", Post: "数据管理岗", Connection: joined},
		{ID: "jinhe-data-laboratory", NameZH: "金河健康数据实验室", NameEN: "Health Data Laboratory of Jinhe", Level: "city", Region: city, Supervisor: commission,
			Department: "数据处理部", Post: "数据管理岗", Connection: joined},
		{ID: "jinhe-cyberspace-administration", NameZH: "金河市网信办", NameEN: "Cyberspace Administration of Jinhe", Level: "city", Region: city, Supervisor: commission,
			Department: "数据安全科", Post: "数据管理岗"},
	}
}
