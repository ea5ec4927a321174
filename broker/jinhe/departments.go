package jinhe

// department is a ward: how long people stay, what a day costs, what it treats, measures and prescribes.
type department struct {
	code    string
	stay    float64 // median days; 0 means mostly day cases
	spread  float64 // standard deviation of log days
	daily   float64 // CNY a day, grade 2A, 2018
	fixed   float64 // CNY a stay (operations)
	season  season
	cases   []diagnosis
	items   []int // indices of labItems
	drugs   []int // indices of drugs
	labRate float64
	rxRate  float64
}

// diagnosis is a principal diagnosis with its frequency among those whom age and sex allow it.
type diagnosis struct {
	code   string
	weight float64
	lo, hi float64 // age in years
	sex    byte    // 'm', 'f' or 0
}

// Departments by index; the order of the array below.
const (
	cardiology = iota
	neurology
	icu
	emergency
	respiratoryWard
	oncology
	surgery
	orthopaedics
	obstetrics
	paediatrics
	endocrinology
	nephrology
	gastroenterology
	infectious
	rehabilitation
	otherWard
	departmentCount
)

// stage is the part of life that decides which wards people come to.
type stage int

const (
	infant stage = iota
	child
	youngMan
	youngWoman
	middle
	old
	stages
)

func stageOf(age float64, male bool) stage {
	switch {
	case age < 2:
		return infant
	case age < 14:
		return child
	case age < 45 && male:
		return youngMan
	case age < 45:
		return youngWoman
	case age < 65:
		return middle
	default:
		return old
	}
}

// wardShare is how often each stage comes to each ward for something that is not an event of the registries.
var wardShare = [stages][departmentCount]float64{
	infant:     {cardiology: 1, respiratoryWard: 4, icu: 1, surgery: 2, paediatrics: 84, infectious: 4, otherWard: 4},
	child:      {respiratoryWard: 6, emergency: 5, surgery: 8, orthopaedics: 6, paediatrics: 62, infectious: 5, neurology: 2, otherWard: 6},
	youngMan:   {cardiology: 3, neurology: 4, icu: 0.6, emergency: 14, respiratoryWard: 9, oncology: 2, surgery: 20, orthopaedics: 18, endocrinology: 3, nephrology: 4, gastroenterology: 11, infectious: 6, rehabilitation: 1, otherWard: 12},
	youngWoman: {cardiology: 2, neurology: 3, icu: 0.4, emergency: 7, respiratoryWard: 5, oncology: 3, surgery: 9, orthopaedics: 5, obstetrics: 48, endocrinology: 4, nephrology: 3, gastroenterology: 5, infectious: 3, rehabilitation: 0.5, otherWard: 8},
	middle:     {cardiology: 12, neurology: 11, icu: 1, emergency: 6, respiratoryWard: 9, oncology: 10, surgery: 14, orthopaedics: 11, obstetrics: 4, endocrinology: 8, nephrology: 5, gastroenterology: 10, infectious: 3, rehabilitation: 3, otherWard: 8},
	old:        {cardiology: 18, neurology: 14, icu: 2, emergency: 5, respiratoryWard: 18, oncology: 9, surgery: 8, orthopaedics: 8, endocrinology: 7, nephrology: 5, gastroenterology: 7, infectious: 2, rehabilitation: 6, otherWard: 9},
}

