; The demonstration floppy: boot sector.
bits 16
org 0x7c00
start:
    cli
    xor ax, ax
    mov ds, ax
    mov ss, ax
    mov sp, 0x7c00
    sti
    cld
    mov si, text
.next:
    lodsb
    test al, al
    jz .wait
    mov ah, 0x0e
    mov bx, 7
    int 0x10
    jmp .next
.wait:
    xor ah, ah
    int 0x16
    mov ah, 0x0e
    int 0x10
    jmp .wait
text: db "Beige demonstration floppy", 13, 10, 0
times 510 - ($ - $$) db 0
dw 0xaa55
