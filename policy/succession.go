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

// Named are the institutions whose things a question is about: not the subject's own, nor what it says of institutions themselves (Unit),
// nor whose the data are that somebody asks to use, nor who else has a hand in a dataset than its owner.
func Named(q Question) []string {
	var out []string
	if v := reflect.ValueOf(q); v.Kind() == reflect.Struct {
		named(v, &out)
	}
	return out
}

func named(v reflect.Value, out *[]string) {
	switch v.Kind() {
	case reflect.Struct:
		mine := houses(v.Type())
		switch v.Type() {
		case reflect.TypeFor[Unit](), reflect.TypeFor[Subject](), reflect.TypeFor[Dataset](), reflect.TypeFor[PersonsQuestion]():
			return
		case reflect.TypeFor[Entry]():
			*out = append(*out, v.FieldByName("Owner").String())
			return
		}
		for i := range v.NumField() {
			f := v.Field(i)
			switch {
			case !slices.Contains(mine, v.Type().Field(i).Name):
				named(f, out)
			case f.Kind() == reflect.String:
				*out = append(*out, strings.TrimPrefix(f.String(), "institution/"))
			default:
				for j := range f.Len() {
					*out = append(*out, strings.TrimPrefix(f.Index(j).String(), "institution/"))
				}
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if v.Index(i).Kind() != reflect.Struct {
				return
			}
			named(v.Index(i), out)
		}
	default:
	}
}

// Seated is the question with those alone in its meeting whose institution stands: of one that is no more nobody sits.
func Seated(q Question, stands func(institution string) bool) Question {
	left := func(all List[Seat]) List[Seat] {
		if all == nil {
			return nil
		}
		out := make(List[Seat], 0, len(all))
		for _, s := range all {
			if stands(s.Institution) {
				out = append(out, s)
			}
		}
		return out
	}
	switch t := q.(type) {
	case TransitionQuestion:
		t.Case.Sitting.Present = left(t.Case.Sitting.Present)
		return t
	case CommandsQuestion:
		t.Case.Sitting.Present = left(t.Case.Sitting.Present)
		return t
	case SeatsQuestion:
		t.Case.Sitting.Present = left(t.Case.Sitting.Present)
		return t
	case BoardQuestion:
		t.Board.Present, t.Board.Case.Sitting.Present = left(t.Board.Present), left(t.Board.Case.Sitting.Present)
		return t
	}
	return q
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
