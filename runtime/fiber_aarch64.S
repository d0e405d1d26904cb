/* SPDX-License-Identifier: Apache-2.0 */
/* The context switch for AArch64 (AAPCS64): callee-saved registers on the stack, the low halves of v8 to v15 among
 * them, then the stacks change places. */
#if defined(__aarch64__)
    .text

/* void fiber_swap(void **save_stack_pointer, void *load_stack_pointer) */
    .globl fiber_swap
    .hidden fiber_swap
    .type fiber_swap, %function
    .p2align 4
fiber_swap:
    .cfi_startproc
    sub sp, sp, #160
    .cfi_def_cfa_offset 160
    stp x19, x20, [sp]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    .cfi_offset 29, -80
    .cfi_offset 30, -72
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    .cfi_def_cfa_offset 0
    .cfi_restore 29
    .cfi_restore 30
    ret
    .cfi_endproc
    .size fiber_swap, .-fiber_swap

/* void fiber_above(void *stack_pointer, void (*call)(void *), void *argument)
 * Calls call(argument) here and now; but to an unwinder that call stands on the stack that fiber_swap left at
 * `stack_pointer`: what it saved there is told as this function's caller. */
    .globl fiber_above
    .hidden fiber_above
    .type fiber_above, %function
    .p2align 4
fiber_above:
    .cfi_startproc
    stp x29, x30, [sp, #-32]!
    .cfi_def_cfa_offset 32
    .cfi_offset 29, -32
    .cfi_offset 30, -24
    str x19, [sp, #16]
    .cfi_offset 19, -16
    mov x19, x0
    mov x9, x1
    .cfi_remember_state
    .cfi_def_cfa 19, 160
    .cfi_offset 19, -160
    .cfi_offset 20, -152
    .cfi_offset 21, -144
    .cfi_offset 22, -136
    .cfi_offset 23, -128
    .cfi_offset 24, -120
    .cfi_offset 25, -112
    .cfi_offset 26, -104
    .cfi_offset 27, -96
    .cfi_offset 28, -88
    .cfi_offset 29, -80
    .cfi_offset 30, -72
    mov x0, x2
    blr x9
    .globl fiber_above_called
    .hidden fiber_above_called
fiber_above_called:
    .cfi_restore_state
    ldr x19, [sp, #16]
    .cfi_restore 19
    ldp x29, x30, [sp], #32
    .cfi_def_cfa_offset 0
    .cfi_restore 29
    .cfi_restore 30
    ret
    .cfi_endproc
    .size fiber_above, .-fiber_above

/* Where a fresh fiber begins: x19 holds its argument, x20 its entry (fiber.c laid them out). */
    .globl fiber_begin
    .hidden fiber_begin
    .type fiber_begin, %function
    .p2align 4
fiber_begin:
    .cfi_startproc
    .cfi_undefined 30
    mov x29, xzr
    mov x30, xzr
    mov x0, x19
    blr x20
    brk #0
    .cfi_endproc
    .size fiber_begin, .-fiber_begin

/* void fiber_jump(void *stack_top, void (*entry)(void *), void *argument): never returns */
    .globl fiber_jump
    .hidden fiber_jump
    .type fiber_jump, %function
    .p2align 4
fiber_jump:
    .cfi_startproc
    .cfi_undefined 30
    mov sp, x0
    mov x29, xzr
    mov x30, xzr
    mov x9, x1
    mov x0, x2
    blr x9
    brk #0
    .cfi_endproc
    .size fiber_jump, .-fiber_jump
#endif

    .section .note.GNU-stack, "", %progbits
