package plan

type entry struct {
	class           string
	message, advice Text
}

func say(class, zh, en, adviceZH, adviceEN string) entry {
	return entry{class, Text{zh, en}, Text{adviceZH, adviceEN}}
}

// refusals is the table of all codes. A function, not a variable: nothing can change it at run time.
func refusals() map[string]entry {
	m := map[string]entry{}
	for _, part := range []map[string]entry{syntaxRefusals(), nameRefusals(), joinRefusals(), unitRefusals(), measureRefusals(), rowRefusals(), relationRefusals(), wideRefusals()} {
		for k, v := range part {
			m[k] = v
		}
	}
	return m
}

func syntaxRefusals() map[string]entry {
	return map[string]entry{
		"not-supported":    say("syntax", "这种写法不在可证明隐私的语法之内", "this construct is outside the grammar that can be bounded", "请改写为 SELECT 聚合 FROM 表 WHERE 条件 GROUP BY 列", "rewrite it as SELECT aggregates FROM tables WHERE conditions GROUP BY columns"),
		"syntax-error":     say("syntax", "语句有语法错误", "the text is not valid SQL", "请检查此位置附近的拼写、括号和引号", "check spelling, parentheses and quotes near this position"),
		"empty-text":       say("syntax", "没有语句", "there is no statement", "请写一条 SELECT 语句", "write one SELECT statement"),
		"one-statement":    say("syntax", "一次只能提交一条语句", "only one statement at a time is answered", "请分开提交", "submit the statements one by one"),
		"select-only":      say("syntax", "只接受 SELECT 语句", "only SELECT statements are answered", "请写一条 SELECT 语句", "write a SELECT statement"),
		"text-too-large":   say("size", "语句过长或不是合法的 UTF-8 文本", "the text is too long or not valid UTF-8", "请缩短到 64 KB 以内并使用 UTF-8", "keep it under 64 KB and use UTF-8"),
		"query-too-large":  say("size", "语句过于复杂", "the query has too many parts or is nested too deeply", "请减少条件、列或嵌套", "use fewer conditions, columns or levels"),
		"set-operation":    say("syntax", "不支持 UNION、INTERSECT、EXCEPT", "UNION, INTERSECT and EXCEPT are not supported", "请分成几条查询", "ask separate queries"),
		"subquery":         say("syntax", "不支持子查询", "subqueries are not supported", "请把条件直接写在 WHERE 中，或用按人连接", "write the condition in WHERE, or join on the person"),
		"table-function":   say("syntax", "不能从函数读取数据", "functions cannot be read as tables", "请使用目录中的表", "use a table of the catalogue"),
		"no-table":         say("syntax", "缺少 FROM", "there is no table", "请在 FROM 中写一个表", "name a table in FROM"),
		"sample":           say("syntax", "不支持抽样", "sampling is not supported", "请去掉 SAMPLE：结果已含噪声", "leave SAMPLE out: the answer is noised anyway"),
		"window":           say("syntax", "不支持窗口函数和 QUALIFY", "window functions and QUALIFY are not supported", "请用 GROUP BY 聚合", "aggregate with GROUP BY"),
		"parameter":        say("syntax", "不支持参数占位符", "parameters are not supported", "请直接写出数值", "write the value itself"),
		"lambda":           say("syntax", "不支持 lambda 表达式", "lambdas are not supported", "请用比较、IN、BETWEEN 或 LIKE", "use comparisons, IN, BETWEEN or LIKE"),
		"case":             say("syntax", "不支持 CASE", "CASE is not supported", "请用 WHERE 分别查询", "ask separate queries with WHERE"),
		"cast":             say("syntax", "不支持类型转换", "casts are not supported", "请直接与列的类型比较；日期写作 DATE '2024-01-31'", "compare with the column's own type; write dates as DATE '2024-01-31'"),
		"having":           say("syntax", "不支持 HAVING：它会用未加噪的统计作条件", "HAVING is not supported: it would test un-noised statistics", "请对带噪结果用 ORDER BY 和 LIMIT，或自行筛选", "use ORDER BY and LIMIT on the noised answer, or filter it yourself"),
		"grouping-sets":    say("syntax", "不支持 GROUPING SETS、CUBE、ROLLUP", "GROUPING SETS, CUBE and ROLLUP are not supported", "请为每种分组各写一条查询", "ask one query for each grouping"),
		"select-star":      say("syntax", "不能返回记录", "rows cannot be returned", "请使用 COUNT、SUM、AVG 等聚合", "use aggregates such as COUNT, SUM and AVG"),
		"select-distinct":  say("syntax", "不支持 SELECT DISTINCT", "SELECT DISTINCT is not supported", "请用 GROUP BY", "use GROUP BY"),
		"position":         say("syntax", "此序号不是 SELECT 中的一列", "this position is not a column of the select list", "请写列名或 1 到列数之间的序号", "write a name, or a number from 1 to the number of columns"),
		"limit":            say("syntax", "LIMIT 和 OFFSET 须为非负整数", "LIMIT and OFFSET must be whole numbers from 0", "请写一个整数", "write a whole number"),
		"never-true":       say("literal", "按条件和目录，没有记录能满足 WHERE", "by its own text and the catalogue no row can meet WHERE", "请检查取值的拼写和上下限；目录列出了全部取值", "check the spelling of values and the limits; the catalogue lists all values"),
		"rows-per-person":  say("rows", "每人行数上限须至少为 1，且名称须是查询中的表", "rows per person must be at least 1 and name a table of the query", "请写表名、别名或 *", "name a table, an alias or *"),
		"max-draws":        say("size", "加噪次数上限不合法", "the cap of noise draws is not valid", "请联系管理员", "ask the operator"),
		"schema-invalid":   say("name", "数据集目录不完整，无法给出保证", "the catalogue entry is incomplete: no bound can be given", "请联系数据管理员", "ask the data steward"),
		"literal-too-long": say("literal", "文字过长或不是合法的 UTF-8", "a literal or name is too long or not valid UTF-8", "请缩短到 256 字节以内", "keep it under 256 bytes"),
	}
}

