; micro.asm - a boot disk that times kinds of instructions. Fixed work: the host measures, see run in this folder.
;
; Each row of the table at the end is a body (a loop that counts ECX down) and a mode to run it in. The driver stays in
; real mode: it prints "BEGIN name", goes into the row's mode, calls the body, comes back, and prints "END name loops
; per-loop" on COM1. The same 16-bit bodies run in real, 16-bit protected and virtual-8086 mode. The last line is DONE;
; then isa-debug-exit at F4h ends the emulator, or the shutdown port of Bochs. The host finds the table by the mark ROWTABLE
; before it and may change loops, or make a row want a CPU feature that nobody has.
;
;   00600  saved SP and the like        20000  data of 16-bit rows, 64 KiB, and 30000 the same
;   07c00  boot sector and all code     100000 page directory and tables: 16 MiB identity, user accessible
;   10000  IDT, TSS                     200000 data of 32-bit rows, up to 600000
SECTORS     equ 24                      ; after the boot sector
IDT         equ 0x10000
TSS         equ 0x10800
STACK32     equ 0x1ff00
STACK_USER  equ 0x1f000
PAGES       equ 0x100000
DATA32      equ 0x200000
saved_sp    equ 0x600
row         equ 0x602
body        equ 0x604
features    equ 0x608
scratch     equ 0x610

            bits 16
            org 0x7c00
start:      cli
            cld
            xor ax, ax
            mov ds, ax
            mov es, ax
            mov ss, ax
            mov sp, 0x7000
            mov bp, uart_setup
            mov cx, (uart_setup_end - uart_setup) / 2
.uart:      movzx dx, byte [bp]         ; COM1: 115200 baud, 8 bits, no parity, FIFOs on
            or dh, 3
            mov al, [bp + 1]
            out dx, al
            add bp, 2
            loop .uart
            mov si, hello               ; the first serial byte: what firmware and start cost
            mov dx, 0x3f8
            mov al, '.'
            out dx, al
            sti
            mov dl, 0x80
            mov ax, 0x0200 + SECTORS    ; CHS 0/0/2: all on the first track
            mov bx, 0x7e00
            mov cx, 2
            mov dh, 0
            int 0x13
            jc .failed
            cli
            jmp driver
.failed:    hlt
            jmp .failed
uart_setup: db 0xf9, 0, 0xfb, 0x80, 0xf8, 1, 0xf9, 0, 0xfb, 3, 0xfa, 7
uart_setup_end:
hello:      db 10, "MICRO", 10, 0
            times 446 - ($ - $$) db 0
            db 0x80, 0, 1, 0, 0x0c, 15, 63, 19      ; one active partition, so that any BIOS boots it
            dd 1, 20159
            times 510 - ($ - $$) db 0
            dw 0xaa55

; ---- the driver: real mode, interrupts off

driver:     in al, 0x92                 ; A20 on
            or al, 2
            and al, 0xfe
            out 0x92, al
            mov si, hello
            call puts
            mov word [0x60 * 4], iret16
            mov word [0x60 * 4 + 2], 0
            call tables
            mov eax, 1
            cpuid
            mov [features], edx
            mov word [row], rows
.next:      mov bx, [row]
            cmp word [bx], 0
            je done
            mov eax, [bx + 8]
            test eax, eax
            jz .take
            test eax, [features]
            jz .skip
.take:      mov si, begin
            call puts
            mov si, [bx]
            call puts
            mov al, 10
            call putc
            movzx eax, word [bx + 2]
            mov [body], eax
            mov ecx, [bx + 12]
            call word [bx + 4]
            mov si, end
            call puts
            mov bx, [row]
            mov si, [bx]
            call puts
            mov al, ' '
            call putc
            mov eax, [bx + 12]
            call putn
            mov al, ' '
            call putc
            movzx eax, word [bx + 6]
            call putn
            mov al, 10
            call putc
.skip:      add word [row], 16
            jmp .next

done:       mov si, bye
            call puts
            mov dx, 0x3fd               ; until the last byte has left
.drain:     in al, dx
            test al, 0x40
            jz .drain
            mov al, 0
            out 0xf4, al
            mov si, shutdown
            mov dx, 0x8900
.port:      lodsb
            out dx, al
            test al, al
            jnz .port
.halt:      hlt
            jmp .halt

begin:      db "BEGIN ", 0
end:        db "END ", 0
bye:        db "DONE", 10, 0
shutdown:   db "Shutdown", 0

puts:       lodsb
            test al, al
            jz .end
            call putc
            jmp puts
