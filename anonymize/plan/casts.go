package plan

import "strconv"

// cast types CAST and TRY_CAST. A cast that could fail for a value gives NULL under TRY_CAST and is refused otherwise, unless no member of
// the dictionary can fail.
func (b *builder) cast(e *Expr) value {
	if len(e.Args) != 1 {
		b.fail("not-supported", e.Offset)
		return value{}
	}
	if in := &e.Args[0]; e.To.Kind == CastDate && in.Op == ExprCall && (in.Name == "strptime" || in.Name == "try_strptime") {
		return b.readDate(in)
	}
	v := b.plainValue(&e.Args[0])
	if b.err != nil {
		return value{}
	}
	if v.lit != nil && v.lit.Kind == LitNull {
		return v
	}
	switch e.To.Kind {
	case CastInteger:
		return b.castInteger(v, e)
	case CastDecimal:
		if e.To.Scale < 0 || e.To.Scale > 9 {
			b.fail("cast", e.Offset)
			return value{}
		}
		return b.castNumber(v, e.To.Scale, e)
	case CastReal:
		if b.kindOf(v) == KindCode {
			return b.castNumber(v, realScale, e)
		}
		v = b.settled(v, e.Offset)
		if !b.numeric(v, e.Offset) {
			return value{}
		}
		return v // kept exactly: a stored number has at most 9 decimals
	case CastDate:
		if v.lit != nil {
			v, _ = b.dated(v, e.Offset)
			return v
		}
		if v.col.Kind == KindDate {
			return v
		}
		if v.col.Kind == KindCode {
			return b.datesOf(v, dateForm(`(\d{4})-(\d{2})-(\d{2})`, "Ymd"), e.To.Try, e.Offset)
		}
	case CastBoolean:
		v = b.settled(v, e.Offset)
		if b.numeric(v, e.Offset) && v.col.Scale == 0 {
			if v.col.truth {
				return v
			}
			return b.asTruth(b.compute("CASE WHEN $0; = 0 THEN 0 WHEN $0; <> 0 THEN 1 END", Column{Kind: KindInt, Lo: 0, Hi: 1, step: 1, PublicKey: true}, v))
		}
	case CastText:
		return b.asText(v, e.Offset)
	}
	b.fail("cast", e.Offset)
	return value{}
}

// castInteger refuses a cast to a type that cannot hold every number inside the bounds.
func (b *builder) castInteger(v value, e *Expr) value {
	v = b.castNumber(v, 0, e)
	if b.err != nil || v.lit != nil {
		return v
	}
	lo, hi := int64(-1<<62), int64(1<<62)
	switch w := e.To.Width; {
	case w == 8 || w == 16 || w == 32:
		lo, hi = -1<<(w-1), 1<<(w-1)-1
	case w == -8 || w == -16 || w == -32:
		lo, hi = 0, 1<<-w-1
	case w < 0:
		lo = 0
	}
	if v.col.Lo < lo || v.col.Hi > hi {
		b.fail("cast-can-fail", e.Offset)
	}
	return v
}

func (b *builder) castNumber(v value, scale int, e *Expr) value {
	if b.kindOf(v) == KindCode {
		failed := false
		f := pow10(scale).Int64()
		v = b.mapNumber(v, e.Offset, func(s string) (int64, bool) {
			x, err := strconv.ParseInt(s, 10, 40)
			failed = failed || err != nil
			return x * f, err == nil
		})
		if failed && !e.To.Try {
			b.fail("cast-can-fail", e.Offset)
		}
		if b.err == nil && v.col != nil {
			c := *v.col
			c.Kind, c.Scale = kindOf(scale), scale
			v.col = &c
		}
		return v
	}
	v = b.settled(v, e.Offset)
	if !b.numeric(v, e.Offset) {
		return value{}
	}
	if v.col.Scale > scale {
		return b.toScale(v, scale)
	}
	v = b.rescale(v, scale, e.Offset)
	if b.err != nil {
		return value{}
	}
	return untrue(v)
}
