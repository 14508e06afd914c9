; A floppy that turns the guest into a remote control for its display adapter: tests/guest/modes.py sends a line on
; COM1, this program does it with the BIOS, the ports and the video memory, and answers with a line. What a video mode is and
; what it should look like is known in modes.py alone; here is only what has to run inside the machine.
;
; A line is a letter and hexadecimal numbers, a space before each:
;
;   i AX BX CX DX        INT 10h with ES:DI = 2000:0000; answers AX BX CX DX ES BP
;   o PORT VALUE         OUT of a byte
;   x PORT INDEX VALUE   OUT of an index and a value at the next port
;   r PORT INDEX         the byte behind an index
;   a INDEX VALUE        attribute controller (INDEX with bit 5 set, or the picture is off)
;   d                    all 256 colours of the DAC: red 21n, green 11n + 7, blue n / 4, of each the low six bits
;   w SEG LENGTH AT SALT LENGTH bytes of the pattern from address AT on, at SEG:0000 (multiples of 4, at most 64 KiB)
;   b LENGTH SALT        the pattern from address 0 on, through the VBE window, bank by bank
;   l BASE LENGTH SALT   the pattern from address 0 on, at the 32-bit address BASE
;   t SEG COUNT SALT     text cells: cell n has character n + SALT and attribute 37n + (n >> 8) + SALT
;
; The pattern: byte a is (a ^ ((a >> 8) * 93 + (a >> 16) * 39 + SALT)) & 255. No two blocks of 256 bytes near each other are
; alike, and each has every byte once.
        bits    16
        cpu     386
        org     0x7c00

COM1    equ     0x3f8
BUFFER  equ     0x2000                  ; segment of what INT 10h answers

        jmp     0:start
start:  cli
        xor     ax, ax
        mov     ds, ax
        mov     es, ax
        mov     ss, ax
        mov     sp, 0x7c00
        sti
        cld
        mov     ax, 0x0200 + (end - main + 511) / 512
        mov     cx, 2
        mov     dh, 0
        mov     bx, 0x7e00
        int     0x13
        jc      $
        jmp     main

; ---- the serial port

serial_init:                            ; 115200 8N1, FIFOs, no interrupts
        mov     dx, COM1 + 3
        mov     al, 0x80
        out     dx, al
        mov     dx, COM1
        mov     al, 1
        out     dx, al
        inc     dx
        mov     al, 0
        out     dx, al
        mov     dx, COM1 + 3
        mov     al, 3
        out     dx, al
        mov     dx, COM1 + 1
        mov     al, 0
        out     dx, al
        inc     dx
        mov     al, 7
        out     dx, al
        mov     dx, COM1 + 4
        mov     al, 3
        out     dx, al
        ret

get:    push    dx                      ; AL = a byte
        mov     dx, COM1 + 5
.wait:  in      al, dx
        test    al, 1
        jz      .wait
        mov     dx, COM1
        in      al, dx
        pop     dx
        ret

put:    push    dx                      ; sends AL
        push    ax
        mov     dx, COM1 + 5
.wait:  in      al, dx
        test    al, 0x20
        jz      .wait
        pop     ax
        mov     dx, COM1
        out     dx, al
        pop     dx
        ret

put_digit:                              ; the low four bits of AL
        and     al, 15
        add     al, '0'
        cmp     al, '9'
        jbe     put
        add     al, 'a' - '0' - 10
        jmp     put

put_byte:
        push    ax
        shr     al, 4
        call    put_digit
        pop     ax
        jmp     put_digit

put_word:                               ; AX and a space
        push    ax
        mov     al, ah
        call    put_byte
        pop     ax
        call    put_byte
        mov     al, ' '
        jmp     put

        times   510 - ($ - $$) db 0
        dw      0xaa55

; ---- the command loop

main:   call    serial_init
        mov     si, hello
.hello: lodsb
        or      al, al
        jz      next
        call    put
        jmp     .hello
next:   xor     ax, ax
        mov     ds, ax
        mov     es, ax
.skip:  call    get
        cmp     al, ' '
        jbe     .skip
        mov     [letter], al
        call    arguments
        mov     si, commands
.find:  lodsb
        or      al, al
        jz      .unknown
        cmp     al, [letter]
        je      .found
        lodsw
        jmp     .find
.unknown:
        mov     al, '?'
        call    put
        jmp     .done
.found: call    [si]
.done:  mov     al, 10
        call    put
        jmp     next

; The numbers of a line into arg[], which the rest of is zero.
arguments:
        mov     di, arg
        mov     cx, 16
        xor     ax, ax
        rep     stosw
        mov     di, arg - 4
        mov     bx, arg + 28            ; no more numbers than there is room for
.char:  call    get
        cmp     al, 10
        je      .end
        cmp     al, ' '
        jne     .digit
        cmp     di, bx
        jae     .char
        add     di, 4
        jmp     .char
.digit: sub     al, '0'
        cmp     al, 9
        jbe     .value
        sub     al, 'a' - '0' - 10
