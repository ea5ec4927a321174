package plan

// wideRefusals are those of the binder of the wide grammar.
func wideRefusals() map[string]entry {
	return map[string]entry{
		"recursive-cte":         say("syntax", "不支持递归 WITH：循环次数取决于数据", "recursive WITH is not supported: how often it runs would depend on the data", "请用窗口函数或自连接，例如 lag(列) OVER (PARTITION BY 个人编号 ORDER BY 日期)", "use a window or a self-join, for example lag(column) OVER (PARTITION BY person ORDER BY date)"),
		"lateral":               say("syntax", "FROM 中的子查询不能使用外面的列", "a subquery in FROM cannot use columns from outside", "请让子查询输出个人编号，再写 JOIN (…) s ON s.个人编号 = t.个人编号", "let the subquery return the person and write JOIN (…) s ON s.person = t.person"),
		"inline-table":          say("syntax", "不支持用 VALUES 写表", "a table written with VALUES is not supported", "请用 列 IN ('a', 'b') 或 CASE WHEN 列 = 'a' THEN 1 ELSE 0 END", "write column IN ('a', 'b'), or CASE WHEN column = 'a' THEN 1 ELSE 0 END"),
		"columns-expression":    say("syntax", "不支持 COLUMNS(…) 和表达式中的 *", "COLUMNS(…), and * inside an expression, are not supported", "请逐列写出；SELECT * EXCLUDE (列) 可用", "write the columns out; SELECT * EXCLUDE (column) is supported"),
		"limit-inside":          say("rows", "子查询中不能用 LIMIT 或 OFFSET：留下谁会取决于其他人", "LIMIT and OFFSET cannot stand in a subquery: whose rows stay would depend on other persons", "每人取几行请写 QUALIFY row_number() OVER (PARTITION BY 个人编号 ORDER BY 日期) <= 3", "for some rows a person write QUALIFY row_number() OVER (PARTITION BY person ORDER BY date) <= 3"),
		"ignore-nulls":          say("rows", "IGNORE NULLS 只用于 lag、lead、first_value、last_value、nth_value", "IGNORE NULLS goes with lag, lead, first_value, last_value and nth_value alone", "请先筛选：… FROM (SELECT * FROM 表 WHERE 列 IS NOT NULL) t", "filter first: … FROM (SELECT * FROM table WHERE column IS NOT NULL) t"),
		"now-not-allowed":       say("literal", "结果不能取决于提问的时刻", "an answer cannot depend on the moment of asking", "请直接写出日期，例如 DATE '2024-12-31'", "write the date itself, for example DATE '2024-12-31'"),
		"row-value":             say("syntax", "IN 左侧只能是一个值", "what stands before IN (SELECT …) is one value", "请写 EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b = t.b)", "write EXISTS (SELECT 1 FROM u WHERE u.a = t.a AND u.b = t.b)"),
		"quantified-comparison": say("syntax", "与子查询比较的 ANY、ALL 只支持 = ANY 和 <> ALL", "of comparisons with ANY and ALL of a subquery only = ANY and <> ALL are supported", "请写 x > (SELECT max(列) FROM u WHERE u.个人编号 = t.个人编号)，或用 EXISTS", "write x > (SELECT max(column) FROM u WHERE u.person = t.person), or EXISTS"),
		"aggregate-placement":   say("measure", "GROUP BY 和 ON 中不能用聚合", "an aggregate cannot stand in GROUP BY or ON", "请先在子查询中按个人聚合：FROM (SELECT 个人编号, count(*) AS n FROM 表 GROUP BY 个人编号) t GROUP BY n", "aggregate by person in a subquery first: FROM (SELECT person, count(*) AS n FROM table GROUP BY person) t GROUP BY n"),
		"nested-aggregate":      say("measure", "聚合之内不能再有聚合", "an aggregate cannot stand inside an aggregate", "请在子查询中按个人聚合，再在外层聚合：SELECT avg(s) FROM (SELECT 个人编号, sum(列) AS s FROM 表 GROUP BY 个人编号) t", "aggregate by person in a subquery, then outside: SELECT avg(s) FROM (SELECT person, sum(column) AS s FROM table GROUP BY person) t"),
		"window-over-noise":     say("syntax", "统计之上不能用窗口函数", "windows over the statistics are not supported", "窗口请放在按个人划分的子查询中；名次请用 ORDER BY 和 LIMIT", "put the window into a subquery, by person; for ranks use ORDER BY and LIMIT"),
		"quantile-fraction":     say("measure", "分位须是 0 到 1 之间的一个数", "a quantile is asked for by one number from 0 to 1", "几个分位请分别写：quantile_cont(列, 0.25), quantile_cont(列, 0.75)", "write several as several columns: quantile_cont(column, 0.25), quantile_cont(column, 0.75)"),
		"too-many-sets":         say("size", "分组组合太多", "there are too many grouping sets", "至多 64 组；请写 GROUPING SETS ((a, b), (a), ())", "at most 64: write GROUPING SETS ((a, b), (a), ())"),
		"grouping-argument":     say("key", "GROUPING 只用于最外层，其参数须是分组键", "GROUPING stands in the outermost SELECT, and its arguments are keys", "请写 GROUPING(键)，键须在 GROUP BY 中", "write GROUPING(key) with a key of GROUP BY"),
		"having-condition":      say("syntax", "对统计结果只能用比较、BETWEEN、IN、AND、OR、NOT", "conditions on statistics are comparisons, BETWEEN, IN, AND, OR and NOT", "例如 HAVING count(*) >= 20", "for example HAVING count(*) >= 20"),
		"several-measures":      say("measure", "一次只回答一个统计步骤", "one statistics step is answered at a time", "请合为一个 SELECT，用 FILTER 区分：count(*) FILTER (WHERE 条件)；或分开提交", "put them into one SELECT with FILTER: count(*) FILTER (WHERE condition); or ask separately"),
		"noise-inside":          say("measure", "个人记录的条件中不能用加过噪声的数", "a noised number cannot stand in a condition on persons' rows", "请先得到该数，再把它作为常数写入另一个问题", "ask for the number first, then write it as a constant into another question"),
		"view-function":         say("syntax", "统计之上不提供此函数", "this function is not offered above the statistics", "可用的是只取决于其参数的函数：数学、文字、日期、列表、聚合；不含时间、随机数和系统设置", "offered are functions of their arguments alone: mathematics, text, dates, lists, aggregates; not time, chance or settings"),
		"view-invalid":          say("syntax", "统计之上的 SQL 无法执行", "the SQL above the statistics cannot be evaluated", "请按引擎的说明更正；统计步骤不必重问", "correct what the engine says; the statistics beneath stay as they are"),
		"view-failed":           say("syntax", "统计已记录，其上的 SQL 未能得出答案", "the statistics are on record, but the SQL above them gave no answer", "请更正后再问，不再扣减预算", "correct it and ask again, nothing more is charged"),
		"measure-joined":        say("measure", "统计结果不能再与表连接", "statistics cannot be joined with a table", "请在统计之前连接：FROM 个人表 JOIN 公共表 USING (键) GROUP BY 公共表的列", "join before the statistics: FROM private JOIN public USING (key) GROUP BY a column of public"),
	}
}
