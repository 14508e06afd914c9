; The boot ROM: carries out a boot plan made by bios/bootplan.c, after the firmware's POST.
;
; An expansion ROM with a boot entry vector (Plug and Play BIOS specification 1.0A, 3.2): SeaBIOS calls it as the first
; boot device. It copies what the plan lists from fw_cfg to memory by fw_cfg's own DMA, which reaches any address from
; real mode, then starts the kernel: by the Linux/x86 boot protocol, or by Multiboot 1 with the memory map that INT 15h,
; E820h gives now. Only 386 instructions; bswap needs a 486, so byte order is turned by hand.
;
;   00001000-00003EFF  stack            00004000-00004EFF  memory map    00010000-  Linux setup or multiboot information
;   00003F00-00003FFF  DMA block, GDTR  00005000-00007FFF  the plan      00020000-  Linux command line

        bits 16
        cpu 386
        org 0

; ---- the plan: ORDER PLAN (bios/bootplan.c)
PLAN            equ 0x5000
PLAN_MAX        equ 0x3000
PLAN_KIND       equ PLAN + 4            ; word: 1 Linux, 2 multiboot
PLAN_LOADS      equ PLAN + 6            ; word: number of loads
PLAN_ENTRY      equ PLAN + 8            ; multiboot: entry point
PLAN_INFO       equ PLAN + 12           ; multiboot: address of the information
PLAN_INITRD     equ PLAN + 16           ; Linux: size of the initrd, 0: none
PLAN_INITRD_MAX equ PLAN + 20           ; Linux: highest address it may use
PLAN_KERNEL_END equ PLAN + 24           ; Linux: lowest address it may use
PLAN_SETUP_SEG  equ PLAN + 28           ; word: Linux: segment of the setup code
PLAN_SETUP_SP   equ PLAN + 30           ; word
PLAN_LIST       equ PLAN + 32           ; 16 bytes each: key (word), unused (word, dword at 4), length, address
KEY_PLAN        equ 0x8be0
KEY_INITRD      equ 0x8be1
MAGIC           equ 'BBP1'
LINUX           equ 1

STACK           equ 0x3f00
DMA             equ 0x3f00              ; control, length, address (two dwords), big-endian
GDTR            equ 0x3f20
MAP             equ 0x4000              ; multiboot memory map: dword 20, then 20 bytes of E820
MAP_END         equ 0x4ef0
FW_CFG_DMA_LOW  equ 0x518
DMA_SELECT_READ equ 8 + 2

        db 0x55, 0xaa
        db ROM_SIZE / 512
        jmp near init
        times 0x18 - ($ - $$) db 0
        dw 0                            ; no PCI data structure
        dw pnp_header

        align 16
pnp_header:
        db '$PnP', 1, 2                 ; version, length in 16 bytes
        dw 0                            ; no further header
        db 0, 0                         ; checksum: the firmware does not look
        dd 0
        dw maker, product
        db 0, 0, 0                      ; device type
        db 0x14                         ; may be shadowed; an initial program load device
        dw 0, 0                         ; no BCV, no disconnect vector
        dw boot                         ; BEV
        dw 0, 0
maker:   db 'Beige', 0
product: db 'Beige direct boot', 0

init:   mov ax, 0x20                    ; an IPL device is attached
        retf

; ---- boot entry: does not return unless it fails
boot:   cli
        cld
        xor ax, ax
        mov ss, ax
        mov sp, STACK
        mov ds, ax
        mov es, ax
        sti
        mov eax, KEY_PLAN << 16 | DMA_SELECT_READ
        mov ecx, PLAN_MAX
        mov edi, PLAN
        call fw_read
        mov bx, no_plan
        cmp dword [PLAN], MAGIC
        jne fail

        mov si, PLAN_LIST
        mov bp, [PLAN_LOADS]
        test bp, bp
        jz .loaded
.load:  movzx eax, word [si]
        shl eax, 16
        mov al, DMA_SELECT_READ
        mov ecx, [si + 8]
        mov edi, [si + 12]
        call fw_read
        add si, 16
        dec bp
        jnz .load
.loaded:
        call get_map
        cmp word [PLAN_KIND], LINUX
        jne multiboot

; ---- Linux: place the initrd as high as kernel and memory allow, then jump to the setup code
linux:  mov ecx, [PLAN_INITRD]
        test ecx, ecx
        jz .start
        mov bx, no_room
        mov eax, [TOP]
        mov edx, [PLAN_INITRD_MAX]
        inc edx                         ; one past the highest address; 0 is 4 GiB
        jz .limited
        cmp eax, edx
        jbe .limited
        mov eax, edx
.limited:
        sub eax, ecx
        jb fail
        and eax, 0xfffff000
        cmp eax, [PLAN_KERNEL_END]
        jb fail
        mov fs, [PLAN_SETUP_SEG]
        mov [fs:0x218], eax             ; ramdisk_image; ramdisk_size is in the setup already
        mov edi, eax
        mov eax, KEY_INITRD << 16 | DMA_SELECT_READ
        call fw_read