func nameRefusals() map[string]entry {
	return map[string]entry{
		"unknown-table":          say("name", "目录中没有这个表", "there is no such table in the catalogue", "请查看目录中的表名", "look up the tables in the catalogue"),
		"unknown-column":         say("name", "没有这一列", "there is no such column", "请查看目录中的列名", "look up the columns in the catalogue"),
		"ambiguous-column":       say("name", "多个表都有这一列", "more than one table has this column", "请写成 表.列", "write table.column"),
		"qualified-table":        say("name", "表名前不能有库名", "a table cannot be qualified by a schema or catalog", "请只写表名", "write the table's name alone"),
		"qualified-column":       say("name", "列名只能写成 列 或 表.列", "a column is written as column or table.column", "请去掉多余的限定", "drop the further qualifiers"),
		"duplicate-alias":        say("name", "两个表同名", "two tables have the same name", "请给每个表一个不同的别名", "give each table an alias of its own"),
		"column-alias-list":      say("name", "不支持在表别名中改列名", "renaming columns in a table alias is not supported", "请使用目录中的列名", "use the catalogue's column names"),
		"columns-not-comparable": say("literal", "两列类型、精度或代码表不同，不能比较", "the columns differ in kind, scale or dictionary and cannot be compared", "请比较同一代码表或同一类型的列", "compare columns of one dictionary or kind"),
		"literal-kind":           say("literal", "此文字与列的类型不符", "this literal does not fit the column's kind", "代码列用 '文字'，数值列用数字，日期列用 DATE '2024-01-31'；LIKE 只用于代码列", "use 'text' for codes, numbers for numbers, DATE '2024-01-31' for dates; LIKE works on codes only"),
		"bad-date":               say("literal", "日期须写作 YYYY-MM-DD", "a date is written YYYY-MM-DD", "例如 DATE '2024-01-31'", "for example DATE '2024-01-31'"),
		"bad-number":             say("literal", "数字无法识别", "the number cannot be read", "请写普通的十进制数", "write a plain decimal number"),
		"not-a-literal":          say("literal", "此处只能是数字、文字或日期", "only a number, a text or a date can stand here", "请写出具体数值", "write the value itself"),
		"comparison-kind":        say("syntax", "不支持这种比较", "this comparison is not supported", "请用 = <> < <= > >= 或 IS NULL", "use = <> < <= > >= or IS NULL"),
		"like-escape":            say("syntax", "ESCAPE 须是一个 ASCII 字符，且不在模式末尾", "ESCAPE is one ASCII character, and not the pattern's last", "例如 列 LIKE '10!%%' ESCAPE '!'", "for example column LIKE '10!%%' ESCAPE '!'"),
		"glob":                   say("syntax", "不支持这个 GLOB 模式", "this pattern of GLOB is not supported", "可用 *、?、[a-z] 和 [!a-z]", "use *, ?, [a-z] and [!a-z]"),
	}
}

