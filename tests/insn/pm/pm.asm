; The boot image: sections, kernel, then the rows of each subject.
cpu 686
%include "layout.inc"
section .boot start=0 vstart=0x7c00
section .t16 start=512 vstart=0
t16base:
section .text start=0x10200 vstart=KERN
kbase:
section .rows start=0x80200 vstart=ROWS
rows:
section .strings follows=.rows vfollows=.rows align=16 valign=16
section .lists follows=.strings vfollows=.strings align=16 valign=16
%include "boot.inc"
%include "kernel.inc"
%include "rows_segments.inc"
%include "rows_far.inc"
%include "rows_interrupts.inc"
%include "rows_limits.inc"
%include "rows_paging.inc"
%include "rows_tasks.inc"
%include "rows_v86.inc"
%include "rows_debug.inc"
%include "rows_events.inc"
%include "rows_double.inc"
%include "rows_strings.inc"
%include "rows_modify.inc"
%include "rows_system.inc"
%include "rows_smm.inc"
%include "rows_mixed.inc"
%include "rows_last.inc"

section .strings
    align 4, db 0
row_count: dd row_number
LOADS   equ 120                               ; of 16 KiB each
