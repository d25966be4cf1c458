/* A program that ends at once, linked to an address at which there is no other: see functions.c. */
.globl _start
_start:
	mov $60, %eax
	xor %edi, %edi
	syscall
