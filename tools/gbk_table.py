#!/usr/bin/env python3
"""Writes src/trial/gbk_table.inc: GBK as Python's codec has it, cell by cell, 0 where nothing is assigned."""

from pathlib import Path

cells = []
for lead in range(0x81, 0xFF):
    for trail in list(range(0x40, 0x7F)) + list(range(0x80, 0xFF)):
        try:
            cells.append(ord(bytes([lead, trail]).decode("gbk")))
        except UnicodeDecodeError:
            cells.append(0)
lines = ["// Made by tools/gbk_table.py: lead bytes 0x81 to 0xFE, trail bytes 0x40 to 0x7E and 0x80 to 0xFE."]
for at in range(0, len(cells), 20):
    lines.append(",".join(f"{cell:#x}" if cell else "0" for cell in cells[at : at + 20]) + ",")
target = Path(__file__).resolve().parent.parent / "src/trial/gbk_table.inc"
target.write_text("\n".join(lines) + "\n")
