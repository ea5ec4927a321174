package profile

import (
	"strings"
	"unicode"

	"carrel/anonymize/identifier"
)

// hint is what the name of a column says.
type hint struct {
	role  Role
	kind  identifier.Kind
	level int
	quasi bool
	icd9  bool
	key   bool // it is called a number, an id or a key
}

// entry is one line of the lexicon: names in English as words in order, in Chinese as parts of the name.
type entry struct {
	hint
	en, zh string // alternatives, separated by commas
}

// lexicon is searched from top to bottom: what is more particular stands first.
func lexicon() []entry {
	id := func(k identifier.Kind, en, zh string) entry {
		return entry{hint{role: Identifier, kind: k, level: 4}, en, zh}
	}
	of := func(r Role, level int, quasi bool, en, zh string) entry {
		return entry{hint{role: r, level: level, quasi: quasi}, en, zh}
	}
	return []entry{
		of(Measure, 3, false, "time in hospital,length of stay,los,days,num lab,num procedures,num medications,number outpatient,number emergency,number inpatient,number diagnoses,count,quantity,weight,height,bmi", "天数,次数,数量,体重,身高"),
		of(DeathDate, 3, true, "dod,dod hosp,dod ssn,deathtime,death date,date of death,deceased date time,death time", "死亡日期,死亡时间,死亡年月"),
		of(Staff, 3, false, "prescriber,physician,doctor,provider,nurse,caregiver,cgid,editedby,canceledby,operator,surgeon,practitioner,attending,anaesthetist", "医生,医师,护士,术者,麻醉师,操作者,审核人,录入人,开单人,执行人,报告人"),
		id(identifier.ResidentID, "id number,id card,idcard,identity number,identity card,national id,resident id,idno,id no,identification number", "身份证,公民身份号码,证件号"),
		id(identifier.Passport, "passport", "护照"),
		id(identifier.HKMTPermit, "travel permit", "通行证,回乡证,台胞证"),
		id(identifier.InsuranceCard, "insurance card,insurance no,insurance number,insurance id,member id,policy number,health plan,beneficiary", "医保卡,社保卡,医保号,社保号,参保号,医保编号,医保个人编号"),
		id(identifier.SSN, "ssn,social security", "社会保障号"),
		id(identifier.MBI, "mbi,medicare number", ""),
		id(identifier.NPI, "npi", ""),
		id(identifier.DEA, "dea number,dea no", ""),
		id(identifier.Mobile, "mobile,cellphone,cell phone,phone,telephone,tel,contact number,fax,telecom value", "手机,电话,联系方式,传真"),
		id(identifier.Email, "email,e mail,mail address", "邮箱,电子邮件"),
		id(identifier.Messenger, "wechat,weixin,qq", "微信"),
		id(identifier.Plate, "license plate,licence plate,plate number", "车牌"),
		id(identifier.VIN, "vin,vehicle identification", "车架号"),
		id(identifier.IP, "ip address,ip addr", "IP地址"),
		id(identifier.MAC, "mac address,mac addr", "MAC地址"),
		id(identifier.DeviceID, "udi,device serial,serial number,serial no,device identifier,device id,imei", "设备序列号,器械编号,序列号"),
		id(identifier.URL, "url,website,web address,homepage", "网址"),
		id(identifier.CreditCode, "credit code,uscc", "社会信用代码"),
		id(identifier.OrgCode, "organisation code,organization code", "组织机构代码"),
		id(identifier.BankCard, "bank card,bank account,account number,account no,iban,credit card", "银行卡,银行账号,账号,帐号"),
		id(identifier.Licence, "licence number,license number,licence no,license no,certificate number,certificate no,driver license,driving licence", "执业证,资格证,证书编号,驾驶证"),
		id(identifier.Biometric, "photo,photograph,picture,face image,portrait,fingerprint,iris,voiceprint,retina", "照片,头像,指纹,人脸,虹膜,声纹"),
		of(BirthDate, 3, true, "dob,birth date,birthdate,date of birth,birthday,birth", "出生日期,出生年月,生日"),
		of(BirthYear, 3, true, "birth year,year of birth,yob", "出生年份,出生年"),
		id(identifier.RecordNumber, "identifier value,mrn,medical record,record number,record no,admission no,admission number,inpatient no,outpatient no,visit no,accession,specimen id,barcode", "病案号,住院号,门诊号,就诊号,登记号,检查号,影像号,标本号,条码,病历号,流水号,就诊卡号"),
		id(identifier.Bed, "bed,bed no,bed number", "床号,床位"),
		id(identifier.HanName, "patient name,person name,full name,first name,last name,given name,family name,surname,middle name,maiden name,contact name,guardian name,name family,name given,name text", "姓名,患者名,病人名,联系人,监护人,家属,曾用名,户主"),
		id(identifier.Address, "address,street,addr,residence,address line", "地址,住址,户籍地,籍贯,居住地,出生地,家庭住址,现住"),
		of(Region, 3, true, "district code,district,region,county,city,province,state,prefecture,native country,country,ward code,area code", "行政区划,区划,区县,地区,省份,城市,街道,乡镇"),
		of(PostalCode, 3, true, "zip,zipcode,zip code,postcode,postal code,post code", "邮编,邮政编码"),
		of(Age, 3, true, "age,age years,age at admission", "年龄,岁数"),
		of(Sex, 3, true, "sex,gender", "性别"),
		{hint{role: Diagnosis, level: 5}, "hiv,aids,psychiatric,psychiatry,genotype,gene,genetic,syphilis,std", "艾滋,性病,梅毒,精神,基因,遗传,心理"},
		{hint{role: Diagnosis, level: 3, icd9: true}, "icd9,icd9 code,icd 9,diag,diag 1,diag 2,diag 3", "ICD9,ICD-9"},
		of(Diagnosis, 3, false, "icd10,icd 10,icd,diagnosis,diagnoses,dx,disease,condition code,comorbidity,cause of death", "诊断,疾病,病种,死因,并发症,ICD"),
		of(Outcome, 3, false, "outcome,readmitted,expire flag,mortality,discharge disposition,outcome 30d,outcome 28d", "转归,结局,离院方式"),
		of(Money, 3, false, "cost,charge,charges,fee,price,amount paid,total cost,drug cost,payment", "费用,金额,价格,自付,报销"),
		of(Treatment, 3, false, "drug,medication,procedure,prescription,dose,route,surgery,operation,therapy,ndc,cpt,formulary,insulin,treatment", "药品,用药,手术,治疗,处方,剂量,给药"),
		of(Laboratory, 3, false, "lab,itemid,test,specimen,loinc,valuenum,result,value,observation", "检验,检查,化验,结果"),
		of(Social, 3, true, "race,ethnicity,ethnic,marital,marital status,religion,language,occupation,education,insurance,insurance type,payer,payer code,workclass,relationship,income", "民族,婚姻,职业,文化程度,学历,宗教,医保类型,付费方式,险种,国籍"),
		of(Place, 2, true, "hospital,hospital id,department,dept,ward,careunit,wardid,facility,specialty,service,medical specialty,location", "医院,科室,病区,机构,院区"),
		of(EventDate, 3, true, "date,time,admitted,discharged,admittime,dischtime,charttime,starttime,endtime,storetime", "日期,时间"),
	}
}

