// Package wire is the language between the broker and its jailed child: length-prefixed frames over one inherited AF_UNIX
// stream socket, with a JSON header and, where there is bulk, a payload (SQL text, a syntax tree, or int64 columns).
//
// It promises: no frame makes its reader allocate more than the stated limit of its kind, whatever the other side claims;
// a frame that is malformed, of an unexpected kind, with unknown header fields or with a payload of another size than its
// header says is an error and never a partial value; file descriptors are accepted only by the side that asks for them
// (the child) and only as many as the frame announces. Both sides treat the other as hostile: the child because a
// hostile text may have taken it over, the broker's bytes because the child should not need to trust them either.
//
// It does not promise that a well-formed answer is true: that is the business of the answer gate, which knows the plan.
package wire
