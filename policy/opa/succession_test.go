package opa

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"carrel/policy"
)

// filled puts the text in every string of a value, and one element in every list.
func filled(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Struct:
		for i := range v.NumField() {
			filled(v.Field(i), text)
		}
	case reflect.Slice:
		one := reflect.MakeSlice(v.Type(), 1, 1)
		filled(one.Index(0), text)
		v.Set(one)
	default:
	}
}

// texts hands over every string of a value with the path of types and fields to it.
func texts(v reflect.Value, path []string, each func(path []string, text string)) {
	switch v.Kind() {
	case reflect.String:
		each(path, v.String())
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			texts(v.Field(i), append(slices.Clone(path), v.Type().Name()+"."+name), each)
		}
	case reflect.Slice:
		for i := range v.Len() {
			texts(v.Index(i), path, each)
		}
	default:
	}
}

// TestSuccessorsStandEverywhere: wherever a question names an institution, by a field that is called so, it names its successor; what
// it says of institutions themselves and of accounts stays, and so does the question of the caller.
func TestSuccessorsStandEverywhere(t *testing.T) {
	t.Parallel()
	named := []string{"institution", "data_owners", "host", "processor", "parties", "house", "for_house", "providers", "operator"}
	stays := []string{"Abroad.institution", "Subject.house", "roles", "account", "lead", "team", "at", "state", "kind", "region", "id"}
	for _, q := range questions() {
		v := reflect.New(reflect.TypeOf(q)).Elem()
		filled(v, "old")
		asked, ok := v.Interface().(policy.Question)
		if !ok {
			t.Fatalf("%T is no question", q)
		}
		now := policy.Succeeded(asked, func(id string) string {
			if id == "old" {
				return "new"
			}
			return id
		})
		texts(reflect.ValueOf(now), nil, func(path []string, text string) {
			last := path[len(path)-1]
			_, field, _ := strings.Cut(last, ".")
			switch {
			case strings.Contains(strings.Join(path, " "), "Unit.") || slices.Contains(stays, last) || slices.Contains(stays, field):
				if text != "old" {
					t.Errorf("%s: %v is %q", q.Decision(), path, text)
				}
			case slices.Contains(named, field) && text != "new":
				t.Errorf("%s: %v is not the successor", q.Decision(), path)
			}
		})
		texts(v, nil, func(path []string, text string) {
			if text != "old" {
				t.Errorf("%s: the caller's %v was written over", q.Decision(), path)
			}
		})
	}
}