.end:       ret
putc:       mov ah, al
            mov dx, 0x3fd
.wait:      in al, dx
            test al, 0x20
            jz .wait
            mov dx, 0x3f8
            mov al, ah
            out dx, al
            ret
putn:       mov edi, 10                 ; EAX in decimal
            xor cx, cx
.digit:     xor edx, edx
            div edi
            push dx
            inc cx
            test eax, eax
            jnz .digit
.out:       pop ax
            add al, '0'
            call putc
            loop .out
            ret
iret16:     iret

; ---- ways into each mode and back. In: ECX loops, [body] what to call.

in_real:    mov ax, 0x2000
            mov ds, ax
            mov ax, 0x3000
            mov es, ax
            call word [cs:body]
back_real:  xor ax, ax
            mov ds, ax
            mov es, ax
            ret

in_planar:  push ecx                    ; 640 x 480 in 16 colours
            mov ax, 0x12
            sti
            int 0x10
            cli
            pop ecx
            mov dx, 0x3ce               ; bit mask AAh: each write needs the latches
            mov ax, 0xaa08
            out dx, ax
            mov ax, 0xa000
            mov es, ax
            call word [body]
            mov ax, 3
            sti
            int 0x10
            cli
            jmp back_real

%macro      TO_PROTECTED 0
            mov [saved_sp], sp
            lgdt [gdtr]
            lidt [idtr]
            mov eax, cr0
            or al, 1
            mov cr0, eax
%endmacro

in_pm16:    TO_PROTECTED
            jmp CODE16:.here
.here:      mov ax, DATA16
            mov ss, ax
            mov ax, DATA16_2
            mov ds, ax
            mov ax, DATA16_3
            mov es, ax
            call word [cs:body]
back16:     mov ax, DATA16              ; real mode wants 64 KiB limits
            mov ds, ax
            mov es, ax
            mov fs, ax
            mov gs, ax
            mov ss, ax
            mov eax, cr0
            and eax, 0x7ffffffe
            mov cr0, eax
            jmp 0:.real
.real:      xor ax, ax
            mov ds, ax
            mov es, ax
            mov ss, ax
            mov sp, [saved_sp]
            lidt [idtr_real]
            ret

in_flat:    TO_PROTECTED
            jmp dword CODE32:flat
in_paged:   TO_PROTECTED
            jmp dword CODE32:paged
in_user:    TO_PROTECTED
            jmp dword CODE32:user
in_v86:     TO_PROTECTED
            jmp dword CODE32:v86

            bits 32
%macro      FLAT 0
            mov ax, DATA32_SEL
            mov ds, ax
            mov es, ax
            mov ss, ax
            mov esp, STACK32
            mov esi, DATA32
            mov edi, DATA32 + 0x20000
%endmacro
flat:       FLAT
            call [body]
back32:     jmp CODE16:back16           ; paging, if on, ends there: the map is the identity
paged:      FLAT
            call paging_on
            call [body]
            jmp back32
user:       FLAT
            call paging_on
            call task_register
            push dword USER_DATA
            push dword STACK_USER
            push dword 2
            push dword USER_CODE
            push dword .ring3
            iretd
.ring3:     mov ax, USER_DATA
            mov ds, ax
            mov es, ax
            call [body]
            int 0xff
v86:        FLAT
            call task_register
            push dword 0                ; GS, FS, DS, ES
            push dword 0
            push dword 0x2000
            push dword 0x3000
            push dword 0                ; SS:SP
            push dword 0x6f00
            push dword 0x23002          ; VM, IOPL 3: INT n goes to the IDT
            push dword 0
            push dword .inside
            iretd
            bits 16
.inside:    call word [cs:body]
            int 0xff
            bits 32
leave_ring: FLAT                        ; INT FFh, from ring 3 or V86
            jmp back32
iret32:     iretd

paging_on:  mov eax, PAGES
            mov cr3, eax
            mov eax, cr0
            or eax, 0x80000000
            mov cr0, eax
            jmp .on
.on:        ret
task_register:
            mov byte [gdt + TSS_SEL + 5], 0x89      ; available
            mov dword [TSS + 4], STACK32
            mov dword [TSS + 8], DATA32_SEL
            mov word [TSS + 0x66], 0x68
            mov ax, TSS_SEL
            ltr ax
            ret

            bits 16
; IDT with two gates, page tables for 16 MiB. Runs once, in real mode, through a flat mode of its own.
tables:     mov dword [body], .fill
            call in_flat
            ret
            bits 32
