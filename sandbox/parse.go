package sandbox

import "carrel/sandbox/wire"

// codeComplex is what a text gets that killed its parser, or had to be stopped: seen by the parent only.
const codeComplex wire.Code = "too-complex"

// parseError words a failure. The words are ours: the engine's quote the text.
func parseError(f wire.Fail) *ParseError {
	e := &ParseError{Code: string(f.Code), Offset: f.Offset}
	switch f.Code {
	case wire.CodeTooLong:
		e.Message = "The query is longer than 64 KB; shorten it."
	case wire.CodeText:
		e.Message = "The query is not plain UTF-8 text; remove the bytes that are not text."
	case wire.CodeEmpty:
		e.Message = "There is no statement in the query; write one SELECT."
	case wire.CodeSelect:
		e.Message = "Only SELECT is possible here; write one SELECT."
	case wire.CodeMany:
		e.Message = "There is more than one statement; send one SELECT at a time."
	case wire.CodeTooDeep:
		e.Message = "The query is nested too deeply; flatten it."
	case codeComplex:
		e.Message = "The query takes too long to read; make it simpler."
	default:
		e.Code = string(wire.CodeSyntax)
		e.Message = "The query is not valid SQL at the marked place; check the words around it."
	}
	return e
}
