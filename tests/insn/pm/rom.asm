; A ROM of 64 KiB that starts the rows on models which no firmware runs on: it reads the disk by itself, to where the boot
; sector would.
bits 16
org 0
start:
    cli
    o32 lgdt [cs:gdtr]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp dword 8:flat + 0xffff0000
bits 32
flat:
    mov eax, 16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov esp, 0x7c00
    cld
    in al, 0x92
    or al, 2
    and al, 0xfe
    out 0x92, al
    mov eax, 0x80000904                       ; PIIX3 IDE: I/O and bus master on, the first channel decoded
    mov ecx, 5
    call pci
    mov al, 0x40
    mov ecx, 0x8000
    call pci
    mov eax, 0x80000920                       ; and its bus master's ports
    mov ecx, 0xc000
    call pci
    xor ebx, ebx                              ; the sector
    mov edi, 0x7c00
.sector:
    cmp ebx, 1
    jne .later
    mov edi, 0x10000
.later:
    cmp edi, 0x90000
    jne .ready
    mov edi, 0x300000
.ready:
    mov edx, 0x1f7
    in al, dx
    test al, 0x80
    jnz .ready
    mov edx, 0x1f2
    mov al, 1
    out dx, al
    inc edx
    mov eax, ebx
    out dx, al
    inc edx
    mov al, ah
    out dx, al
    inc edx
    mov al, 0
    out dx, al
    inc edx
    mov al, 0xe0
    out dx, al
    inc edx
    mov al, 0x20                              ; READ SECTORS
    out dx, al
.wait:
    in al, dx
    and al, 0x88
    cmp al, 8
    jne .wait
    mov edx, 0x1f0
    mov ecx, 256
    rep insw
    inc ebx
    cmp ebx, 4000
    jb .sector
    jmp [0x7c00 + 502]
pci: mov edx, 0xcf8
    out dx, eax
    xchg eax, ecx
    mov dl, 0xfc
    out dx, ax
    xchg eax, ecx
    ret
align 8, db 0
gdt: dq 0, 0x00cf9a000000ffff, 0x00cf92000000ffff
gdtr: dw 23
    dd gdt + 0xffff0000
    times 0xfff0 - ($ - $$) db 0
bits 16
    jmp start
    times 0x10000 - ($ - $$) db 0