func joinRefusals() map[string]entry {
	return map[string]entry{
		"join-not-on-unit":        say("join", "连接没有可证明的上限：个人表须按人相等连接，公共表须按已核实的键连接", "nothing bounds this join: private tables join on the person, public tables on a verified key", "请写 ON a.person = b.person（可加行键），或按公共表的键连接", "write ON a.person = b.person (and a row key if you like), or the public table's key"),
		"join-condition":          say("join", "ON 只支持两表各一列相等，用 AND 连接", "ON is a conjunction of equalities between a column of each side", "请把其他条件移到 WHERE", "move other conditions to WHERE"),
		"join-without-condition":  say("join", "连接缺少条件", "the join has no condition", "请写 ON 或 USING", "write ON or USING"),
		"natural-join":            say("join", "不支持 NATURAL JOIN", "NATURAL JOIN is not supported", "请写 JOIN … USING (列)", "write JOIN … USING (column)"),
		"right-join":              say("join", "不支持 RIGHT JOIN", "RIGHT JOIN is not supported", "请交换两侧，写成 LEFT JOIN", "swap the sides and write LEFT JOIN"),
		"full-join":               say("join", "不支持 FULL JOIN", "FULL JOIN is not supported", "请用 LEFT JOIN，或分成两条查询", "use LEFT JOIN, or two queries"),
		"join-kind":               say("join", "不支持这种连接", "this kind of join is not supported", "请用 INNER JOIN 或 LEFT JOIN", "use INNER JOIN or LEFT JOIN"),
		"too-many-tables":         say("join", "表太多", "there are too many tables", "一条查询至多 6 个表", "use at most 6 tables in one query"),
		"unit-equated-with-other": say("join", "个人编号只能与个人编号相等", "the person can only be equated with a person", "请写 a.person = b.person", "write a.person = b.person"),
		"public-left-join":        say("join", "公共表不能 LEFT JOIN 个人表", "a public table cannot be LEFT JOINed to a private one", "请从个人表开始；公共分组键会输出全部取值", "start from the private table: a public key emits all of its members anyway"),
		"public-only":             say("join", "查询只涉及公共表，无需隐私预算", "the query reads public tables only and needs no privacy budget", "请在目录中直接查看公共表", "read public tables in the catalogue"),
	}
}

func unitRefusals() map[string]entry {
	return map[string]entry{
		"unit-as-key":      say("unit", "不能按个人分组：每组就是一个人", "a person cannot be a group: every group would be one person", "请按科室、地区等分组，或用 COUNT(DISTINCT person)", "group by something shared, or use COUNT(DISTINCT person)"),
		"row-key-as-key":   say("unit", "不能按行编号分组：每组属于一个人", "a row number cannot be a group: every group would belong to one person", "请按多人共有的列分组", "group by a column that many persons share"),
		"unit-in-where":    say("unit", "个人编号不能用作条件", "the person cannot stand in a condition", "请用年龄、地区、诊断等条件", "use conditions on age, district, diagnosis and the like"),
		"row-key-in-where": say("unit", "行编号不能用作条件", "a row number cannot stand in a condition", "请用其他列；按行编号只能连接", "use another column: a row number only joins"),
		"unit-in-output":   say("unit", "个人编号和行编号不能输出", "persons and row numbers cannot be put out", "请用 COUNT(DISTINCT person) 计人数", "count persons with COUNT(DISTINCT person)"),
	}
}

