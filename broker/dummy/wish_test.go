package dummy_test

import (
	"fmt"
	"reflect"
	"testing"

	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
	"carrel/broker/dummy"
)

func col(scan int, name string) plan.Expr {
	return plan.ColRef{Scan: scan, Column: name}.Expr()
}

func number(text string) plan.Expr {
	return plan.Expr{Op: plan.ExprLiteral, Lit: plan.Literal{Kind: plan.LitNumber, Text: text}}
}

func compare(a plan.Expr, cmp plan.Cmp, b plan.Expr) plan.Expr {
	return plan.Expr{Op: plan.ExprCompare, Cmp: cmp, Args: []plan.Expr{a, b}}
}

// huge is an entry with the largest dictionary there can be, and a public table of it.
func huge() *catalogue.Dataset {
	code := catalogue.Field{Name: "code", Kind: plan.KindCode, Codes: "c@1", Role: plan.RoleOther}
	for i := range 1 << 16 {
		code.Values = append(code.Values, catalogue.Value{Code: fmt.Sprintf("c%05d", i)})
	}
	group := catalogue.Field{Name: "chapter", Kind: plan.KindCode, Codes: "g@1", Role: plan.RoleOther}
	for i := range 500 {
		group.Values = append(group.Values, catalogue.Value{Code: fmt.Sprintf("g%03d", i)})
	}
	cost := catalogue.Field{Name: "cost", Kind: plan.KindInt, Role: plan.RoleSensitive, Bounds: &catalogue.Bounds{Lo: -1 << 62, Hi: 1 << 62}}
	unit := catalogue.Field{Name: "person_id", Kind: plan.KindUnit, Role: plan.RoleUnit}
	return &catalogue.Dataset{ID: "huge", Unit: catalogue.Unit{Column: "person_id"}, Tables: []catalogue.Table{
		{Name: "visit", RowsPerPerson: catalogue.Cap{Max: 50}, Fields: []catalogue.Field{unit, code, cost}},
		{Name: "codes", Public: true, RowKey: "code", Fields: []catalogue.Field{code, group}},
	}}
}

// TestHugeDictionaries: a join over the largest dictionary finds its partners, and a value of a range as wide as integers is hit.
func TestHugeDictionaries(t *testing.T) {
	t.Parallel()
	on := compare(col(0, "code"), plan.CmpEq, col(1, "code"))
	where := plan.Expr{Op: plan.ExprAnd, Args: []plan.Expr{
		compare(col(1, "chapter"), plan.CmpEq, plan.Expr{Op: plan.ExprLiteral, Lit: plan.Literal{Kind: plan.LitString, Text: "g123"}}),
		{Op: plan.ExprBetween, Args: []plan.Expr{col(0, "cost"), number("41"), number("42")}},
	}}
	spec := plan.Spec{From: plan.From{Scans: []plan.Scan{{Table: "visit"}, {Table: "codes"}}, Joins: []plan.Join{{Kind: plan.JoinInner, On: &on}}, Where: &where},
		Wanted: []plan.MeasureSpec{{Kind: plan.CountRows}}}
	d := huge()
	made := made(t, d, dummy.Options{Persons: 10, Wishes: []dummy.Wish{{Spec: spec}}})
	if err := broken(made); err != nil {
		t.Fatal(err)
	}
	if made.Found < 6 {
		t.Errorf("the question finds something for %d persons", made.Found)
	}
	if n := len(made.Tables[1].Rows); n != 1<<16 {
		t.Errorf("the public table has %d rows", n)
	}
}

// TestNothingToFind: a question that nobody can meet ends, says so, and leaves whole data.
func TestNothingToFind(t *testing.T) {
	t.Parallel()
	where := plan.Expr{Op: plan.ExprAnd, Args: []plan.Expr{compare(col(0, "cost"), plan.CmpGt, number("5")), compare(col(0, "cost"), plan.CmpLt, number("5"))}}
	spec := plan.Spec{From: plan.From{Scans: []plan.Scan{{Table: "visit"}}, Where: &where}, Wanted: []plan.MeasureSpec{{Kind: plan.CountRows}}}
	made := made(t, huge(), dummy.Options{Persons: 20, Wishes: []dummy.Wish{{Spec: spec}}})
	if err := broken(made); err != nil || made.Found != 0 {
		t.Error(made.Found, err)
	}
}

// TestHavingMakesManyPersons: a threshold of the noised answer is met by persons, few groups get them, and data repeat by seed.
func TestHavingMakesManyPersons(t *testing.T) {
	t.Parallel()
	spec := plan.Spec{From: plan.From{Scans: []plan.Scan{{Table: "visit"}}}, Wanted: []plan.MeasureSpec{{Kind: plan.CountRows}},
		Having: &plan.OutCond{Cmp: plan.CmpGt, Left: plan.OutExpr{Op: plan.OutMeasure}, Right: plan.OutExpr{Op: plan.OutNumber, Number: plan.Literal{Kind: plan.LitNumber, Text: "300"}}}}
	one, two := made(t, huge(), dummy.Options{Wishes: []dummy.Wish{{Spec: spec}}}), made(t, huge(), dummy.Options{Wishes: []dummy.Wish{{Spec: spec}}})
	if one.Persons != 903 || one.Found < 700 {
		t.Errorf("%d persons, %d found", one.Persons, one.Found)
	}
	if !reflect.DeepEqual(one.Tables, two.Tables) {
		t.Error("another time, other data")
	}
}
