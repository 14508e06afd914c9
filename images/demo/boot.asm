; The demonstration floppy: a bootable tour of the PC, without an operating system.
;
; This file is the boot sector and pulls in all the rest; `nasm -f bin -I images/demo/ images/demo/boot.asm` makes the image.
; Everything runs in one real-mode segment: CS = DS = SS = 0, so an offset is a physical address. The code of the menu and
; of every page that an 8086 can show is assembled for an 8086; what needs more says `cpu 386` and is reached only after
; cpu.inc has found one.
;
;   00000h  interrupt vectors, BIOS data             20000h  page tables (protected.inc), the CRT (picture.inc)
;   07C00h  boot sector, then the rest of the image  30000h  lines of the machine page (machine.inc)
;   ....    variables, right after the image; the stack ends at 7C00h
bits 16
cpu 8086
org 0x7c00

SECTOR      equ 512
FIRST       equ 0x7e00                  ; where the second sector goes

    jmp short boot
    nop
    times 0x3e - ($ - $$) db 0          ; a BIOS that boots from USB may write drive parameters here

boot:
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    sti
    cld
    jmp 0:.here                         ; some BIOSes start us at 07C0:0000
.here:
    mov [boot_drive], dl

; ---- a disk or USB stick: by sector number, where the BIOS can; its geometry is a fiction
    test dl, 0x80
    jz geometry
    mov ah, 0x41
    mov bx, 0x55aa
    int 0x13
    jc geometry
    cmp bx, 0xaa55
    jne geometry
    mov ah, 0x42
    mov dl, [boot_drive]
    mov si, packet
    int 0x13
    jnc loaded

; ---- how many sectors has a track? The BIOS tells for disks. For floppies it knows the drive, not the disk in it, so
; ---- look for the highest sector number that can be read.
geometry:
    mov ah, 8
    mov dl, [boot_drive]
    int 0x13
    push ds
    pop es                              ; INT 13h AH=8 moves ES:DI
    jc .candidates
    and cl, 0x3f
    jz .candidates
    mov [track_sectors], cl
    test byte [boot_drive], 0x80
    jz .candidates
    mov al, dh
    mov ah, 0
    inc ax
    mov [heads], ax
    jmp load
.candidates:
    mov si, formats
.candidate:
    lodsb
    cmp al, [track_sectors]
    ja .candidate
    mov [track_sectors], al
    cmp al, 8
    je load                             ; every format has eight
    mov cl, al
    mov ch, 0
    mov dx, [boot_drive]
    mov ax, 0x0201
    mov bx, FIRST
    int 0x13
    jnc load
    mov ah, 0
    int 0x13
    jmp .candidate

; ---- load the rest, up to the end of a track at a time
load:
    mov word [lba], 1
    mov bx, FIRST
.next:
    mov ax, [lba]
    xor dx, dx
    div word [track_sectors]            ; AX track, DX sector of the track
    mov bp, [track_sectors]
    sub bp, dx
    mov di, SECTORS
    sub di, [lba]
    jbe loaded
    cmp bp, di
    jbe .fits
    mov bp, di                          ; BP: sectors of this transfer
.fits:
    mov cl, dl
    inc cx                              ; CL: sector, from 1
    xor dx, dx
    div word [heads]
    mov ch, al                          ; cylinder
    mov dh, dl                          ; head
    mov dl, [boot_drive]
    mov di, 4
.try:
    mov ax, bp
    mov ah, 2
    push di
    int 0x13
    pop di
    jnc .done
    mov ah, 0
    int 0x13
    mov bp, 1                           ; some BIOSes and drives read one at a time only
    dec di
    jnz .try
    cmp word [heads], 2                 ; no second side: a 160K or 180K disk
    mov word [heads], 1
    je load
error:
    mov si, text_error
.say:
    lodsb
    test al, al
    jz .wait
    mov ah, 0x0e
    mov bx, 7
    int 0x10
    jmp .say
.wait:
    mov ah, 0
    int 0x16
    int 0x19                            ; start over
load.done:
    add [lba], bp
    mov ax, bp
    mov ah, al
    mov al, 0
    shl ax, 1                           ; sectors * 512
    add bx, ax
    jmp load.next
loaded:
    cmp word [image_magic], MAGIC       ; wrong geometry would have loaded something else
    jne error
    jmp main

packet:         db 16, 0
                dw SECTORS - 1, FIRST, 0
                dq 1
boot_drive:     db 0, 0                 ; the second byte is head 0 of the probe
track_sectors:  dw 36
heads:          dw 2
lba:            dw 0
formats:        db 36, 21, 18, 15, 10, 9, 8
text_error:     db "Cannot read the demonstration disk. Press a key to try again.", 13, 10, 0

    times 446 - ($ - $$) db 0           ; the partition table of a disk stays empty
    times 510 - ($ - $$) db 0
    dw 0xaa55

; ---- the rest, by topic
%include "screen.inc"
%include "text.inc"
%include "main.inc"
%include "serial.inc"
%include "input.inc"
%include "rtc.inc"
%include "keyboard.inc"
%include "timer.inc"
%include "picture.inc"
%include "cpu.inc"
%include "pci.inc"
%include "machine.inc"
%include "protected.inc"
%include "power.inc"

MAGIC equ 0x4742                        ; "BG"
    align 2
image_magic:    dw MAGIC
    times (SECTOR - ($ - $$) % SECTOR) % SECTOR db 0
SECTORS equ ($ - $$) / SECTOR
variables_start:

%include "variables.inc"
