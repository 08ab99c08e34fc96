#!/usr/bin/env python3
"""Writes src/intake/mnemonic_words.inc from the BIP-39 word lists of an unpacked npm package.

    npm pack bip39@3.1.2 && tar xzf bip39-3.1.2.tgz
    tools/damage_corpus/mnemonic_words.py package/src/wordlists > src/intake/mnemonic_words.inc

The lists are those of bitcoin/bips, bip-0039 (MIT). The build never runs this; its output is committed.
"""
import json
import pathlib
import sys
import unicodedata

LANGUAGES = ("english", "japanese", "korean", "spanish", "chinese_simplified", "chinese_traditional", "french",
             "italian", "czech", "portuguese")

folder = pathlib.Path(sys.argv[1])
print("// Made by tools/damage_corpus/mnemonic_words.py from the word lists of BIP-39 (bitcoin/bips, MIT) as the npm package")
print("// bip39 3.1.2 ships them. Unicode form NFKD, in the order of the standard, one blank between words. Do not edit.")
for language in LANGUAGES:
    words = json.loads((folder / f"{language}.json").read_text(encoding="utf-8"))
    assert len(words) == len(set(words)) == 2048
    assert all(unicodedata.normalize("NFKD", word) == word and " " not in word for word in words)
    print(f"WORD_LIST({language},")
    line = ""
    for word in words:
        if len((line + word).encode()) > 112:
            print(f'    "{line}"')
            line = ""
        line += word + " "
    print(f'    "{line.rstrip()}")')
