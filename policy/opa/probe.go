package opa

import (
	"reflect"

	"carrel/policy"
)

// probes are one question of each kind, of nobody about something that is nothing: an answer, a denial as a rule, is owed
// to each. Facts that a question needs to be well formed are the word "probe".
func probes() []policy.Question {
	var out []policy.Question
	for _, q := range questions() {
		v := reflect.New(reflect.TypeOf(q)).Elem()
		probe(v)
		if q, ok := v.Interface().(policy.Question); ok {
			out = append(out, q)
		}
	}
	return out
}

func probe(v reflect.Value) {
	switch {
	case v.Type() == reflect.TypeFor[policy.Subject](): // nobody
	case v.Type() == reflect.TypeFor[policy.Moment]():
		v.SetString("2026-01-05T09:00:00+08:00")
	case v.Type() == reflect.TypeFor[string]():
		v.SetString("probe")
	case v.Kind() == reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			probe(v.Field(i))
		}
	}
}
