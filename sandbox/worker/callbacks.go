//go:build linux && cgo

package worker

/*
#include <stdlib.h>
#include <stdint.h>
#include <malloc.h>

typedef void *ptr;
extern void carrelBind(ptr);
extern void carrelInit(ptr);
extern void carrelLocal(ptr);
extern void carrelScan(ptr, ptr);
extern void carrelFree(ptr);

static ptr atBind(void)  { return (ptr)carrelBind; }
static ptr atInit(void)  { return (ptr)carrelInit; }
static ptr atLocal(void) { return (ptr)carrelLocal; }
static ptr atScan(void)  { return (ptr)carrelScan; }
static ptr atFree(void)  { return (ptr)carrelFree; }

// A handle travels through the engine inside a cell of C memory: the engine stores pointers, and Go's may not be stored.
static ptr box(uintptr_t h) { uintptr_t *p = malloc(sizeof *p); if (p) *p = h; return p; }
static uintptr_t unbox(ptr p) { return *(uintptr_t *)p; }
static void few_arenas(void) { mallopt(M_ARENA_MAX, 2); }
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go-bindings"
)

// callbackFailed is all that the engine hears of a panic: a value could be in it.
const callbackFailed = "scan"

// put hands a Go value to the engine, which frees it with carrelFree.
func put(v any) unsafe.Pointer {
	p := C.box(C.uintptr_t(cgo.NewHandle(v)))
	if p == nil {
		panic("out of memory") //nolint:forbidigo // inside the engine's call: every callback recovers it, and register has no state to lose
	}
	return unsafe.Pointer(p)
}

// get finds a value again; a pointer that holds another type panics, which every callback recovers.
func get[T any](p unsafe.Pointer) T {
	return cgo.Handle(C.unbox(C.ptr(p))).Value().(T)
}

// fewArenas keeps the C library from making an arena a thread: they fragment and are never given back.
func fewArenas() { C.few_arenas() }

// trim gives free memory back to the system after a job.
func trim() { C.malloc_trim(0) }

// register makes a table function of a table under a name of ours.
func register(d *database, name string, s *scanner) error {
	f := duckdb.CreateTableFunction()
	defer duckdb.DestroyTableFunction(&f)
	duckdb.TableFunctionSetName(f, name)
	duckdb.TableFunctionSetExtraInfo(f, put(s), unsafe.Pointer(C.atFree()))
	duckdb.TableFunctionSetBind(f, unsafe.Pointer(C.atBind()))
	duckdb.TableFunctionSetInit(f, unsafe.Pointer(C.atInit()))
	duckdb.TableFunctionSetLocalInit(f, unsafe.Pointer(C.atLocal()))
	duckdb.TableFunctionSetFunction(f, unsafe.Pointer(C.atScan()))
	duckdb.TableFunctionSupportsProjectionPushdown(f, true)
	if duckdb.RegisterTableFunction(d.conn, f) != duckdb.StateSuccess {
		return errEngine
	}
	return nil
}

//export carrelFree
func carrelFree(p C.ptr) {
	if p == nil {
		return
	}
	cgo.Handle(C.unbox(p)).Delete()
	C.free(unsafe.Pointer(p))
}

//export carrelBind
func carrelBind(p C.ptr) {
	info := duckdb.BindInfo{Ptr: unsafe.Pointer(p)}
	defer func() {
		if recover() != nil {
			duckdb.BindSetError(info, callbackFailed)
		}
	}()
	s := get[*scanner](duckdb.BindGetExtraInfo(info))
	s.bind(info)
	duckdb.BindSetBindData(info, put(s), unsafe.Pointer(C.atFree()))
}

//export carrelInit
func carrelInit(p C.ptr) {
	info := duckdb.InitInfo{Ptr: unsafe.Pointer(p)}
	defer func() {
		if recover() != nil {
			duckdb.InitSetError(info, callbackFailed)
		}
	}()
	g := get[*scanner](duckdb.InitGetBindData(info)).start(info)
	duckdb.InitSetInitData(info, put(g), unsafe.Pointer(C.atFree()))
}

//export carrelLocal
func carrelLocal(p C.ptr) {
	info := duckdb.InitInfo{Ptr: unsafe.Pointer(p)}
	defer func() {
		if recover() != nil {
			duckdb.InitSetError(info, callbackFailed)
		}
	}()
	duckdb.InitSetInitData(info, put(&cursor{batch: -1}), unsafe.Pointer(C.atFree()))
}

//export carrelScan
func carrelScan(p, out C.ptr) {
	info := duckdb.FunctionInfo{Ptr: unsafe.Pointer(p)}
	defer func() {
		if recover() != nil {
			duckdb.FunctionSetError(info, callbackFailed)
		}
	}()
	g := get[*scan](duckdb.FunctionGetInitData(info))
	c := get[*cursor](duckdb.FunctionGetLocalInitData(info))
	g.next(c, duckdb.DataChunk{Ptr: unsafe.Pointer(out)})
}