.fill:      mov edi, IDT
            mov ecx, 0x1000 / 4
            xor eax, eax
            rep stosd
            mov edi, IDT + 0x60 * 8
            mov eax, iret32
            call .gate
            mov edi, IDT + 0xff * 8
            mov eax, leave_ring
            call .gate
            mov edi, PAGES
            mov eax, PAGES + 0x1000 + 7
            mov ecx, 4
.directory: stosd
            add eax, 0x1000
            loop .directory
            mov ecx, 1020
            xor eax, eax
            rep stosd
            mov eax, 7
            mov ecx, 4096
.table:     stosd
            add eax, 0x1000
            loop .table
            mov eax, cr4                ; OSFXSR where there is SSE
            mov edx, eax
            mov eax, 1
            push edx
            cpuid
            test edx, 1 << 25
            pop edx
            jz .no_sse
            or edx, 0x200
            mov cr4, edx
.no_sse:    fninit
            ret
.gate:      mov [edi], ax
            mov word [edi + 2], CODE32
            mov word [edi + 4], 0xee00  ; 32-bit interrupt gate, any ring
            shr eax, 16
            mov [edi + 6], ax
            ret

            align 8
gdt:        dq 0
CODE32      equ $ - gdt
            dq 0x00cf9a000000ffff
DATA32_SEL  equ $ - gdt
            dq 0x00cf92000000ffff
CODE16      equ $ - gdt
            dq 0x00009a000000ffff
DATA16      equ $ - gdt
            dq 0x000092000000ffff
DATA16_2    equ $ - gdt                 ; base 20000h
            dq 0x000092020000ffff
DATA16_3    equ $ - gdt
            dq 0x000092030000ffff
USER_CODE   equ ($ - gdt) | 3
            dq 0x00cffa000000ffff
USER_DATA   equ ($ - gdt) | 3
            dq 0x00cff2000000ffff
TSS_SEL     equ $ - gdt
            dq 0x0000890108000067
gdt_end:
gdtr:       dw gdt_end - gdt - 1
            dd gdt
idtr:       dw 0x7ff
            dd IDT
idtr_real:  dw 0x3ff
            dd 0

; ---- the bodies. LOOP closes one: two instructions more than the body's own.

%macro      BODY 1
            align 16
%1:
%%again:
%push       body
%define     %$again %%again
%endmacro
%macro      LOOP 0
            dec ecx
            jnz %$again
%pop
            ret
%endmacro

            bits 16
BODY b16_alu                            ; 32: registers only
            %rep 4
            add ax, bx
            xor dx, ax
            sub bp, dx
            shl bx, 1
            or bx, bp
            inc ax
            and dx, bp
            ror ax, 3
            %endrep
LOOP
BODY b16_mem                            ; 32: direct, indexed, stack
            xor si, si
            xor di, di
            %rep 5
            mov ax, [0x1000]
            add ax, [si + 0x1002]
            mov [si + 0x1004], ax
            push ax
            pop dx
            add [0x1006], dx
            %endrep
LOOP
BODY b16_string                         ; 10: single string instructions
            and si, 0x3ffe
            and di, 0x3ffe
            %rep 2
            lodsw
            stosw
            movsb
            scasb
            %endrep
LOOP
BODY b16_int                            ; 1 and the handler's IRET
            int 0x60
LOOP
BODY b16_seg                            ; 8: loads of ES, FS, GS and back
            mov ax, es
            mov es, ax
            push es
            pop es
            mov fs, ax
            mov gs, ax
            mov dx, fs
            nop
LOOP
BODY b16_far                            ; 2: far call and return within the segment
            push cs
            call .far
LOOP
.far:       retf
BODY b16_planar                         ; 6: latch, write, on to the next byte
            mov al, [es:di]
            mov [es:di], ah
            inc di
            and di, 0x7fff
            add ah, 3
            nop
LOOP
BODY b16_planar_fill                    ; 16,384 bytes
            push ecx
            xor di, di
            mov cx, 0x4000
            rep stosb
            pop ecx
LOOP
BODY b16_a20                            ; 4: off, on, off, ... and a look at memory
            in al, 0x92
            xor al, 2
            out 0x92, al
            mov dx, [0x1000]
LOOP
BODY b16_smi                            ; 1: a command that the firmware's SMM code does not know
            out 0xb2, al
LOOP

            bits 32
BODY b_alu                              ; 32
            %rep 4
            add eax, ebx
            xor edx, eax
            lea ebp, [eax + edx * 2 + 5]
            sub ebx, ebp
            shl edx, 3
            or eax, ebp
            inc ebx
            and edx, ebp
            %endrep