.value: and     eax, 15
        cmp     di, arg
        jb      .char
        shl     dword [di], 4
        or      [di], eax
        jmp     .char
.end:   ret

commands:
        db      'i'
        dw      bios
        db      'o'
        dw      out_byte
        db      'x'
        dw      out_pair
        db      'r'
        dw      in_pair
        db      'a'
        dw      attribute
        db      'd'
        dw      colours
        db      'w'
        dw      window
        db      'b'
        dw      banks
        db      'l'
        dw      linear
        db      't'
        dw      cells
        db      0
hello:  db      'modes ready', 10, 0

; ---- the commands

bios:   mov     ax, BUFFER
        mov     es, ax
        xor     di, di
        xor     bp, bp
        mov     ax, [arg]
        mov     bx, [arg + 4]
        mov     cx, [arg + 8]
        mov     dx, [arg + 12]
        int     0x10
        push    bp
        push    es
        push    dx
        push    cx
        push    bx
        push    ax
        xor     ax, ax
        mov     ds, ax
        mov     cx, 6
.put:   pop     ax
        call    put_word
        loop    .put
        ret

out_byte:
        mov     dx, [arg]
        mov     al, [arg + 4]
        out     dx, al
        ret

out_pair:
        mov     dx, [arg]
        mov     al, [arg + 4]
        out     dx, al
        inc     dx
        mov     al, [arg + 8]
        out     dx, al
        ret

in_pair:
        mov     dx, [arg]
        mov     al, [arg + 4]
        out     dx, al
        inc     dx
        in      al, dx
        jmp     put_byte

attribute:                              ; a read of input status 1, at either address, makes 3C0h an index
        mov     dx, 0x3ba
        in      al, dx
        mov     dl, 0xda
        in      al, dx
        mov     dl, 0xc0
        mov     al, [arg]
        out     dx, al
        mov     al, [arg + 4]
        out     dx, al
        ret

colours:
        mov     dx, 0x3c8
        mov     al, 0
        out     dx, al
        inc     dx
        xor     cx, cx
.next:  mov     al, 21
        mul     cl
        and     al, 63
        out     dx, al
        mov     al, 11
        mul     cl
        add     al, 7
        and     al, 63
        out     dx, al
        mov     al, cl
        shr     al, 2
        out     dx, al
        inc     cl
        jnz     .next
        ret

window: mov     es, [arg]
        xor     edi, edi
        mov     ecx, [arg + 4]
        mov     ebx, [arg + 8]
        mov     dl, [arg + 12]
        jmp     pattern

banks:  mov     word [bank], 0
.bank:  mov     ax, 0x4f05
        xor     bx, bx
        mov     dx, [bank]
        int     0x10
        mov     ax, 0xa000
        mov     es, ax
        xor     edi, edi
        movzx   ebx, word [bank]
        shl     ebx, 16
        mov     ecx, [arg]
        sub     ecx, ebx
        cmp     ecx, 0x10000
        jbe     .last
        mov     ecx, 0x10000
.last:  mov     dl, [arg + 4]
        call    pattern
        inc     word [bank]
        cmp     ebx, [arg]              ; the pattern left off there
        jb      .bank
        ret

; ES with a 4 GiB limit: loaded in protected mode, kept in real mode until it is loaded anew.
linear: cli
        lgdt    [gdt_pointer]
        mov     eax, cr0
        or      al, 1
        mov     cr0, eax
        mov     bx, 8
        mov     es, bx
        and     al, 0xfe
        mov     cr0, eax
        mov     edi, [arg]
        mov     ecx, [arg + 4]
        xor     ebx, ebx
        mov     dl, [arg + 8]
        call    pattern
        xor     ax, ax
        mov     es, ax
        sti
        ret

cells:  mov     es, [arg]
        xor     di, di
        xor     bx, bx
.cell:  mov     ax, bx
        imul    ax, 37
        add     al, bh
        add     al, [arg + 8]
        mov     ah, al
        mov     al, bl
        add     al, [arg + 8]
        stosw
        inc     bx
        cmp     bx, [arg + 4]
        jb      .cell
        ret

; ECX bytes of the pattern from address EBX on, with salt DL, at ES:EDI. EBX and EDI move on.
pattern:
        shr     ecx, 2
.next:  mov     eax, ebx
        shr     eax, 8
        imul    eax, eax, 93
        mov     esi, ebx
        shr     esi, 16
        imul    esi, esi, 39
        add     eax, esi
        add     al, dl
        movzx   eax, al
        imul    eax, eax, 0x01010101
        movzx   esi, bl
        imul    esi, esi, 0x01010101
        add     esi, 0x03020100
        xor     eax, esi
        mov     [es:edi], eax
        add     edi, 4
        add     ebx, 4
        dec     ecx
        jnz     .next
        ret

        align   8
gdt:    dq      0, 0x00cf92000000ffff
gdt_pointer:
        dw      15
        dd      gdt
end:

absolute 0x7000
arg:    resd    8
letter: resb    1
bank:   resw    1
