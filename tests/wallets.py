#!/usr/bin/env python3
"""Wallets through the real service: from a mnemonic, a keystore and an extended public key to addresses, the owner's word, and the list of what
is watched, with the service killed in between. Nothing of any secret may then be found in any file of the service, in what it logs or
in what it answers.

usage: wallets.py PROGRAM

Loopback only; every process that was started is ended by its id.
"""
import json
import signal
import urllib.error
import urllib.request

import evidence
import processes

WORDS = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
SEED = "5eb00bbddcf069084889a8ab9155568165f5c453ccb85e70811aaed6f6da5fc19a5ac40b389cd370d086206dec8aa6c43daea6690f20ad3d8d48b2d2ce9e38e4"
PASSPHRASE = "a passphrase that nobody else has"
# BIP-84: the first receiving and the first change address, and the key of the account.
RECEIVING, CHANGE = "bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu", "bc1q8c6fshw2dlwun7ekn9qwf37cu2rn755upcp6el"
ZPUB = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
# Web3 Secret Storage: the test vector with PBKDF2.
KEYSTORE_SECRET, KEYSTORE_PASSWORD, KEYSTORE_ADDRESS = "7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d", "testpassword", "0x008AeEda4D805471dF9b2A5B0f38A0C3bCBA786b"
KEYSTORE = {"crypto": {"cipher": "aes-128-ctr", "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
                       "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46", "kdf": "pbkdf2",
                       "kdfparams": {"c": 262144, "dklen": 32, "prf": "hmac-sha256", "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd"},
                       "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2"},
            "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6", "version": 3}


class World(processes.World):
    """One service without rails that keeps what it answered."""

    def __init__(self, directory):
        self.asked, self.replies = 0, []
        super().__init__(directory, {})

    def call(self, method, path, body=None, key=None, token=None):
        self.asked += 1
        headers = {"Authorization": "Bearer " + (token or self.token), "Content-Type": "application/json"}
        if method == "POST":
            headers["Idempotency-Key"] = f'"{key or self.asked}"'
        request = urllib.request.Request(self.base + path, method=method, headers=headers, data=json.dumps(body or {}).encode() if method == "POST" else None)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=processes.PATIENCE) as reply:
                status, text = reply.status, reply.read()
        except urllib.error.HTTPError as refused:
            status, text = refused.code, refused.read()
        self.replies.append(text)
        return status, json.loads(text)

    def refused(self, code, *words, **options):
        status, reply = self.call(*words, **options)
        assert status >= 400 and reply["code"] == code, (words, status, reply)
        return reply

    def derive(self, material, wallet="main", **options):
        return self.must("POST", "/v1/wallets/imports", {"partner": "ann", "wallet": wallet, "material": material, **options})

    def confirm(self, derived, address, **options):
        return self.must("POST", f'/v1/wallets/imports/{derived["id"]}/confirm', {"address": address}, **options)


def windows(*secrets):
    """Every 16 bytes of secrets, as they are."""
    return {secret[i:i + 16] for secret in secrets for i in range(len(secret) - 15)}


def search(directory, pieces, replies):
    """No 16 bytes of any file or reply are among the pieces, which all have 16."""
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert len(files) > 5, files
    for where, content in [(str(path), path.read_bytes()) for path in files] + [("a reply", text) for text in replies]:
        for piece in pieces:
            assert piece not in content, f"{piece!r} stands in {where}"
    return len(files)


def limited(world):
    """A client that may read imports and keys, and no more."""
    made = world.must("POST", "/v1/clients", {"name": "reader", "kind": "service", "scopes": ["imports:write", "keys:read"]})
    return world.must("POST", "/v1/token", {"client_id": made["id"], "refresh_secret": made["refresh_secret"]})["access_token"]