LOOP
BODY b_flags                            ; 32: carries, SETcc, CMOV, rotates
            %rep 4
            add eax, ebx
            adc edx, ebp
            sbb ebx, eax
            cmp edx, eax
            setb al
            cmovg ebp, edx
            rcl eax, 1
            bsf edx, ebp
            %endrep
LOOP
BODY b_mem                              ; 32: loads, stores, read-modify-write, stack
            %rep 4
            mov eax, [esi + 16]
            mov [esi + 20], ebx
            add eax, [esi + 24]
            mov [edi + 4], eax
            add [edi + 8], ebx
            push eax
            movzx edx, byte [esi + 3]
            pop ebx
            %endrep
LOOP
%macro      TWO_JUMPS 0
            jmp short %%a
            nop
%%a:        test esp, esp
            jnz short %%b
            nop
%%b:
%endmacro
BODY b_branch                           ; 24, of them 16 taken jumps
            %rep 8
            TWO_JUMPS
            %endrep
LOOP
leaf:       ret
BODY b_call                             ; 16
            %rep 8
            call leaf
            %endrep
LOOP
            align 4
targets:    dd leaf0, leaf1, leaf2, leaf3, leaf4, leaf5, leaf6, leaf7
leaf0:      ret
leaf1:      ret
leaf2:      ret
leaf3:      ret
leaf4:      ret
leaf5:      ret
leaf6:      ret
leaf7:      ret
BODY b_indirect                         ; 20: eight targets in turn
            %rep 4
            mov eax, ecx
            and eax, 7
            inc edx
            call [targets + eax * 4]
            %endrep
LOOP
BODY b_muldiv                           ; 8
            mov eax, ecx
            mul ebp
            imul ebx, eax, 13
            xor edx, edx
            mov eax, ebx
            or ebp, 1
            div ebp
            imul eax, ebx
LOOP
BODY b_string                           ; 6
            and esi, 0x21fff0
            and edi, 0x23fff0
            lodsd
            stosd
            movsb
            scasb
LOOP
BODY b_movsd                            ; these three: 64 KiB a loop
            push ecx
            mov esi, DATA32
            mov edi, DATA32 + 0x20000
            mov ecx, 0x10000 / 4
            rep movsd
            pop ecx
LOOP
BODY b_stosd
            push ecx
            mov edi, DATA32 + 0x20000
            mov ecx, 0x10000 / 4
            rep stosd
            pop ecx
LOOP
BODY b_scasb
            push ecx
            mov edi, DATA32 + 0x40000
            mov ecx, 0x10000
            mov al, 1
            repne scasb
            pop ecx
LOOP
BODY b_smc                              ; 4: an immediate rewritten just ahead of its use
            mov [.patch + 1], ecx
            jmp short .patch
.patch:     mov eax, 0x11111111
            add ebx, eax
LOOP
BODY b_beside                           ; 4: data on the page of the code that writes it
            mov [.data], ecx
            add eax, [.data]
            mov [.data + 4], eax
            inc ebx
LOOP
            align 256
.data:      dd 0, 0
            align 256
BODY b_int                              ; 1 and IRETD
            int 0x60
LOOP
BODY b_io                               ; 2
            in al, 0x61
            out 0x80, al
LOOP
BODY b_poll                             ; 4: as a program waits for the retrace
            mov edx, 0x3da
            in al, dx
            test al, 8
            jnz short .on
.on:
LOOP
BODY b_seg                              ; 4
            push ds
            pop es
            mov ax, ds
            mov ds, ax
LOOP
BODY b_x87                              ; 12
            fld1
            fldpi
            fadd st1, st0
            fmul st0, st1
            fst qword [esi]
            fsub qword [edi]
            fxch
            fdivp st1, st0
            fstp qword [esi + 8]
            fild dword [esi + 32]
            fistp dword [esi + 36]
            nop
LOOP
BODY b_sse2                             ; 12
            movdqu xmm0, [esi]
            paddd xmm1, xmm0
            pxor xmm2, xmm1
            addpd xmm3, xmm4
            mulpd xmm3, xmm5
            addsd xmm6, xmm5
            mulsd xmm6, xmm4
            pshufd xmm7, xmm1, 0x1b
            punpcklbw xmm7, xmm2
            pcmpeqb xmm7, xmm0
            movdqu [edi], xmm7
            cvttsd2si eax, xmm6
