; A 64 KiB ROM that keeps the machine busy for ever: interrupts from the timer and the RTC, the serial port, the keyboard
; controller, DMA page registers, video memory in several modes, self-modifying code, protected mode with paging, the FPU.
; The snapshot and state hash tests run it; it needs no other firmware. Real-mode data lives at 0500h, the stack below 7C00h.
cpu 686
bits 16
org 0

%macro outb 2
    mov dx, %1
    mov al, %2
    out dx, al
%endmacro

ticks   equ 0x500
rtcs    equ 0x504
keys    equ 0x508
rounds  equ 0x50c
sum     equ 0x510
patch   equ 0x600                 ; code that is rewritten while it runs
pgdir   equ 0x10000
pgtab   equ 0x11000

start:
    cli
    cld
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    mov di, 0x500
    mov cx, 0x100
    rep stosw
    ; vectors: all to a plain IRET, then ours
    xor di, di
    mov cx, 256
.vec:
    mov word [di], nothing
    mov word [di + 2], cs
    add di, 4
    loop .vec
    mov word [8 * 4], on_timer
    mov word [9 * 4], on_key
    mov word [0x70 * 4], on_rtc
    ; 8259A pair: vectors 08h and 70h; timer, keyboard, cascade and RTC open
    outb 0x20, 0x11
    outb 0x21, 0x08
    outb 0x21, 0x04
    outb 0x21, 0x01
    outb 0xa0, 0x11
    outb 0xa1, 0x70
    outb 0xa1, 0x02
    outb 0xa1, 0x01
    outb 0x21, 0xf8
    outb 0xa1, 0xfe
    ; 8254: 1 kHz on channel 0, a tone on channel 2
    outb 0x43, 0x34
    outb 0x40, 0xa9
    outb 0x40, 0x04
    outb 0x43, 0xb6
    outb 0x42, 0x00
    outb 0x42, 0x05
    in al, 0x61
    or al, 3
    out 0x61, al
    ; RTC: periodic interrupt
    outb 0x70, 0x0a
    outb 0x71, 0x26
    outb 0x70, 0x0b
    outb 0x71, 0x42
    outb 0x70, 0x0c
    in al, 0x71
    ; serial port: 115200 8N1, FIFO
    outb 0x3fb, 0x83
    outb 0x3f8, 0x01
    outb 0x3f9, 0x00
    outb 0x3fb, 0x03
    outb 0x3fa, 0x07
    outb 0x3fc, 0x0b
    ; keyboard interface on, interrupt on
    outb 0x64, 0xae
    outb 0x64, 0x60
    outb 0x60, 0x41
    ; A20
    outb 0x92, 0x02
    ; paging: identity map of the first 4 MiB
    mov ax, pgdir >> 4
    mov es, ax
    xor di, di
    xor eax, eax
    mov cx, 1024
    rep stosd
    mov dword [es:0], pgtab | 3
    mov di, pgtab - pgdir
    mov eax, 3
    mov cx, 1024
.page:
    stosd
    add eax, 0x1000
    loop .page
    fninit
    sti

round:
    inc dword [rounds]
    ; a character, when the port can take it
    mov dx, 0x3fd
    in al, dx
    test al, 0x20
    jz .no_tx
    mov dx, 0x3f8
    mov al, [rounds]
    and al, 0x3f
    add al, ' '
    out dx, al
.no_tx:
    ; code that changes itself: the immediate of an ADD
    mov byte [patch], 0x05                ; ADD AX, imm16
    mov ax, [rounds]
    mov [patch + 1], ax
    mov byte [patch + 3], 0xcb           ; RETF
    mov ax, [ticks]
    call 0:patch
    add [sum], ax
    ; strings over video memory
    mov ax, 0xb800
    mov es, ax
    mov di, [rounds]
    and di, 0x0ffe
    mov ax, [sum]
    mov cx, 37
    rep stosw
    push ds
    push es
    pop ds
    xor si, si
    mov di, 0x2000
    mov cx, 100
    rep movsw
    pop ds
    ; planes: write mode and bit mask
    mov dx, 0x3ce
    mov ax, 0x0005
    out dx, ax
    mov al, 8
    mov ah, [rounds]
    out dx, ax
    ; the FPU
    fild dword [rounds]
    fsqrt
    fild dword [ticks]
    faddp st1
    fistp dword [sum + 4]
    ; chips that are read
    mov al, 0
    out 0x43, al
    in al, 0x40
    mov ah, al
    in al, 0x40
    add [sum + 8], ax
    mov al, 0
    out 0x70, al
    in al, 0x71
    add [sum + 12], al
    mov dx, 0x3da
    in al, dx
    add [sum + 13], al
    ; protected mode with paging and back
    cli
    o32 lgdt [cs:gdtr]
    mov eax, pgdir
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80000001
    mov cr0, eax
    jmp dword 8:0xf0000 + paged
bits 32
paged:
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov ecx, 200
    mov esi, 0x500
    mov edi, 0x180000
    rep movsb
    mov eax, [0x180000 + (rounds - 0x500)]
    imul eax, eax, 0x9e3779b1
    mov edx, eax
    shr edx, 7
    and edx, 0xffffc
    xor [0x200000 + edx], eax
    mov ax, 24
    mov ds, ax
    mov es, ax
    jmp 32:back
bits 16
back:
    mov eax, cr0
    and eax, 0x7ffffffe
    mov cr0, eax
    jmp 0xf000:real
real:
    xor ax, ax
    mov ds, ax
    mov es, ax
    sti
    ; every sixteenth round wait for an interrupt
    test byte [rounds], 15
    jnz round
    hlt
    jmp round

nothing:
    iret

on_timer:
    push ax
    push ds
    xor ax, ax
    mov ds, ax
    inc dword [ticks]
    mov al, 0x20
    out 0x20, al
    pop ds
    pop ax
    iret

on_key:
    push ax
    push ds
    xor ax, ax
    mov ds, ax
    in al, 0x60
    mov [keys + 1], al
    inc byte [keys]
    mov al, 0x20
    out 0x20, al
    pop ds
    pop ax
    iret

on_rtc:
    push ax
    push ds
    xor ax, ax
    mov ds, ax
    inc dword [rtcs]
    mov al, 0x0c
    out 0x70, al
    in al, 0x71
    mov al, 0x20
    out 0xa0, al
    out 0x20, al
    pop ds
    pop ax
    iret

align 8
gdt:
    dq 0
    dq 0x00cf9b000000ffff                  ; 08h code, 32 bits, flat
    dq 0x00cf93000000ffff                  ; 10h data, flat
    dq 0x000093000000ffff                  ; 18h data, 64 KiB, as real mode wants it
    dq 0x00009b0f0000ffff                  ; 20h code, 16 bits, at F0000h
gdtr:
    dw 39
    dd 0xf0000 + gdt

times 0xfff0 - ($ - $$) db 0xff
    jmp 0xf000:start
times 0x10000 - ($ - $$) db 0xff