// personNames are names of the column that names the person, the more particular first.
func personNames() []string {
	return []string{"subject_id", "patient_id", "patientid", "patient_nbr", "patient_no", "person_id", "person_no", "personid", "pat_id", "patid", "empi", "pid", "患者id", "患者编号", "患者标识", "病人id", "病人编号", "患者主索引", "个人编号", "patient", "subject", "person", "mrn", "id_number", "身份证号", "身份证号码"}
}

// guessPerson finds the column that names the person, -1 for none.
func guessPerson(header []string) int {
	for _, want := range personNames() {
		for i, h := range header {
			if strings.EqualFold(strings.TrimSpace(h), want) {
				return i
			}
		}
	}
	return -1
}

// guessPersonPath is the same for FHIR: the patient's own id, or a reference to it.
func guessPersonPath(path string) bool {
	if path == "Patient.id" {
		return true
	}
	_, rest, found := strings.Cut(path, ".")
	return found && (rest == "subject.reference" || rest == "patient.reference")
}

// words cuts a name into lower-case words: at signs, between small and capital letters, between Latin letters and others.
func words(name string) string {
	var b strings.Builder
	var prev rune
	for _, r := range name {
		switch {
		case unicode.IsUpper(r) && unicode.IsLower(prev):
			b.WriteByte(' ')
			b.WriteRune(unicode.ToLower(r))
		case prev != 0 && (r < 0x80) != (prev < 0x80) && unicode.IsLetter(r) && unicode.IsLetter(prev): // HIV检测
			b.WriteByte(' ')
			b.WriteRune(unicode.ToLower(r))
		case r == '_' || r == '-' || r == '.' || r == ' ' || r == '/' || r == '(' || r == ')':
			b.WriteByte(' ')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
		prev = r
	}
	return " " + strings.Join(strings.Fields(b.String()), " ") + " "
}

// reader looks names up.
type reader struct{ entries []entry }

func newReader() *reader { return &reader{lexicon()} }

// hint is what a name says. Of a path the end counts: Patient.birthDate, Patient.name.family.
func (l *reader) hint(name string) hint {
	h := l.look(name)
	h.key = keyName(name)
	return h
}

func (l *reader) look(name string) hint {
	w, low := words(name), strings.ToLower(name)
	for _, e := range l.entries {
		for _, en := range strings.Split(e.en, ",") {
			if en != "" && strings.Contains(w, " "+en+" ") {
				return e.hint
			}
		}
		for _, zh := range strings.Split(e.zh, ",") {
			if zh != "" && strings.Contains(low, strings.ToLower(zh)) {
				return e.hint
			}
		}
	}
	return hint{}
}
