/* SPDX-License-Identifier: Apache-2.0 */
/* The context switch for x86-64 (System V ABI): callee-saved registers on the stack, then the stacks change places. */
#if defined(__x86_64__)
    .text

/* void fiber_swap(void **save_stack_pointer, void *load_stack_pointer) */
    .globl fiber_swap
    .hidden fiber_swap
    .type fiber_swap, @function
    .p2align 4
fiber_swap:
    .cfi_startproc
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size fiber_swap, .-fiber_swap

/* void fiber_above(void *stack_pointer, void (*call)(void *), void *argument)
 * Calls call(argument) here and now; but to an unwinder that call stands on the stack that fiber_swap left at
 * `stack_pointer`: what it saved there is told as this function's caller. */
    .globl fiber_above
    .hidden fiber_above
    .type fiber_above, @function
    .p2align 4
fiber_above:
    .cfi_startproc
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_offset rbx, -16
    movq %rdi, %rbx
    .cfi_remember_state
    .cfi_def_cfa rbx, 56
    .cfi_offset rbp, -16
    .cfi_offset rbx, -24
    .cfi_offset r12, -32
    .cfi_offset r13, -40
    .cfi_offset r14, -48
    .cfi_offset r15, -56
    movq %rdx, %rdi
    callq *%rsi
    .globl fiber_above_called
    .hidden fiber_above_called
fiber_above_called:
    .cfi_restore_state
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore rbx
    ret
    .cfi_endproc
    .size fiber_above, .-fiber_above

/* Where a fresh fiber begins: r12 holds its argument, r13 its entry (fiber.c laid them out). */
    .globl fiber_begin
    .hidden fiber_begin
    .type fiber_begin, @function
    .p2align 4
fiber_begin:
    .cfi_startproc
    .cfi_undefined rip
    xorl %ebp, %ebp
    movq %r12, %rdi
    callq *%r13
    ud2
    .cfi_endproc
    .size fiber_begin, .-fiber_begin

/* void fiber_jump(void *stack_top, void (*entry)(void *), void *argument): never returns */
    .globl fiber_jump
    .hidden fiber_jump
    .type fiber_jump, @function
    .p2align 4
fiber_jump:
    .cfi_startproc
    .cfi_undefined rip
    movq %rdi, %rsp
    xorl %ebp, %ebp
    movq %rdx, %rdi
    callq *%rsi
    ud2
    .cfi_endproc
    .size fiber_jump, .-fiber_jump
#endif

    .section .note.GNU-stack, "", @progbits
