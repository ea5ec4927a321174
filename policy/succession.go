package policy

import (
	"reflect"
	"slices"
	"strings"
)

// Succeeded is the question with every institution in it read as the one that has its rights and duties now: rules compare
// institutions, and one that was merged into another is that other. What the question says of institutions themselves (Unit) stays.
func Succeeded(q Question, heir func(string) string) Question {
	v := reflect.ValueOf(q)
	if v.Kind() != reflect.Struct {
		return q
	}
	told := reflect.New(v.Type()).Elem()
	told.Set(v)
	succeed(told, heir)
	out, ok := told.Interface().(Question)
	if !ok {
		return q
	}
	return out
}

// houses are the fields of a type that name institutions, by their number or as the party "institution/NUMBER".
func houses(t reflect.Type) []string {
	switch t {
	case reflect.TypeFor[Subject](), reflect.TypeFor[Receiver](), reflect.TypeFor[Review](), reflect.TypeFor[Signature]():
		return []string{"Institution"}
	case reflect.TypeFor[Object]():
		return []string{"Institution", "DataOwners", "Parties"}
	case reflect.TypeFor[Case](), reflect.TypeFor[Agreement]():
		return []string{"Institution", "DataOwners", "Host", "Processor"}
	case reflect.TypeFor[Terms]():
		return []string{"Host", "Processor"}
	case reflect.TypeFor[Grant]():
		return []string{"Institution", "DataOwners", "Processor"}
	case reflect.TypeFor[Mandate](), reflect.TypeFor[Deputy]():
		return []string{"Interests"}
	case reflect.TypeFor[Seat]():
		return []string{"Institution", "Interests"}
	case reflect.TypeFor[Board]():
		return []string{"House", "ForHouse", "About", "Interests"}
	case reflect.TypeFor[Dataset](), reflect.TypeFor[PersonsQuestion]():
		return []string{"Owner"}
	case reflect.TypeFor[Entry]():
		return []string{"Owner", "Providers", "Operator", "Gathering", "Sending", "Storing", "Serving"}
	case reflect.TypeFor[Exchange]():
		return []string{"From", "To"}
	case reflect.TypeFor[Matter]():
		return []string{"Party", "Unit", "Addressee", "Above", "Addressed", "Told"}
	case reflect.TypeFor[Assessment]():
		return []string{"Unit"}
	case reflect.TypeFor[Clearance]():
		return []string{"Applicant", "Owner"}
	}
	return nil
}

// succeed writes over a copy: lists are copied before, since the question of the caller is its own.
func succeed(v reflect.Value, heir func(string) string) {
	switch v.Kind() {
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[Unit]() {
			return
		}
		mine := houses(v.Type())
		for i := range v.NumField() {
			if slices.Contains(mine, v.Type().Field(i).Name) {
				rename(v.Field(i), heir)
			} else {
				succeed(v.Field(i), heir)
			}
		}
	case reflect.Slice:
		if v.Len() == 0 || v.Type().Elem().Kind() != reflect.Struct {
			return
		}
		own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(own, v)
		v.Set(own)
		for i := range v.Len() {
			succeed(v.Index(i), heir)
		}
	default:
	}
}

func rename(v reflect.Value, heir func(string) string) {
	if v.Kind() == reflect.String {
		v.SetString(successor(v.String(), heir))
		return
	}
	if v.Len() == 0 {
		return
	}
	own := reflect.MakeSlice(v.Type(), 0, v.Len())
	seen := map[string]bool{}
	for i := range v.Len() { // two owners that became one are one
		if now := successor(v.Index(i).String(), heir); !seen[now] {
			seen[now] = true
			own = reflect.Append(own, reflect.ValueOf(now))
		}
	}
	v.Set(own)
}

func successor(name string, heir func(string) string) string {
	if id, ok := strings.CutPrefix(name, "institution/"); ok {
		return "institution/" + heir(id)
	}
	return heir(name)
}

// Parties are the institutions without which a grant does not stand: whose agreement it rests on.
func (g Grant) Parties() []string {
	out := append([]string{g.Institution}, g.DataOwners...)
	if g.Processor != "" {
		out = append(out, g.Processor)
	}
	return out
}

// Granted tells the grant of a question how it stands with its parties; a question without one goes on as it is.
func Granted(q Question, tell func(Grant) Grant) Question {
	switch t := q.(type) {
	case PermitQuestion:
		t.Grant = tell(t.Grant)
		return t
	case QueryQuestion:
		t.Grant = tell(t.Grant)
		return t
	case HandoverQuestion:
		t.Grant = tell(t.Grant)
		return t
	case ScopeQuestion:
		t.Grant = tell(t.Grant)
		return t
	}
	return q
}
