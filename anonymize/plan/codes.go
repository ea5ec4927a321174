package plan

type entry struct {
	class           string
	message, advice Text
}

// refusals is the table of all codes. A function, not a variable: nothing can change it at run time.
func refusals() map[string]entry {
	return map[string]entry{
		"not-supported": {"syntax", Text{"这种写法不在可证明隐私的语法之内", "this construct is outside the grammar that can be bounded"},
			Text{"请改写为 SELECT 聚合 FROM 表 WHERE 条件 GROUP BY 列", "rewrite it as SELECT aggregates FROM tables WHERE conditions GROUP BY columns"}},
	}
}
