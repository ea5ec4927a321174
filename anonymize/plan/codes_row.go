package plan

// rowRefusals are those of expressions inside one person's rows.
func rowRefusals() map[string]entry {
	return map[string]entry{
		"unbounded-expression":  say("measure", "此列没有登记上下限，不能参与计算", "the column has no declared bounds, so nothing bounds what is computed from it", "请用 clamp(列, 下限, 上限)，或用 --find-bounds 0.2 查找", "write clamp(column, lo, hi), or have bounds found with --find-bounds 0.2"),
		"expression-too-large":  say("measure", "按登记的上下限，计算结果可能过大", "by the declared bounds the result may be too large to compute exactly", "请用 clamp(…, 下限, 上限) 缩小范围", "narrow a part of it with clamp(…, lo, hi)"),
		"not-a-number":          say("measure", "这里需要数值", "a number is needed here", "请用数值列", "use a numeric column"),
		"not-a-whole-number":    say("measure", "这里需要整数", "a whole number is needed here", "请先用 round(…) 或 CAST(… AS INTEGER)", "round it first, or CAST it to INTEGER"),
		"not-a-text":            say("literal", "这里需要文本列", "a text is needed here", "请用有字典的文本列，或取值不多的整数", "use a column with a dictionary, or a whole number of few values"),
		"not-a-date":            say("literal", "这里需要日期", "a date is needed here", "请用日期列，或 DATE 'YYYY-MM-DD'", "use a date column, or DATE 'YYYY-MM-DD'"),
		"text-in-arithmetic":    say("literal", "文本不能参与计算", "a text cannot take part in arithmetic", "请写数值，不加引号", "write the number without quotes"),
		"mixed-kinds":           say("literal", "各分支的类型不同", "the branches are of different kinds", "请让各分支都是数值、都是日期或都是文本", "make them all numbers, all dates or all texts"),
		"dictionary-too-large":  say("size", "文本表达式的取值太多", "the text expression can take too many values", "请先取前几位，例如 left(列, 3)", "shorten the text first, for example left(column, 3)"),
		"bad-pattern":           say("literal", "正则表达式有误", "the regular expression is not valid", "请按 RE2 语法书写", "write it in RE2 syntax"),
		"function-arguments":    say("measure", "函数的参数个数或类型不符", "the function does not take these arguments", "请查看函数说明", "look the function's arguments up"),
		"constant-expected":     say("measure", "这里需要常数", "a constant is needed here", "请直接写出数值或文本", "write the number or text itself"),
		"power":                 say("measure", "只支持 1 到 4 的整数次幂", "powers are whole numbers from 1 to 4", "请写 pow(列, 2)", "write pow(column, 2)"),
		"concat-null":           say("measure", "concat 的参数可能为空值", "an argument of concat can be NULL", "请用 || 或 coalesce(列, '')", "use ||, or coalesce(column, '')"),
		"cast":                  say("measure", "不支持这种转换", "this cast is not supported", "可转换为 INTEGER、DECIMAL、DOUBLE、DATE、BOOLEAN、VARCHAR", "cast to INTEGER, DECIMAL, DOUBLE, DATE, BOOLEAN or VARCHAR"),
		"cast-can-fail":         say("measure", "有的取值无法转换，一个人的记录可能使查询失败", "some values cannot be cast, so that one person's row could make the query fail", "请写 TRY_CAST", "write TRY_CAST"),
		"interval":              say("literal", "时间间隔只能是整数的日、周、月、年", "an interval is a whole number of days, weeks, months or years", "例如 INTERVAL 30 DAY", "for example INTERVAL 30 DAY"),
		"date-part":             say("literal", "不支持这个日期部分", "this part of a date is not supported", "可用 year、quarter、month、week、day 等", "use year, quarter, month, week, day and the like"),
		"date-format":           say("literal", "不支持这种日期格式", "this format of dates is not supported", "strftime 可用 %Y %y %m %b %B %d %j %a %A %w %u；读入请写 CAST(strptime(列, '%Y-%m-%d') AS DATE)", "strftime takes %Y %y %m %b %B %d %j %a %A %w %u; to read a text write CAST(strptime(column, '%Y-%m-%d') AS DATE)"),
		"not-a-condition":       say("literal", "这里需要条件", "a condition is needed here", "请写比较，例如 列 > 0", "write a comparison, for example column > 0"),
		"constant-condition":    say("literal", "条件中没有列", "the condition names no column", "请去掉这个条件", "leave the condition out"),
		"code-list":             say("name", "没有这个编码表或版本", "there is no such code list or version", "请写 列 IN codes('名称@版本')，可用 carrel codes search 查找", "write column IN codes('name@version'); carrel codes search finds names"),
		"unit-in-expression":    say("unit", "个人编号不能参与计算或排序", "the person cannot be computed with or ordered by", "个人编号只用于连接、分组和计数", "the person joins, groups and is counted, nothing else"),
		"row-key-in-expression": say("unit", "行编号不能参与计算", "a row number cannot be computed with", "行编号只用于连接和计数", "a row number joins and is counted, nothing else"),
	}
}

