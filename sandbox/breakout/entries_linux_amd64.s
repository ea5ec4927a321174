#include "textflag.h"

// func int80(number, argument uintptr) uintptr
// The 32-bit gate of the kernel, where numbers mean other calls.
TEXT ·int80(SB), NOSPLIT, $0-24
	MOVQ number+0(FP), AX
	MOVQ argument+8(FP), BX
	INT  $0x80
	MOVQ AX, ret+16(FP)
	RET

// func thread(stack, flags uintptr) uintptr
// A thread without a runtime: it waits on the zero word that its stack points at, for ever.
TEXT ·thread(SB), NOSPLIT, $0-24
	MOVQ stack+0(FP), SI
	MOVQ flags+8(FP), DI
	XORL DX, DX
	XORL R10, R10
	XORL R8, R8
	MOVL $56, AX
	SYSCALL
	CMPQ AX, $0
	JEQ  wait
	MOVQ AX, ret+16(FP)
	RET
wait:
	MOVQ SP, DI
	XORL SI, SI
	XORL DX, DX
	XORL R10, R10
	MOVL $202, AX
	SYSCALL
	JMP  wait