var departments = [departmentCount]department{
	cardiology: {"cardiology", 7, .5, 1150, 0, winter, []diagnosis{
		{"I25.1", 30, 35, 120, 0}, {"I20.0", 16, 35, 120, 0}, {"I20.9", 6, 30, 120, 0}, {"I10", 16, 25, 120, 0}, {"I11.9", 6, 40, 120, 0},
		{"I48.9", 8, 40, 120, 0}, {"I50.0", 7, 50, 120, 0}, {"I50.9", 8, 50, 120, 0}, {"R07.4", 8, 10, 120, 0}, {"R55", 3, 10, 120, 0},
		{"Q21.1", 2, 0, 40, 0}, {"I26.9", 1, 30, 120, 0}}, []int{itemTroponin, itemLDL, itemPotassium, itemCreatinine}, []int{drugAspirin, drugAtorvastatin, drugMetoprolol, drugAmlodipine, drugClopidogrel, drugValsartan, drugRosuvastatin, drugRivaroxaban, drugFurosemide, drugEnalapril}, 1.2, 1.5},
	neurology: {"neurology", 8, .5, 900, 0, winter, []diagnosis{
		{"I69.3", 18, 45, 120, 0}, {"G45.9", 14, 40, 120, 0}, {"I67.9", 18, 45, 120, 0}, {"G40.9", 6, 2, 90, 0}, {"G20", 6, 50, 120, 0},
		{"R42", 14, 12, 120, 0}, {"G47.0", 6, 15, 120, 0}, {"H81.1", 6, 20, 120, 0}}, []int{itemLDL, itemGlucose, itemCreatinine}, []int{drugAspirin, drugAtorvastatin, drugClopidogrel, drugLevetiracetam, drugAmlodipine}, 1, 1.2},
	icu: {"icu", 8, .8, 4200, 3000, infection, []diagnosis{
		{"J96.0", 40, 0, 120, 0}, {"K85.9", 12, 18, 120, 0}, {"I50.9", 10, 50, 120, 0}, {"K92.2", 8, 20, 120, 0}, {"P07.3", 8, 0, 1, 0}, {"T14.9", 14, 3, 120, 0}},
		[]int{itemLactate, itemCRP, itemWBC, itemCreatinine, itemPotassium}, []int{drugNorepinephrine, drugMeropenem, drugPiperacillin, drugEnoxaparin, drugEsomeprazole}, 2.6, 2.4},
	emergency: {"emergency", 0, .6, 800, 200, steady, []diagnosis{
		{"R10.4", 24, 3, 120, 0}, {"T14.9", 20, 1, 120, 0}, {"S06.0", 14, 1, 120, 0}, {"R07.4", 10, 14, 120, 0}, {"R55", 8, 10, 120, 0}, {"A09.9", 14, 0, 120, 0}, {"R42", 10, 15, 120, 0}},
		[]int{itemWBC, itemCRP, itemTroponin, itemGlucose}, []int{drugIbuprofen, drugCeftriaxone, drugOmeprazole}, 0.8, 0.8},
	respiratoryWard: {"respiratory", 8, .5, 760, 0, respiratory, []diagnosis{
		{"J18.9", 28, 0, 120, 0}, {"J44.1", 24, 45, 120, 0}, {"J20.9", 12, 0, 120, 0}, {"J15.9", 8, 0, 120, 0}, {"J45.9", 6, 2, 120, 0}, {"J10.1", 5, 0, 120, 0},
		{"J06.9", 6, 0, 120, 0}, {"U07.1", 5, 5, 120, 0}, {"J96.0", 3, 50, 120, 0}}, []int{itemCRP, itemWBC, itemHaemoglobin}, []int{drugCeftriaxone, drugLevofloxacin, drugAzithromycin, drugAmbroxol, drugBudesonide, drugTiotropium, drugMethylprednisolone, drugOseltamivir}, 1.3, 1.6},
	oncology: {"oncology", 4, .7, 1500, 0, steady, []diagnosis{
		{"Z51.1", 44, 15, 90, 0}, {"C34.9", 16, 35, 120, 0}, {"C18.9", 6, 35, 120, 0}, {"C20", 5, 35, 120, 0}, {"C16.9", 7, 35, 120, 0}, {"C22.0", 6, 30, 120, 0},
		{"C50.9", 9, 25, 120, 'f'}, {"C53.9", 4, 25, 120, 'f'}, {"C61", 4, 50, 120, 'm'}, {"C73", 5, 18, 90, 0}, {"Z51.5", 4, 40, 120, 0}},
		[]int{itemHaemoglobin, itemWBC}, []int{drugCapecitabine, drugPaclitaxel, drugOxaliplatin, drugTramadol, drugZoledronic}, 1, 1.3},
	surgery: {"surgery", 6, .5, 850, 6500, steady, []diagnosis{
		{"K80.2", 22, 20, 120, 0}, {"K35.8", 20, 4, 90, 0}, {"K40.9", 16, 0, 120, 0}, {"I83.9", 8, 25, 120, 0}, {"N20.0", 12, 18, 120, 0}, {"N40", 8, 50, 120, 'm'},
		{"C73", 4, 18, 90, 0}, {"L03.9", 6, 5, 120, 0}}, []int{itemWBC, itemHaemoglobin, itemCRP}, []int{drugCeftriaxone, drugPiperacillin, drugOmeprazole, drugTramadol}, 0.9, 0.9},
	orthopaedics: {"orthopaedics", 9, .55, 620, 10500, steady, []diagnosis{
		{"M51.2", 20, 18, 120, 0}, {"S52.5", 14, 3, 120, 0}, {"S72.0", 10, 60, 120, 0}, {"M17.9", 16, 45, 120, 0}, {"S82.6", 10, 8, 120, 0}, {"S32.0", 8, 40, 120, 0},
		{"S22.3", 8, 18, 120, 0}, {"M47.9", 10, 30, 120, 0}, {"M81.9", 4, 55, 120, 'f'}}, []int{itemHaemoglobin, itemCRP}, []int{drugIbuprofen, drugTramadol, drugEnoxaparin, drugZoledronic}, 0.7, 0.9},
	obstetrics: {"obstetrics", 4, .35, 950, 1200, steady, []diagnosis{
		{"O80.0", 40, 16, 45, 'f'}, {"O82.0", 26, 18, 46, 'f'}, {"O34.2", 12, 20, 46, 'f'}, {"O60.1", 5, 16, 45, 'f'}, {"Z34.9", 8, 16, 46, 'f'}, {"D25.9", 12, 30, 60, 'f'}},
		[]int{itemHaemoglobin, itemGlucose}, []int{drugOxytocin, drugCeftriaxone}, 0.8, 0.6},
	paediatrics: {"paediatrics", 5, .4, 460, 0, respiratory, []diagnosis{
		{"J18.0", 34, 0, 14, 0}, {"J20.9", 20, 0, 14, 0}, {"J06.9", 12, 0, 14, 0}, {"A09.9", 14, 0, 14, 0}, {"P59.9", 20, 0, .1, 0}, {"P07.3", 6, 0, .1, 0}, {"J35.0", 6, 3, 14, 0}, {"J45.9", 4, 2, 14, 0}, {"E10.9", 1, 3, 14, 0}, {"G40.9", 2, 1, 14, 0}},
		[]int{itemCRP, itemWBC, itemHaemoglobin}, []int{drugCeftriaxone, drugAzithromycin, drugAmbroxol, drugBudesonide}, 0.9, 1},
	endocrinology: {"endocrinology", 8, .4, 600, 0, steady, []diagnosis{
		{"E11.9", 20, 25, 120, 0}, {"E11.2", 6, 35, 120, 0}, {"E11.5", 8, 35, 120, 0}, {"E05.9", 10, 14, 90, 0}, {"E03.9", 8, 14, 120, 0}, {"E78.5", 8, 20, 120, 0}, {"M10.9", 12, 20, 120, 'm'}, {"E10.9", 2, 3, 70, 0}},
		[]int{itemGlucose, itemHbA1c, itemLDL}, []int{drugMetformin, drugGlargine, drugGlimepiride, drugDapagliflozin, drugAtorvastatin}, 1.6, 1.6},
	nephrology: {"nephrology", 3, .8, 720, 0, steady, []diagnosis{
		{"N18.9", 26, 25, 120, 0}, {"N04.9", 12, 3, 90, 0}, {"N39.0", 30, 3, 120, 0}, {"E11.2", 10, 40, 120, 0}},
		[]int{itemCreatinine, itemPotassium, itemHaemoglobin}, []int{drugFurosemide, drugErythropoietin, drugValsartan, drugCeftriaxone}, 1.1, 1},
	gastroenterology: {"gastroenterology", 6, .45, 740, 300, steady, []diagnosis{
		{"K29.5", 26, 14, 120, 0}, {"K63.5", 22, 30, 120, 0}, {"K25.9", 12, 18, 120, 0}, {"K92.2", 10, 18, 120, 0}, {"K74.6", 8, 30, 120, 0}, {"K85.9", 9, 18, 120, 0}, {"K57.9", 4, 45, 120, 0}, {"D50.9", 6, 12, 120, 0}},
		[]int{itemHaemoglobin, itemWBC, itemPotassium}, []int{drugOmeprazole, drugEsomeprazole, drugCeftriaxone}, 0.9, 1},
	infectious: {"infectious", 8, .5, 680, 0, infection, []diagnosis{
		{"B18.1", 26, 20, 90, 0}, {"A15.0", 16, 10, 120, 0}, {"B34.9", 20, 0, 120, 0}, {"A09.9", 14, 0, 120, 0}, {"L03.9", 8, 5, 120, 0}, {"U07.1", 10, 3, 120, 0}},
		[]int{itemCRP, itemWBC, itemHaemoglobin}, []int{drugEntecavir, drugLevofloxacin, drugCeftriaxone, drugOseltamivir}, 1.1, 1},
	rehabilitation: {"rehabilitation", 16, .4, 380, 0, steady, []diagnosis{
		{"Z50.9", 50, 10, 120, 0}, {"I69.3", 30, 45, 120, 0}, {"M47.9", 14, 30, 120, 0}}, []int{itemLDL, itemGlucose}, []int{drugAspirin, drugAtorvastatin, drugSertraline}, 0.4, 0.7},
	otherWard: {"other", 4, .6, 520, 900, steady, []diagnosis{
		{"H25.9", 22, 50, 120, 0}, {"H91.2", 8, 15, 90, 0}, {"F32.9", 10, 12, 90, 0}, {"F20.9", 6, 16, 80, 0}, {"F41.1", 8, 14, 90, 0}, {"L40.0", 8, 8, 90, 0}, {"M06.9", 8, 25, 120, 0}, {"D64.9", 8, 5, 120, 0}, {"J35.0", 12, 3, 40, 0}},
		[]int{itemWBC, itemGlucose}, []int{drugOlanzapine, drugSertraline, drugIbuprofen, drugMethylprednisolone}, 0.5, 0.8},
}

