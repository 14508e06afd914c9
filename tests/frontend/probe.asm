; A ROM of 64 KiB for tests of the frontend: it shows on COM1 what reaches the guest, and does what it is told, without any
; firmware in between. Under --speed 1 it costs next to nothing, so a test runs in a blink even under sanitizers.
;
; It says "ready" and then, for ever:
;   each scan code of the keyboard      "k1e " (translated, set 1)
;   each byte on COM1                   the same byte, but for
;     E exits by the debug-exit port (0501h) with 10h      T makes a triple fault
;     P powers off (PIIX4: SLP_EN with S5)                 R resets by port 64h
;     H halts with interrupts off                          W writes 64 KiB of text
;     V puts "Beige" into the memory of the text screen     F prints fw_cfg's files "opt/..." with 8 bytes of each
        bits 16
        org 0

COM1    equ 3f8h
PMBASE  equ 600h

start:  cli
        cld
        xor ax, ax
        mov ss, ax
        mov sp, 7c00h
        mov ax, cs
        mov ds, ax
        mov dx, COM1 + 3                ; 8 bits, no parity
        mov al, 3
        out dx, al
        mov dx, COM1 + 2                ; FIFOs on and empty
        mov al, 7
        out dx, al
        mov al, 60h                     ; 8042 command byte: translate, no interrupts, no mouse
        out 64h, al
        mov al, 64h
        out 60h, al
        mov si, ready
        call print

poll:   mov dx, COM1 + 5
        in al, dx
        test al, 1
        jnz serial
        in al, 64h
        test al, 1
        jz poll
        in al, 60h
        mov ah, al
        mov al, 'k'
        call put
        call hex
        mov al, ' '
        call put
        jmp poll

serial: mov dx, COM1
        in al, dx
        mov si, table
.next:  cmp byte [si], 0
        je .echo
        cmp al, [si]
        je .found
        add si, 3
        jmp .next
.echo:  call put
        jmp poll
.found: jmp [si + 1]

table:  db 'E'
        dw do_exit
        db 'T'
        dw do_triple
        db 'P'
        dw do_power
        db 'R'
        dw do_reset
        db 'H'
        dw do_halt
        db 'W'
        dw do_write
        db 'V'
        dw do_screen
        db 'F'
        dw do_files
        db 0

do_exit:
        mov dx, 501h
        mov al, 10h
        out dx, al
        jmp poll

do_triple:
        lidt [empty]
        int3

do_power:                               ; PCI 0:1.3, the PIIX4's power management: PMBASE, then enable
        mov eax, 80000b40h
        mov dx, 0cf8h
        out dx, eax
        mov eax, PMBASE | 1
        mov dx, 0cfch
        out dx, eax
        mov eax, 80000b80h
        mov dx, 0cf8h
        out dx, eax
        mov al, 1
        mov dx, 0cfch
        out dx, al
        mov dx, PMBASE + 4              ; PM1 control: SLP_TYP 0, SLP_EN
        mov ax, 2000h
        out dx, ax
        jmp poll

do_reset:
        mov al, 0feh
        out 64h, al
do_halt:
        hlt
        jmp do_halt

; The directory (item 19h): a big-endian count, then entries of 64 bytes: size, key, reserved, name. Ours may come after
; others, and names are zero-terminated.
do_files:
        mov ax, 19h
        call select
        in al, dx
        in al, dx
        in al, dx
        mov ah, al
        in al, dx
        xchg al, ah
        mov bp, ax                      ; entries left
        xor bx, bx                      ; and read
.entry: or bp, bp
        jz poll
        dec bp
        mov ax, 19h
        call select
        mov cx, bx                      ; skip what was read, and the size
        shl cx, 6
        add cx, 4 + 4
        call skip
        in al, dx
        mov ah, al
        in al, dx
        mov si, ax                      ; key
        mov cx, 2
        call skip
        inc bx
        in al, dx
        cmp al, 'o'
        jne .entry
        in al, dx
        cmp al, 'p'
        jne .entry
        mov cx, 54
        mov al, 'p'
.name:  call put
        mov dx, 511h
        in al, dx
        or al, al
        loopnz .name
        mov al, '='
        call put
        mov ax, si
        call select
        mov cx, 8
.data:  mov dx, 511h
        in al, dx
        call put
        loop .data
        mov al, 10
        call put
        jmp .entry

select: mov dx, 510h
        out dx, ax
        inc dx
        ret

skip:   in al, dx
        loop skip
        ret

do_write:
        mov cx, 1024
.line:  mov si, rule
        call print
        loop .line
        jmp poll

do_screen:
        mov ax, 0b800h
        mov es, ax
        xor di, di
        mov si, beige
        mov ah, 7
.next:  lodsb
        test al, al
        jz poll
        stosw
        jmp .next

; ---- AL to COM1, DS:SI to COM1, AH as two digits
put:    push ax
        mov dx, COM1 + 5
.wait:  in al, dx
        test al, 20h
        jz .wait
        pop ax
        mov dx, COM1
        out dx, al
        ret

print:  lodsb
        test al, al
        jz .done
        call put
        jmp print
.done:  ret

hex:    mov al, ah
        shr al, 4
        call digit
        mov al, ah
        and al, 0fh
digit:  add al, '0'
        cmp al, '9'
        jbe put
        add al, 'a' - '0' - 10
        jmp put

ready:  db 'ready', 10, 0
rule:   times 63 db '='
        db 10, 0
beige:  db 'Beige', 0
empty:  dw 0, 0, 0

        times 0fff0h - ($ - $$) db 0
        jmp 0f000h:start
        times 10000h - ($ - $$) db 0
