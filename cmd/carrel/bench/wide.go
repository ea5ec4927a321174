package main

import (
	"fmt"
	"strings"
)

const (
	wideName   = "chongqing-size"
	wideFields = 7138 // of the largest catalogue of a region that is known of
	wideTables = 86
)

// wideYAML is one dataset of so many fields, labelled, bounded and mapped as real ones are; hardly two labels are alike.
func wideYAML() []byte {
	things := []string{"血压", "血糖", "肌酐", "心率", "体温", "白细胞", "血红蛋白", "尿酸", "胆固醇", "用药", "手术", "麻醉", "随访", "入院", "出院", "转诊", "费用", "护理"}
	english := []string{"Blood pressure", "Glucose", "Creatinine", "Heart rate", "Temperature", "Leucocytes", "Haemoglobin", "Urate", "Cholesterol", "Medication", "Operation",
		"Anaesthesia", "Follow-up", "Admission", "Discharge", "Referral", "Cost", "Nursing"}
	var b strings.Builder
	fmt.Fprintf(&b, `dataset: %s
title: {zh: 区域健康医疗数据目录, en: Catalogue of a region's health data}
region: "500000"
owner: jinhe-health-commission
provider: [jinhe-first-hospital]
operator: jinhe-health-information-centre
class: clinical
level: 3
synthetic: true
universe: %[1]s
permitted_uses: {duo: [GRU], purposes: [research]}
privacy_unit: {column: person_id, register: person-register}
tables:
`, wideName)
	for t, f := 0, 0; t < wideTables; t++ {
		fmt.Fprintf(&b, "  t%d:\n    label: {zh: 第%d表%s记录, en: %s records %[2]d}\n    row_key: k%[1]d\n    rows_per_person: {max: 40, reason: \"a notice\"}\n    fields:\n", t, t+1, things[t%len(things)], english[t%len(english)])
		for ; f < wideFields*(t+1)/wideTables; f++ {
			fmt.Fprintf(&b, "      f%d: {label: {zh: %s%s第%d项数值, en: %s by %s %[4]d}, item: WS 363-2011 / DE04.%05[1]d.00, type: int, unit: mmol/L, role: sensitive, level: 3, bounds: {min: 0, max: %[7]d, reason: \"a notice\"}, missing: null}\n",
				f, things[f%len(things)], things[f/len(things)%len(things)], f, english[f%len(english)], english[f/len(english)%len(english)], 100+f)
		}
	}
	return []byte(b.String())
}