// rareCodes are diagnoses that the catalogue does not declare: a build folds them to "other".
var rareCodes = [...]string{"E75.2", "G10", "Q87.4", "D84.1", "E84.9", "G12.2", "M33.1", "Q78.0", "E83.0", "G71.0"}

const rareShare = 0.002

// Laboratory items by index.
const (
	itemGlucose = iota
	itemHbA1c
	itemLDL
	itemCreatinine
	itemTroponin
	itemLactate
	itemWBC
	itemHaemoglobin
	itemCRP
	itemPotassium
)

// labItem has the median and the spread of logs of people without a reason to differ.
type labItem struct {
	code, unit     string
	median, spread float64
}

var labItems = [...]labItem{
	itemGlucose: {"glucose", "mmol/L", 5.4, .12}, itemHbA1c: {"hba1c", "%", 5.6, .07}, itemLDL: {"ldl", "mmol/L", 2.8, .26},
	itemCreatinine: {"creatinine", "umol/L", 72, .24}, itemTroponin: {"troponin", "ng/L", 8, .6}, itemLactate: {"lactate", "mmol/L", 1.4, .35},
	itemWBC: {"wbc", "10^9/L", 6.8, .28}, itemHaemoglobin: {"haemoglobin", "g/L", 134, .11}, itemCRP: {"crp", "mg/L", 6, 1}, itemPotassium: {"potassium", "mmol/L", 4.1, .09},
}