// relationRefusals are those of SELECTs inside one person's rows.
func relationRefusals() map[string]entry {
	return map[string]entry{
		"group-without-person":    say("unit", "子查询的分组不含个人，会把不同人的记录合在一起", "the subquery groups without the person, which would mix rows of different persons", "请在 GROUP BY 中加入个人编号；跨人的统计放在最外层", "put the person into GROUP BY; statistics over persons stand in the outermost SELECT"),
		"window-not-per-person":   say("unit", "窗口没有按个人划分，会看到别人的记录", "the window is not partitioned by the person, so it would see other persons' rows", "请写 OVER (PARTITION BY 个人编号 …)", "write OVER (PARTITION BY person …)"),
		"distinct-without-person": say("unit", "DISTINCT ON 不含个人", "DISTINCT ON does not name the person", "请写 DISTINCT ON (个人编号, …)", "write DISTINCT ON (person, …)"),
		"distinct-on":             say("rows", "DISTINCT ON 不能与分组、DISTINCT 或 QUALIFY 同用", "DISTINCT ON does not go with GROUP BY, DISTINCT or QUALIFY", "请分成两层子查询", "split it into two subqueries"),
		"order-needed":            say("rows", "没有顺序就没有第一行：结果会取决于引擎", "without an order there is no first row: the engine would choose", "请写 first(列 ORDER BY 日期)，或用 min、max、arg_min", "write first(column ORDER BY date), or use min, max or arg_min"),
		"window-here":             say("rows", "窗口函数不能写在这里", "a window function cannot stand here", "请写在子查询的输出列或 QUALIFY 中", "put it into the select list of a subquery, or into QUALIFY"),
		"frame":                   say("rows", "不支持这种窗口范围", "this window frame is not supported", "请用 ROWS BETWEEN … AND …；聚合可用 ORDER BY 日期 RANGE BETWEEN INTERVAL 90 DAY PRECEDING AND CURRENT ROW", "use ROWS BETWEEN … AND …; aggregates also take ORDER BY date RANGE BETWEEN INTERVAL 90 DAY PRECEDING AND CURRENT ROW"),
		"frame-needed":            say("rows", "默认窗口止于当前行的并列行，最后一行不确定", "the default frame ends among equal rows, so its last row is not determined", "请写 ROWS BETWEEN … AND …", "write ROWS BETWEEN … AND …"),
		"duplicate-column":        say("name", "子查询有重名或无名的列", "the subquery has two columns of one name, or one without", "请用 AS 取名", "name the columns with AS"),
		"public-relation":         say("rows", "公共表的子查询只能筛选行和列", "a subquery of a public table can only choose rows and columns", "请直接连接公共表", "join the public table itself"),
		"union-columns":           say("rows", "UNION 各分支的列不一致，或不是个人数据", "the branches of UNION differ in their columns, or are not private", "请让各分支都输出个人编号和同样的列", "give every branch the person and the same columns"),
		"too-many-rows":           say("rows", "一个人的行数可能过多", "a person could have too many rows", "请先按个人分组或加行键连接", "group by the person first, or join on a row key"),
		"subquery-not-linked":     say("unit", "条件中的子查询没有与外层的个人相连，会看到别人的记录", "the subquery is not linked to the person outside, so it would see other persons' rows", "请在子查询中写 内层个人编号 = 外层个人编号", "write inner person = outer person in the subquery"),
		"subquery-in-join":        say("join", "外连接的 ON 中不能有子查询", "the ON of an outer join cannot hold a subquery", "请把条件放进被连接的子查询，例如 LEFT JOIN (SELECT … WHERE 列 IN (…)) t ON …", "put the condition into the joined side: LEFT JOIN (SELECT … WHERE column IN (…)) t ON …"),
		"subquery-columns":        say("syntax", "IN 的子查询只能有一列", "a subquery of IN has one column", "请只选一列", "select one column"),
		"scalar-subquery":         say("rows", "标量子查询须是与外层个人相连的一个聚合", "a scalar subquery is one aggregate linked to the person outside", "请写 (SELECT max(列) FROM 表 t WHERE t.个人编号 = 外层.个人编号)", "write (SELECT max(column) FROM t WHERE t.person = outer.person)"),
		"asof":                    say("join", "ASOF 连接需要个人相等和一个不等式", "an ASOF join needs the person equated and one inequality", "请写 ON a.个人编号 = b.个人编号 AND a.日期 >= b.日期", "write ON a.person = b.person AND a.date >= b.date"),
		"asof-ties":               say("join", "右表同一时间可能有几行，选哪一行取决于引擎", "the right table may have several rows at one time: the engine would choose", "请先用 GROUP BY 个人编号, 日期 合并右表", "make the right table one row a person and date first, with GROUP BY person, date"),
		"quantile":                say("measure", "最外层还不支持中位数和分位数", "medians and quantiles are not answered in the outermost SELECT yet", "请用 AVG，或按区间计数", "use AVG, or count by bands"),
	}
}
