package bind

// derived writes an aggregate that is arithmetic over others as that arithmetic, as the engine defines it; nil for any other.
func derived(n map[string]any, name string) map[string]any {
	args := sliceOf(n["children"])
	switch {
	case len(args) == 1:
		x := args[0]
		switch name {
		case "sem":
			return invoke("sqrt", operator("/", over(n, "var_pop", x), over(n, "count", x)))
		case "geomean", "geometric_mean":
			return invoke("exp", over(n, "avg", invoke("ln", x)))
		case "favg":
			return over(n, "avg", x)
		case "fsum", "kahan_sum", "sumkahan":
			return over(n, "sum", x)
		}
	case len(args) == 2:
		y, x := args[0], args[1]
		both := known(n, y, x)
		switch name {
		case "regr_r2":
			return operator("*", over(n, "corr", y, x), over(n, "corr", y, x))
		case "regr_count":
			return over(both, "count_star")
		case "regr_avgx":
			return over(both, "avg", x)
		case "regr_avgy":
			return over(both, "avg", y)
		case "regr_sxx":
			return operator("*", over(both, "count_star"), over(both, "var_pop", x))
		case "regr_syy":
			return operator("*", over(both, "count_star"), over(both, "var_pop", y))
		case "regr_sxy":
			return operator("*", over(both, "count_star"), over(n, "covar_pop", y, x))
		}
	}
	return nil
}

// over is another aggregate over the rows of one.
func over(n map[string]any, name string, args ...any) map[string]any {
	out := copied(n)
	out["function_name"], out["alias"], out["children"] = name, "", append([]any{}, args...)
	return out
}

// known is an aggregate over those of its rows where both arguments are known.
func known(n map[string]any, y, x any) map[string]any {
	out := copied(n)
	conditions := []any{present(asMap(y)), present(asMap(x))}
	if f := asMap(n["filter"]); f != nil {
		conditions = append(conditions, f)
	}
	out["filter"] = connect("CONJUNCTION_AND", conditions...)
	return out
}