func measureRefusals() map[string]entry {
	return map[string]entry{
		"function-not-allowed": say("measure", "不支持这个函数", "this function is not supported", "可用 COUNT、SUM、AVG、round 和四则运算", "use COUNT, SUM, AVG, round and + - * /"),
		"aggregate-in-where":   say("measure", "WHERE 中不能用聚合", "an aggregate cannot stand in WHERE", "请对带噪结果排序或筛选", "sort or filter the noised answer"),
		"aggregate-arguments":  say("measure", "聚合只能有一个参数", "an aggregate takes one argument", "例如 SUM(列)", "for example SUM(column)"),
		"distinct-aggregate":   say("measure", "只支持 COUNT(DISTINCT 个人)", "DISTINCT is supported in COUNT(DISTINCT person) only", "请去掉 DISTINCT", "leave DISTINCT out"),
		"count-distinct":       say("measure", "只能对个人编号计不同值", "distinct values are counted of the person only", "请写 COUNT(DISTINCT person)，或按该列分组", "write COUNT(DISTINCT person), or group by the column"),
		"aggregate-order":      say("measure", "聚合内不能排序", "an aggregate cannot be ordered", "请去掉聚合内的 ORDER BY", "leave ORDER BY out of the aggregate"),
		"not-summable":         say("measure", "此列不是数值，不能求和或平均", "the column is no number: it has no sum or mean", "请用 COUNT，或按此列分组", "use COUNT, or group by it"),
		"unbounded-sum":        say("measure", "此列没有登记上下限，无法限制一个人的影响", "the column has no declared bounds, so nothing limits one person's share", "请用 clamp(列, 下限, 上限)，或用 --find-bounds 0.2 查找", "write clamp(column, lo, hi), or have bounds found with --find-bounds 0.2"),
		"bounds-one-step":      say("measure", "只能为一个统计步骤的问题查找上下限", "bounds are found for questions of one statistics step with arithmetic above it", "请先单独查找一次，再在每处写 clamp(列, 下限, 上限)", "find them with one step alone, then write clamp(column, lo, hi) in each"),
		"bounds-known":         say("measure", "此问题没有缺少上下限的度量", "no measure of the question lacks bounds", "请去掉 --find-bounds", "ask without --find-bounds"),
		"sum-too-large":        say("measure", "上下限乘以行数过大，计算会溢出", "bounds times rows are too large to add without overflow", "请减少每人行数，或用 clamp(列, 下限, 上限)，或用 --find-bounds 0.2 查找", "lower the rows per person, write clamp(column, lo, hi), or have bounds found with --find-bounds 0.2"),
		"no-aggregate":         say("measure", "没有聚合", "there is no aggregate", "请加上 COUNT(*) 等聚合", "add an aggregate such as COUNT(*)"),
		"column-not-grouped":   say("key", "此列既不在 GROUP BY 中也不在聚合中", "the column is neither in GROUP BY nor inside an aggregate", "请把它加入 GROUP BY，或放进聚合", "add it to GROUP BY, or aggregate it"),
		"key-expression":       say("key", "分组键只能是一列", "a key is a column, not an expression", "请按目录中的列分组", "group by a column of the catalogue"),
		"measured-as-key":      say("key", "不能按连续数值分组", "a measured value cannot be a key", "请用已分级的列，或用 WHERE 分段查询", "use a banded column, or ask ranges with WHERE"),
		"unbounded-key":        say("key", "此列没有登记取值范围，不能分组", "the column has no declared range and cannot be a key", "请数据管理员登记范围", "ask the steward to declare its range"),
		"duplicate-key":        say("key", "同一列分组两次", "a column is grouped by twice", "请去掉重复的列", "drop the repetition"),
		"too-many-keys":        say("key", "分组列太多", "there are too many keys", "至多 8 列", "use at most 8"),
		"too-many-cells":       say("size", "分组的格子太多，噪声次数超过上限", "the keys make more cells than one answer may draw noise for", "请用更粗的分组，或用 WHERE 缩小取值范围", "use coarser keys, or narrow them with WHERE"),
		"key-arithmetic":       say("key", "分组键不能参与计算", "a key cannot take part in arithmetic", "请单独输出分组键", "put the key out as a column of its own"),
		"output-literal":       say("syntax", "输出中只能有数字", "only numbers can stand in the select list", "请去掉文字", "leave texts out"),
		"output-expression":    say("syntax", "输出只支持聚合、分组键和四则运算", "the select list holds aggregates, keys and + - * / of them", "请简化表达式", "simplify the expression"),
		"round-digits":         say("syntax", "round 的位数须为 0 到 10", "round takes 0 to 10 digits", "例如 round(AVG(列), 2)", "for example round(AVG(column), 2)"),
	}
}
