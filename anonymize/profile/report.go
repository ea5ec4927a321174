package profile

// Report is what a profile says. It holds no value of the data.
type Report struct {
	Tables []Table `json:"tables"`
	// Caution is in every report: what it must not be used for.
	Caution Text    `json:"caution"`
	Seconds float64 `json:"seconds"`
	// Dataset is what proposals call it.
	Dataset string `json:"dataset"`
}

// Text is a sentence in both languages.
type Text struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// In picks a language.
func (t Text) In(lang string) string {
	if lang == "zh" {
		return t.ZH
	}
	return t.EN
}

// Table is one table, or the resources of one type in FHIR.
type Table struct {
	Name   string `json:"name"`
	File   string `json:"file"`
	Format string `json:"format"` // csv, parquet, json, fhir
	// More are the other files of a table that comes in several, named alike and with the same columns.
	More []string `json:"more_files,omitempty"`
	Rows int64    `json:"rows"`
	// Person is the column that names the person, "" where none is known: then every row counts as a person of its own.
	Person string `json:"person,omitempty"`
	// PersonBy says where that is from: given, or name.
	PersonBy string   `json:"person_by,omitempty"`
	Persons  int64    `json:"persons,omitempty"` // about, where there are more than 65,536
	OneEach  bool     `json:"one_row_a_person,omitempty"`
	Columns  []Column `json:"columns"`
	// SampleRows stand for the combinations; all rows of a person are in, or none.
	SampleRows    int64         `json:"sample_rows"`
	SamplePersons int64         `json:"sample_persons"`
	SampleShare   float64       `json:"sample_share"`
	Combinations  []Combination `json:"combinations,omitempty"`

	separator byte
}

// Column is one column.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // integer, decimal, date, time, code, text, mixed, none
	// What is its role in words of a list, Kind the identifier it is, or "".
	What Role   `json:"what"`
	Kind string `json:"kind,omitempty"`
	// SafeHarbor is the letter in HIPAA's list.
	SafeHarbor string `json:"safe_harbor,omitempty"`
	// Sure is the share of values that fit the kind or role; By says what decided: values, name, both, or rest, where nothing
	// was found and the column has words of a list.
	Sure     float64 `json:"sure"`
	By       string  `json:"by"`
	Distinct int64   `json:"distinct"`
	Exact    bool    `json:"distinct_exact"`
	Missing  float64 `json:"missing"` // share
	// Looked is how many values the kinds were looked for in; the rest were only counted.
	Looked int64 `json:"looked"`
	// Level is that of GB/T 39725, 1 to 5; Level5 counts values on the list of level 5.
	Level  int   `json:"level"`
	Level5 int64 `json:"level5_values,omitempty"`
	// Kinds are the shares of all kinds that values fit, InText how many identifiers stand inside longer texts.
	Kinds  []Share `json:"kinds,omitempty"`
	InText []Count `json:"in_text,omitempty"`
	// Quasi: it takes part in the combinations. Alone is the share of persons whom the column alone singles out, Small that of rows in classes
	// of fewer than five persons.
	Quasi bool    `json:"quasi,omitempty"`
	Alone float64 `json:"alone"`
	Small float64 `json:"small"`
	// Proposal is the step of a recipe, Why its reason.
	Proposal string `json:"proposal"`
	Why      Text   `json:"why"`

	set  *distinct // of keys: their values' hashes
	mark string    // the sign for missing values that it uses
	keys string    // the table whose row key it is, or refers to
	made string    // its name in the extract, "" where it is dropped
	kind string    // the catalogue's type of what is made

	several bool // a record may hold more than one value of it
}

// Share is a kind and the share of values that fit it.
type Share struct {
	Kind  string  `json:"kind"`
	Share float64 `json:"share"`
}

// Count is a kind and how often it was found.
type Count struct {
	Kind  string `json:"kind"`
	Count int64  `json:"count"`
}

// Combination is what some columns tell together.
type Combination struct {
	Columns []string `json:"columns"`
	Alone   float64  `json:"alone"`
	Small   float64  `json:"small"`
}

// Role is what a column is for.
type Role string

// The roles.
const (
	Empty      Role = "empty"
	Person     Role = "person"     // names the person in the source's own way
	Identifier Role = "identifier" // one of package identifier's direct kinds
	Mixed      Role = "mixed"      // some values identify
	RowKey     Role = "row-key"
	Reference  Role = "reference" // to another table's row
	Unique     Role = "unique"    // nearly every value once, and no reason known
	Staff      Role = "staff"
	BirthDate  Role = "birth-date"
	BirthYear  Role = "birth-year"
	DeathDate  Role = "death-date"
	EventDate  Role = "date"
	TimeOfDay  Role = "time"
	Age        Role = "age"
	Sex        Role = "sex"
	Region     Role = "region"
	PostalCode Role = "postcode"
	Social     Role = "social" // ethnicity, marriage, work, belief, language, insurance
	Place      Role = "place"  // hospital, department, ward
	Diagnosis  Role = "diagnosis"
	Treatment  Role = "treatment"
	Laboratory Role = "laboratory"
	Outcome    Role = "outcome"
	Money      Role = "money"
	Measure    Role = "measure"
	Category   Role = "category"
	FreeText   Role = "free-text"
)

// Text is the role in words.
func (r Role) Text() Text {
	t, ok := map[Role]Text{
		Empty: {"空列", "empty"}, Person: {"患者标识", "names the person"}, Identifier: {"直接标识符", "identifier"}, Mixed: {"混有标识符", "some values identify"}, RowKey: {"行主键", "row key"},
		Reference: {"关联键", "key of another table"}, Unique: {"近乎唯一的编码", "nearly unique code"}, Staff: {"医务人员", "staff"}, BirthDate: {"出生日期", "date of birth"}, BirthYear: {"出生年份", "year of birth"},
		DeathDate: {"死亡日期", "date of death"}, EventDate: {"日期", "date"}, TimeOfDay: {"时刻", "time of day"}, Age: {"年龄", "age"}, Sex: {"性别", "sex"}, Region: {"行政区划", "region"}, PostalCode: {"邮编", "postcode"},
		Social: {"社会人口学", "social"}, Place: {"机构或科室", "hospital or ward"}, Diagnosis: {"诊断", "diagnosis"}, Treatment: {"治疗、用药", "treatment"}, Laboratory: {"检验、检查", "laboratory"}, Outcome: {"结局", "outcome"},
		Money: {"费用", "money"}, Measure: {"数值", "measure"}, Category: {"分类", "category"}, FreeText: {"自由文本", "free text"},
	}[r]
	if !ok {
		return Text{string(r), string(r)}
	}
	return t
}
