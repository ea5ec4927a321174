package matter

import (
	"slices"
	"strings"
	"time"

	"carrel/broker/audit"
)

// Persons is whom an incident tells when it tells the persons concerned.
const Persons = "persons"

// Concern is one way in which persons' data were reached by what an incident names: answers that were computed from a version of a dataset, or
// a package of rows. It counts persons and names none.
type Concern struct {
	Dataset string `json:"dataset"`
	// Version, with its extract: everybody in the register, of whom each answer tells no more than its noise allows. Answers may be none where
	// the dataset itself is named.
	Version int64  `json:"version,omitempty"`
	Extract string `json:"extract,omitempty"`
	Answers int    `json:"answers,omitempty"`
	// Handover is a package: those with a row in it. Until it is fetched it lies here, sealed for its receiver.
	Handover string `json:"handover,omitempty"`
	Fetched  bool   `json:"fetched,omitempty"`
	Persons  int64  `json:"persons"`
}

// Touches says whether an entry of the log is about what a matter names: a grant, or an object and what lies under it.
func Touches(link string, e *audit.Entry) bool {
	grant := strings.TrimPrefix(link, "grant/")
	if grant == "" { // half the log is under no grant
		return false
	}
	return e.Grant == grant || e.Object == link || e.Object == "grant/"+grant || strings.HasPrefix(e.Object, link+"/")
}

// ToldPersons is when the persons concerned were first told of an incident; zero: they were not.
func (m *Matter) ToldPersons() time.Time {
	i := slices.IndexFunc(m.Steps, func(s Step) bool { return s.Act == "incident.tell" && s.About == Persons })
	if i < 0 {
		return time.Time{}
	}
	return m.Steps[i].At
}
