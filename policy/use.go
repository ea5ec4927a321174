package policy

// Use is a purpose in terms of the Data Use Ontology (policies/duo.json). Empty lists say the broadest purpose.
type Use struct {
	Types      List[string] `json:"types"`    // GRU | HMB | DS | POA | MDS | OTHER
	Diseases   List[string] `json:"diseases"` // ICD-10: I63, I63.3 or I60-I69
	Flags      List[string] `json:"flags"`    // what makes a purpose sensitive, e.g. pediatric
	Accepts    List[string] `json:"accepts"`  // conditions of datasets that the applicant accepts: COL | PUB | RTN | MOR
	Commercial bool         `json:"commercial"`
}

// Form is the form that an application was made by.
type Form struct {
	ID      string          `json:"id"`
	Version int             `json:"version"`
	Faults  List[FormFault] `json:"faults"`
}

// FormFault is a field that a form asks for and an application lacks or fills in wrongly: which, never what was written.
type FormFault struct {
	Pointer string `json:"pointer"`
	Label   Text   `json:"label"`
}

func (f *form) use(u Use) { f.lists(u.Types, u.Diseases, u.Flags, u.Accepts) }

func (f *form) form(x Form) {
	f.texts(x.ID)
	f.natural("a version", int64(x.Version))
	if len(x.Faults) > MaxItems {
		f.fail("a list is too long")
		return
	}
	for _, fault := range x.Faults {
		f.texts(fault.Pointer, fault.Label.ZH, fault.Label.EN)
	}
}