.start: cli
        mov bx, [PLAN_SETUP_SEG]
        mov cx, [PLAN_SETUP_SP]
        mov ds, bx
        mov es, bx
        mov fs, bx
        mov gs, bx
        mov ss, bx
        mov sp, cx
        add bx, 0x20
        push bx
        push word 0
        retf

; ---- Multiboot: complete the information, enter protected mode, jump
multiboot:
        mov ax, [PLAN_INFO + 2]
        shl ax, 12                      ; it lies on a 64 KiB boundary: its segment
        mov fs, ax
        int 0x12
        movzx eax, ax
        mov [fs:4], eax                 ; mem_lower in KiB
        mov eax, [TOP]
        sub eax, 0x100000
        shr eax, 10
        mov [fs:8], eax                 ; mem_upper in KiB
        mov ax, [MAP_LEN]
        movzx eax, ax
        mov [fs:44], eax                ; mmap_length
        mov dword [fs:48], MAP          ; mmap_addr
        cli
        in al, 0x92                     ; A20 on (it is, after POST)
        or al, 2
        and al, 0xfe
        out 0x92, al
        xor edx, edx
        mov dx, cs
        shl edx, 4                      ; linear address of this ROM
        lea eax, [edx + gdt]
        mov word [GDTR], gdt_end - gdt - 1
        mov [GDTR + 2], eax
        o32 lgdt [GDTR]
        add edx, protected
        mov eax, cr0
        or al, 1
        mov cr0, eax
        push dword 8
        push edx
        o32 retf

        bits 32
protected:
        mov ax, 16
        mov ds, ax
        mov es, ax
        mov fs, ax
        mov gs, ax
        mov ss, ax
        mov ebx, [PLAN_INFO]
        mov ecx, [PLAN_ENTRY]
        mov eax, 0x2badb002
        jmp ecx
        bits 16

        align 8
gdt:    dq 0
        dq 0x00cf9a000000ffff           ; code, 4 GiB
        dq 0x00cf92000000ffff           ; data
gdt_end:

; ---- memory map by INT 15h, E820h, in multiboot's form at MAP; TOP is the end of the RAM that begins at or holds 1 MiB
TOP     equ 0x3f30
MAP_LEN equ 0x3f34
get_map:
        mov dword [TOP], 0
        mov di, MAP
        xor ebx, ebx
.next:  mov dword [di], 20
        mov eax, 0xe820
        mov edx, 'PAMS'                 ; "SMAP"
        mov ecx, 20
        add di, 4
        int 0x15
        jc .end
        cmp eax, 'PAMS'
        jne .end
        cmp dword [di + 16], 1          ; usable
        jne .keep
        cmp dword [di + 4], 0           ; below 4 GiB
        jne .keep
        mov eax, [di]
        cmp eax, 0x100000
        ja .keep
        add eax, [di + 8]
        jc .four_gib
        cmp dword [di + 12], 0
        je .found
.four_gib:
        mov eax, 0xfffff000
.found: cmp eax, 0x100000
        jbe .keep
        mov [TOP], eax
.keep:  add di, 20
        test ebx, ebx
        jz .done
        cmp di, MAP_END - 24
        jb .next
.done:  add di, 4
.end:   sub di, MAP + 4
        mov [MAP_LEN], di
        mov bx, no_map
        cmp dword [TOP], 0
        je fail
        ret

; ---- fw_cfg DMA: eax = control, ecx = length, edi = address
fw_read:
        mov bx, bad_dma
        call swap
        mov [DMA], eax
        mov eax, ecx
        call swap
        mov [DMA + 4], eax
        mov dword [DMA + 8], 0
        mov eax, edi
        call swap
        mov [DMA + 12], eax
        mov eax, DMA
        call swap
        mov dx, FW_CFG_DMA_LOW
        out dx, eax
.wait:  mov eax, [DMA]
        test eax, 0xfeffffff            ; all but the error bit: still at work
        jnz .wait
        test eax, eax
        jnz fail
        ret

swap:   xchg al, ah
        rol eax, 16
        xchg al, ah
        ret

; ---- bx = message: print it, try the next boot device
fail:   xor ax, ax
        mov ss, ax
        mov sp, STACK
        push cs
        pop ds
        mov si, bx
.char:  lodsb
        test al, al
        jz .stop
        mov ah, 0x0e
        mov bx, 7
        int 0x10
        jmp .char
.stop:  sti
        int 0x18
.halt:  hlt
        jmp .halt

no_plan: db 'Beige: no boot plan', 13, 10, 0
no_map:  db 'Beige: the firmware gives no memory map', 13, 10, 0
no_room: db 'Beige: not enough memory for kernel and initrd', 13, 10, 0
bad_dma: db 'Beige: fw_cfg refused to load', 13, 10, 0

        times (512 - ($ - $$) % 512) % 512 db 0
ROM_SIZE equ $ - $$