// drug has a price of one pack in 2018. Procured says that the national procurement by volume cut it in 2020.
type drug struct {
	code     string
	price    float64
	procured bool
}

// Drugs by index.
const (
	drugOmeprazole = iota
	drugEsomeprazole
	drugGlargine
	drugMetformin
	drugGlimepiride
	drugDapagliflozin
	drugEnoxaparin
	drugClopidogrel
	drugAspirin
	drugTicagrelor
	drugAlteplase
	drugRivaroxaban
	drugErythropoietin
	drugNorepinephrine
	drugFurosemide
	drugMetoprolol
	drugAmlodipine
	drugEnalapril
	drugValsartan
	drugAtorvastatin
	drugRosuvastatin
	drugOxytocin
	drugMethylprednisolone
	drugPiperacillin
	drugCeftriaxone
	drugMeropenem
	drugAzithromycin
	drugLevofloxacin
	drugVancomycin
	drugEntecavir
	drugOseltamivir
	drugCapecitabine
	drugPaclitaxel
	drugOxaliplatin
	drugIbuprofen
	drugZoledronic
	drugTramadol
	drugLevetiracetam
	drugOlanzapine
	drugSertraline
	drugBudesonide
	drugTiotropium
	drugAmbroxol
)

var drugs = [...]drug{
	drugOmeprazole: {"A02BC01", 28, true}, drugEsomeprazole: {"A02BC05", 76, true}, drugGlargine: {"A10AE04", 178, true}, drugMetformin: {"A10BA02", 28, true},
	drugGlimepiride: {"A10BB12", 42, true}, drugDapagliflozin: {"A10BK01", 125, false}, drugEnoxaparin: {"B01AB05", 52, true}, drugClopidogrel: {"B01AC04", 108, true},
	drugAspirin: {"B01AC06", 16, false}, drugTicagrelor: {"B01AC24", 136, true}, drugAlteplase: {"B01AD02", 3700, false}, drugRivaroxaban: {"B01AF01", 280, true},
	drugErythropoietin: {"B03XA01", 46, false}, drugNorepinephrine: {"C01CA03", 38, false}, drugFurosemide: {"C03CA01", 9, false}, drugMetoprolol: {"C07AB02", 24, false},
	drugAmlodipine: {"C08CA01", 32, true}, drugEnalapril: {"C09AA02", 22, true}, drugValsartan: {"C09CA03", 36, true}, drugAtorvastatin: {"C10AA05", 62, true},
	drugRosuvastatin: {"C10AA07", 58, true}, drugOxytocin: {"H01BB02", 12, false}, drugMethylprednisolone: {"H02AB04", 34, false}, drugPiperacillin: {"J01CR05", 88, false},
	drugCeftriaxone: {"J01DD04", 26, true}, drugMeropenem: {"J01DH02", 182, false}, drugAzithromycin: {"J01FA10", 30, true}, drugLevofloxacin: {"J01MA12", 34, true},
	drugVancomycin: {"J01XA01", 160, false}, drugEntecavir: {"J05AF10", 170, true}, drugOseltamivir: {"J05AH02", 145, false}, drugCapecitabine: {"L01BC06", 430, true},
	drugPaclitaxel: {"L01CD01", 980, true}, drugOxaliplatin: {"L01XA03", 760, true}, drugIbuprofen: {"M01AE01", 18, false}, drugZoledronic: {"M05BA08", 890, true},
	drugTramadol: {"N02AX02", 26, false}, drugLevetiracetam: {"N03AX14", 168, true}, drugOlanzapine: {"N05AH03", 82, true}, drugSertraline: {"N06AB06", 74, true},
	drugBudesonide: {"R03AK07", 228, false}, drugTiotropium: {"R03BB04", 338, false}, drugAmbroxol: {"R05CB06", 30, true},
}

// manufacturers are invented.
var manufacturers = [...]string{"bayan-pharma", "dongwen-bio", "jinhe-pharma", "linjiang-medical", "nanping-biotech", "other", "qingyan-drugs", "yunling-herbal"}