LOOP
BODY b_sse                              ; 10: single precision
            movups xmm0, [esi]
            addps xmm1, xmm0
            mulps xmm1, xmm2
            xorps xmm3, xmm1
            subss xmm4, xmm2
            mulss xmm4, xmm5
            shufps xmm6, xmm1, 0x1b
            unpcklps xmm6, xmm3
            movups [edi], xmm6
            cvttss2si eax, xmm4
LOOP
BODY b_tlb                              ; 32: loads from 512 pages in turn
            %rep 8
            mov eax, [esi]
            add esi, 4096 + 64
            and esi, 0x1fffff
            or esi, 0x400000
            %endrep
LOOP
BODY b_cr3                              ; 6: flush, then four pages
            mov eax, cr3
            mov cr3, eax
            mov eax, [esi]
            mov eax, [esi + 0x1000]
            mov eax, [esi + 0x2000]
            mov eax, [esi + 0x3000]
LOOP
BODY b_invlpg                           ; 2
            invlpg [esi]
            mov eax, [esi]
LOOP

; ---- the table, 16 bytes a row, ended by a 0

%macro      ROW 5-6 0                   ; name, mode, body, instructions (KiB, SMIs, toggles) a loop, loops, CPUID bits
[section .names]
%%name:     db %1, 0
__SECT__
            dw %%name, %3, %2, %4
            dd %6, %5
%endmacro
            section .names follows=.text vfollows=.text
            section .text
            align 16
            db "ROWTABLE"
rows:
            ROW "real_alu", in_real, b16_alu, 34, 8000000
            ROW "real_mem", in_real, b16_mem, 34, 5000000
            ROW "real_string", in_real, b16_string, 12, 5000000
            ROW "real_int", in_real, b16_int, 4, 3000000
            ROW "real_segload", in_real, b16_seg, 10, 3000000
            ROW "planar", in_planar, b16_planar, 8, 2000000
            ROW "planar_fill_kib", in_planar, b16_planar_fill, 16, 400
            ROW "a20_toggles", in_real, b16_a20, 1, 1000000
            ROW "smi_calls", in_real, b16_smi, 1, 40000
            ROW "pm16_alu", in_pm16, b16_alu, 34, 8000000
            ROW "pm16_mem", in_pm16, b16_mem, 34, 5000000
            ROW "pm16_segload", in_pm16, b16_seg, 10, 1000000
            ROW "pm16_farcall", in_pm16, b16_far, 5, 1000000
            ROW "v86_alu", in_v86, b16_alu, 34, 8000000
            ROW "v86_mem", in_v86, b16_mem, 34, 5000000
            ROW "v86_int", in_v86, b16_int, 4, 500000
            ROW "alu", in_flat, b_alu, 34, 10000000
            ROW "flags", in_flat, b_flags, 34, 5000000
            ROW "mem", in_flat, b_mem, 34, 6000000
            ROW "branch", in_flat, b_branch, 26, 6000000
            ROW "call", in_flat, b_call, 18, 5000000
            ROW "indirect", in_flat, b_indirect, 22, 4000000
            ROW "muldiv", in_flat, b_muldiv, 10, 8000000
            ROW "string", in_flat, b_string, 8, 8000000
            ROW "rep_movsd_kib", in_flat, b_movsd, 64, 16000
            ROW "rep_stosd_kib", in_flat, b_stosd, 64, 16000
            ROW "rep_scasb_kib", in_flat, b_scasb, 64, 400
            ROW "smc", in_flat, b_smc, 6, 200000
            ROW "data_beside", in_flat, b_beside, 6, 600000
            ROW "int_iret", in_flat, b_int, 4, 2000000
            ROW "portio", in_flat, b_io, 4, 2000000
            ROW "poll_3da", in_flat, b_poll, 6, 1000000
            ROW "segload", in_flat, b_seg, 6, 4000000
            ROW "x87", in_flat, b_x87, 14, 1000000, 1
            ROW "sse", in_flat, b_sse, 12, 1000000, 1 << 25
            ROW "sse2", in_flat, b_sse2, 14, 1000000, 1 << 26
            ROW "paged_alu", in_paged, b_alu, 34, 10000000
            ROW "paged_mem", in_paged, b_mem, 34, 6000000
            ROW "paged_tlb512", in_paged, b_tlb, 34, 1000000
            ROW "paged_cr3", in_paged, b_cr3, 8, 300000
            ROW "paged_invlpg", in_paged, b_invlpg, 4, 1000000
            ROW "user_mem", in_user, b_mem, 34, 6000000
            ROW "user_syscall", in_user, b_int, 4, 500000
            dw 0