def play(directory):
    world = World(directory)
    reader = limited(world)
    world.refused("scope_missing", "POST", "/v1/wallets/imports", {"partner": "ann", "wallet": "main", "material": WORDS}, token=reader)
    world.refused("scope_missing", "GET", "/v1/wallets", token=reader)

    # What gives no wallet says why, without a byte of it.
    damaged = world.refused("wallet_material_refused", "POST", "/v1/wallets/imports", {"partner": "ann", "wallet": "main", "material": WORDS[:-5] + "above"})
    assert damaged["findings"][0]["code"] == "mnemonic_checksum_is_wrong" and "evidence" not in damaged["findings"][0], damaged
    assert world.must("GET", "/v1/wallets")["items"] == []

    # A mnemonic: its addresses, one of another chain that is looked for, and one that is not there.
    derived = world.derive(WORDS, expected_address=CHANGE)
    shown = {(one["network"], one["path"]): one["address"] for one in derived["addresses"]}
    assert shown["bitcoin", "m/84'/0'/0'/0/0"] == RECEIVING and derived["kind"] == "mnemonic", derived
    assert derived["expected"]["found"] and derived["expected"]["path"] == "m/84'/0'/0'/1/0", derived["expected"]
    absent = world.derive(WORDS, passphrase=PASSPHRASE, expected_address=RECEIVING)
    assert not absent["expected"]["found"] and absent["expected"]["tried"] > 100 and absent["expected"]["remedy"]["zh"], absent["expected"]
    world.refused("wallet_address_differs", "POST", f'/v1/wallets/imports/{absent["id"]}/confirm', {"address": RECEIVING}, key="differs")
    world.refused("wallet_address_differs", "POST", f'/v1/wallets/imports/{absent["id"]}/confirm', {"address": RECEIVING}, key="differs")
    world.refused("wallet_import_not_found", "POST", f'/v1/wallets/imports/wi_{"0" * 32}/confirm', {"address": RECEIVING})

    # The owner's word: the account is watched, the answer is repeated under its key, and nothing is taken twice.
    taken = world.confirm(derived, CHANGE, key="word")
    assert taken["state"] == "active" and taken["cause"] == "address" and taken["purpose"] == "watch", taken
    assert taken["watched"]["account_path"] == "m/84'/0'/0'" and taken["watched"]["account_key"].startswith("xpub"), taken["watched"]
    assert world.confirm(derived, CHANGE, key="word") == taken
    world.refused("idempotency_key_reused_with_different_body", "POST", f'/v1/wallets/imports/{derived["id"]}/confirm', {"address": RECEIVING}, key="word")
    world.refused("key_already_imported", "POST", f'/v1/wallets/imports/{derived["id"]}/confirm', {"address": RECEIVING})
    world.refused("request_field_invalid", "POST", "/v1/imports", {"partner": "ann", "key": "main", "purpose": "watch", "material": ZPUB})

    # A keystore with its password; the public key of the account that is watched already, which nobody else can have.
    world.refused("wallet_material_refused", "POST", "/v1/wallets/imports", {"partner": "ann", "wallet": "hot", "material": json.dumps(KEYSTORE), "passphrase": "wrong"})
    hot = world.derive(json.dumps(KEYSTORE), wallet="hot", passphrase=KEYSTORE_PASSWORD)
    assert [one["address"] for one in hot["addresses"]] == [KEYSTORE_ADDRESS], hot
    world.confirm(hot, KEYSTORE_ADDRESS.lower())
    public = world.must("POST", "/v1/wallets/imports", {"partner": "bob", "wallet": "main", "material": ZPUB})
    assert {one["scheme"] for one in public["addresses"]} == {"bip84"}, public
    world.refused("key_belongs_to_another_partner", "POST", f'/v1/wallets/imports/{public["id"]}/confirm', {"address": RECEIVING})

    # Killed and started again: what is watched is still there, what was only shown is not, and the repeated word has its answer.
    listed = world.must("GET", "/v1/wallets")["items"]
    assert [(one["partner"], one["wallet"], one["active"]) for one in listed] == [("ann", "main", 1), ("ann", "hot", 1)], listed
    processes.end(world.service, signal.SIGKILL)
    world.start_service()
    assert world.must("GET", "/v1/wallets")["items"] == listed
    assert world.must("GET", "/v1/wallets?partner=bob")["items"] == []
    assert world.must("GET", f'/v1/wallets/{taken["key_id"]}')["versions"][0]["watched"] == taken["watched"]
    assert world.must("GET", f'/v1/imports/{taken["id"]}')["watched"] == taken["watched"]
    world.refused("key_not_found", "GET", "/v1/wallets/key_99")
    assert world.confirm(derived, CHANGE, key="word") == taken
    world.refused("wallet_import_not_found", "POST", f'/v1/wallets/imports/{public["id"]}/confirm', {"address": RECEIVING})

    # After its time nothing can be confirmed.
    processes.end(world.service)
    world.config.write_text(world.config.read_text() + "[wallets]\nconfirm_within_seconds = 1\n")
    world.start_service()
    late = world.derive(WORDS, wallet="late")
    expired = None
    while expired is None or expired["code"] == "wallet_address_differs":   # until its second is over
        expired = world.call("POST", f'/v1/wallets/imports/{late["id"]}/confirm', {"address": KEYSTORE_ADDRESS})[1]
    assert expired["code"] == "wallet_import_expired" and expired["status"] == 410, expired

    # What strangers can check of it: that the account came in, and by what.
    bundle = evidence.fetch(world.base, world.token, world.context, "/v1/imports/" + taken["id"], "")
    world.replies.append(bundle)
    processes.end(world.service)
    facts = evidence.check(directory, directory / "data", {"wallet": bundle})
    assert facts["wallet"]["state"] == "active, by address", facts["wallet"]
    processes.run("audit", "verify", "--quiet", "--data", directory / "data")
    texts = [WORDS.encode(), PASSPHRASE.encode(), SEED.encode(), KEYSTORE_SECRET.encode(), bytes.fromhex(SEED), bytes.fromhex(KEYSTORE_SECRET)]
    pieces = windows(*texts)
    files = search(directory, pieces, world.replies)
    print(f"2 wallets watched out of 3 kinds of material, killed in between; {len(pieces)} windows of secrets in none of {files} files and {len(world.replies)} replies")


if __name__ == "__main__":
    processes.main(__doc__, "wallets", play)
