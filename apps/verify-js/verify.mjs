// Checks evidence of Holdfast (docs/format/evidence.md) without Holdfast: no dependencies, in a browser or under Node.
//
//   node verify.mjs EVIDENCE.json --policy FILE [--require witness:N,anchor:K] [--json]
//
// checkEvidence(bytes, policyText, {witnesses, anchors}) gives {verified: true, ...facts} or
// {verified: false, code, message}: the first thing that does not hold. Codes and their order are those of `holdfast verify`.
//
// Anchors on EVM chains are checked. Time-stamps are not, which it says; where one would have to make up the number required it
// therefore refuses (`anchor_not_checked`).

class Refused extends Error {
  constructor(code, message) { super(message); this.code = code; }
}
const refuse = (code, message) => { throw new Refused(code, message); };
const utf8 = new TextEncoder();

// --- bytes -----------------------------------------------------------------------------------------------------------------

const concat = (...parts) => {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
};
const equal = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

function toBase64(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}
/// Strict: padded, unused bits zero; null otherwise.
function parseBase64(text) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : null;
}

// --- cryptography: the platform's ----------------------------------------------------------------------------------------------

const subtle = globalThis.crypto?.subtle ?? (await import('node:crypto')).webcrypto.subtle;
const sha256 = async (...parts) => new Uint8Array(await subtle.digest('SHA-256', concat(...parts)));

// Points of small order, and encodings that are not reduced, are no keys; S must be below the group's order. Platforms
// differ in this, and two verifiers must not.
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
const prime = 2n ** 255n - 19n;
const little = (bytes) => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
const smallOrder = new Set([0n, 1n, prime - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n]);
const goodPoint = (bytes) => {
  const y = little(bytes) & (2n ** 255n - 1n);
  return y < prime && !smallOrder.has(y);
};
async function ed25519Verify(publicKey, message, signature) {
  if (signature.length !== 64 || publicKey.length !== 32 || little(signature.subarray(32)) >= order) return false;
  if (!goodPoint(publicKey) || !goodPoint(signature.subarray(0, 32))) return false;
  try {
    const key = await subtle.importKey('raw', publicKey, { name: 'Ed25519' }, false, ['verify']);
    return await subtle.verify({ name: 'Ed25519' }, key, signature, message);
  } catch (error) {
    if (error.name === 'NotSupportedError') throw new Error('this platform has no Ed25519 in WebCrypto');
    return false;
  }
}

// --- Merkle tree (RFC 9162 section 2.1.3.2) -------------------------------------------------------------------------------------

const leafHash = (leaf) => sha256(Uint8Array.of(0), leaf);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

async function verifyInclusion(leaf, index, size, proof, root) {
  if (index >= size) refuse('leaf_index_outside_tree', `leaf ${index} in a tree of ${size}`);
  let fn = index, sn = size - 1n, hash = leaf;
  for (const sibling of proof) {
    if (sn === 0n) refuse('inclusion_proof_length_wrong', 'too many hashes');
    if ((fn & 1n) === 1n || fn === sn) {
      hash = await nodeHash(sibling, hash);
      while ((fn & 1n) === 0n && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
    } else {
      hash = await nodeHash(hash, sibling);
    }
    fn >>= 1n; sn >>= 1n;
  }
  if (sn !== 0n) refuse('inclusion_proof_length_wrong', 'too few hashes');
  if (!equal(hash, root)) refuse('inclusion_proof_root_differs', 'leaf, number, proof and root do not belong together');
}

/// Section 2.1.4.2.
async function verifyConsistency(oldSize, oldRoot, newSize, newRoot, proof) {
  const wrongLength = () => refuse('consistency_proof_length_wrong', `${proof.length} hashes from ${oldSize} to ${newSize} leaves`);
  const oldDiffers = () => refuse('consistency_old_root_differs', `the root of ${oldSize} leaves`);
  const newDiffers = () => refuse('consistency_new_root_differs', `the root of ${newSize} leaves`);
  if (oldSize > newSize) refuse('consistency_sizes_out_of_order', `${oldSize} leaves are more than ${newSize}`);
  if (oldSize === 0n && newSize !== 0n) refuse('consistency_from_empty_tree', 'an empty tree is the beginning of every tree');
  if (oldSize === newSize) {
    if (proof.length > 0) wrongLength();
    if (!equal(oldRoot, newRoot)) newDiffers();
    if (oldSize === 0n && !equal(oldRoot, await sha256())) oldDiffers();
    return;
  }
  let fn = oldSize - 1n, sn = newSize - 1n;
  while ((fn & 1n) === 1n) { fn >>= 1n; sn >>= 1n; }
  const whole = (oldSize & (oldSize - 1n)) === 0n;
  if (!whole && proof.length === 0) wrongLength();
  let oldHash = whole ? oldRoot : proof[0], newHash = oldHash;
  for (const sibling of whole ? proof : proof.slice(1)) {
    if (sn === 0n) wrongLength();
    if ((fn & 1n) === 1n || fn === sn) {
      oldHash = await nodeHash(sibling, oldHash);
      newHash = await nodeHash(sibling, newHash);
      while ((fn & 1n) === 0n && fn !== 0n) { fn >>= 1n; sn >>= 1n; }
    } else {
      newHash = await nodeHash(newHash, sibling);
    }
    fn >>= 1n; sn >>= 1n;
  }
  if (sn !== 0n) wrongLength();
  if (!equal(oldHash, oldRoot)) oldDiffers();
  if (!equal(newHash, newRoot)) newDiffers();
}

// --- signed notes and verifier keys (C2SP) ---------------------------------------------------------------------------------------

const keyId = async (name, kind, publicKey) => hex((await sha256(utf8.encode(name + '\n'), Uint8Array.of(kind), publicKey)).subarray(0, 4));
// Unicode's White_Space, which is not what \s means.
const isKeyName = (name) => name !== '' && !/[\u0000-\u0020+\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/u.test(name);

async function parseVkey(text) {
  const match = /^(.+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(text);
  const raw = match && parseBase64(match[3]);
  if (!raw || raw.length !== 33 || (raw[0] !== 1 && raw[0] !== 4) || !isKeyName(match[1])) return null;
  const key = { name: match[1], kind: raw[0], publicKey: raw.subarray(1), id: match[2], text };
  return (await keyId(key.name, key.kind, key.publicKey)) === key.id ? key : null;
}

function parseNote(text, code) {
  const malformed = (why) => refuse(code, why);
  for (const c of text) {
    const point = c.codePointAt(0);
    if (point < 0x20 && c !== '\n') malformed('a control character');
  }
  const split = text.lastIndexOf('\n\n');
  if (split < 0 || !text.endsWith('\n')) malformed('no blank line before the signatures');
  const lines = text.slice(split + 2, -1).split('\n');
  if (lines.length > 64) malformed('too many signatures');
  const signatures = lines.map((line) => {
    const match = /^— ([^ ]+) ([^ ]+)$/u.exec(line);
    const bytes = match && parseBase64(match[2]);
    if (!bytes || bytes.length < 5 || !isKeyName(match[1])) malformed('a line that is no signature');
    return { name: match[1], id: hex(bytes.subarray(0, 4)), signature: bytes.subarray(4) };
  });
  return { text: text.slice(0, split + 1), signatures };
}

/// Good signatures of known keys; a wrong one of a known key spoils the note.
async function verifyNote(note, keys) {
  const good = new Map();
  for (const line of note.signatures) {
    const key = keys.find((known) => known.name === line.name && known.id === line.id);
    if (!key) continue;
    let message = utf8.encode(note.text), signature = line.signature, seconds = 0n;
    if (key.kind === 4) {
      if (signature.length !== 72) refuse('note_signature_wrong', `the signature of ${line.name} does not verify`);
      seconds = signature.subarray(0, 8).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
      if (seconds >= 1n << 63n) refuse('note_signature_wrong', `the signature of ${line.name} does not verify`);
      message = utf8.encode(`cosignature/v1\ntime ${seconds}\n${note.text}`);
      signature = signature.subarray(8);
    }
    if (!(await ed25519Verify(key.publicKey, message, signature))) refuse('note_signature_wrong', `the signature of ${line.name} does not verify`);
    if (!good.has(key) || good.get(key) < seconds) good.set(key, seconds);
  }
  if (good.size === 0) refuse('note_signed_by_no_known_key', 'no signature is of a key that is known');
  return good;
}

function parseCheckpoint(text) {
  const lines = text.split('\n');
  const root = lines.length >= 4 ? parseBase64(lines[2]) : null;
  if (!root || root.length !== 32 || lines[0] === '' || !/^(0|[1-9][0-9]{0,19})$/.test(lines[1]) || lines.slice(3, -1).includes('')) {
    refuse('checkpoint_malformed', 'not the text of a checkpoint');
  }
  return { origin: lines[0], size: BigInt(lines[1]), root };
}

// --- policy (C2SP tlog-policy) --------------------------------------------------------------------------------------------------

export async function parsePolicy(text) {
  const policy = { logs: [], witnesses: [], groups: [], tsas: new Set(), evmBlocks: [], quorum: null };
  const defined = (name) => policy.witnesses.some((w) => w.name === name) || policy.groups.some((g) => g.name === name);
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; ++i) {
    const bad = (why) => refuse('policy_malformed', `line ${i + 1}: ${why}`);
    const words = lines[i].split(/[ \t]+/).filter((word) => word !== '');
    if (words.length === 0) continue;
    if (words[0] === '#holdfast-retired') {
      const log = words.length === 3 && /^(0|[1-9][0-9]*)$/.test(words[2]) && policy.logs.find((known) => known.key.text === words[1]);
      if (!log || log.retiredAt !== undefined) bad('#holdfast-retired VKEY SIZE');
      log.retiredAt = BigInt(words[2]);
    } else if (words[0] === '#holdfast-tsa') {
      if (words.length !== 3 || !/^[0-9a-f]{64}$/.test(words[2]) || policy.tsas.has(words[2])) bad('#holdfast-tsa NAME SHA256');
      policy.tsas.add(words[2]);
    } else if (words[0] === '#holdfast-evm-block') {
      const form = words.length === 5 && [words[2], words[3]].every((digits) => /^(0|[1-9][0-9]{0,19})$/.test(digits) && BigInt(digits) < 1n << 64n);
      if (!form || !/^0x[0-9a-f]{64}$/.test(words[4]) || policy.evmBlocks.some((known) => known.hash === words[4])) {
        bad('#holdfast-evm-block NAME CHAIN_ID NUMBER HASH');
      }
      policy.evmBlocks.push({ name: words[1], chain: BigInt(words[2]), number: BigInt(words[3]), hash: words[4] });
    } else if (words[0].startsWith('#')) {
      continue;
    } else if (words[0] === 'log') {
      const key = words.length <= 3 && (await parseVkey(words[1] ?? ''));
      if (!key || key.kind !== 1 || policy.logs.some((known) => equal(known.key.publicKey, key.publicKey))) bad('not the verifier key of a log, or one given before');
      policy.logs.push({ key });
    } else if (words[0] === 'witness') {
      const key = words.length <= 4 && (await parseVkey(words[2] ?? ''));
      if (!key || key.kind !== 4 || words[1] === 'none' || defined(words[1]) || policy.witnesses.some((known) => equal(known.key.publicKey, key.publicKey))) {
        bad('not the verifier key of a witness, or one given before');
      }
      policy.witnesses.push({ name: words[1], key });
    } else if (words[0] === 'group') {
      const members = words.slice(3);
      if (members.length === 0 || words[1] === 'none' || defined(words[1]) || !members.every(defined) || new Set(members).size !== members.length) bad('group NAME all|any|K MEMBER...');
      const enough = words[2] === 'all' ? members.length : words[2] === 'any' ? 1 : /^[1-9][0-9]{0,8}$/.test(words[2]) ? Number(words[2]) : 0;
      if (enough < 1 || enough > members.length) bad('all, any, or a number of members');
      policy.groups.push({ name: words[1], enough, members });
    } else if (words[0] === 'quorum') {
      if (words.length !== 2 || policy.quorum !== null || (words[1] !== 'none' && !defined(words[1]))) bad('quorum NAME, once');
      policy.quorum = words[1];
    } else {
      bad('a line begins with log, witness, group, quorum or #');
    }
  }
  if (policy.quorum === null) refuse('policy_malformed', 'there is no quorum line');
  return policy;
}

const met = (policy, name, cosigners) => {
  if (cosigners.has(name)) return true;
  const group = policy.groups.find((known) => known.name === name);
  return group !== undefined && group.members.filter((member) => met(policy, member, cosigners)).length >= group.enough;
};

// --- anchors on EVM chains (docs/format/evidence.md) --------------------------------------------------------------------------------

const rotateLeft = (lane, by) => BigInt.asUintN(64, (lane << by) | (lane >> (64n - by)));

/// Keccak's round constants and rotations, made as its specification makes them (section 1.2 of the Keccak reference).
const keccak = (() => {
  const constants = [], rotations = Array(25).fill(0n);
  for (let x = 1, y = 0, t = 0; t < 24; ++t) {
    rotations[x + 5 * y] = BigInt(((t + 1) * (t + 2) / 2) % 64);
    [x, y] = [y, (2 * x + 3 * y) % 5];
  }
  for (let round = 0, register = 1; round < 24; ++round) {
    let constant = 0n;
    for (let j = 0; j < 7; ++j) {
      if (register & 1) constant |= 1n << BigInt(2 ** j - 1);
      register = (register << 1) ^ (register & 0x80 ? 0x171 : 0);
    }
    constants.push(constant);
  }
  return { constants, rotations };
})();

function keccakRounds(lanes) {
  for (const constant of keccak.constants) {
    const columns = [0, 1, 2, 3, 4].map((x) => lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20]);
    for (let i = 0; i < 25; ++i) lanes[i] ^= columns[(i + 4) % 5] ^ rotateLeft(columns[(i + 1) % 5], 1n);
    const moved = Array(25);
    for (let i = 0; i < 25; ++i) {
      const x = i % 5, y = (i - x) / 5;
      moved[y + 5 * ((2 * x + 3 * y) % 5)] = rotateLeft(lanes[i], keccak.rotations[i]);
    }
    for (let i = 0; i < 25; ++i) {
      const row = i - (i % 5);
      lanes[i] = moved[i] ^ (BigInt.asUintN(64, ~moved[row + (i + 1) % 5]) & moved[row + (i + 2) % 5]);
    }
    lanes[0] ^= constant;
  }
}

/// With the padding of the original submission, as Ethereum has it.
function keccak256(bytes) {
  const rate = 136;
  const padded = new Uint8Array(bytes.length + rate - (bytes.length % rate));
  padded.set(bytes);
  padded[bytes.length] ^= 0x01;
  padded[padded.length - 1] ^= 0x80;
  const lanes = Array(25).fill(0n);
  const view = new DataView(padded.buffer);
  for (let at = 0; at < padded.length; at += rate) {
    for (let i = 0; i < rate / 8; ++i) lanes[i] ^= view.getBigUint64(at + 8 * i, true);
    keccakRounds(lanes);
  }
  const digest = new Uint8Array(32);
  for (let i = 0; i < 4; ++i) new DataView(digest.buffer).setBigUint64(8 * i, lanes[i], true);
  return digest;
}

/// Items of exactly one list of RLP: {list, whole, content}; null for any other form than the shortest.
function rlpItems(bytes) {
  const take = (at) => {
    if (at >= bytes.length) return null;
    const first = bytes[at], list = first >= 0xc0, base = list ? 0xc0 : 0x80;
    let header = 1, length = first - base;
    if (first < 0x80) return { list, whole: bytes.subarray(at, at + 1), content: bytes.subarray(at, at + 1) };
    if (length > 55) {
      const digits = length - 55;
      if (at + 1 + digits > bytes.length || bytes[at + 1] === 0) return null;
      const long = bytes.subarray(at + 1, at + 1 + digits).reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      if (long <= 55n || long > BigInt(bytes.length)) return null;
      header += digits;
      length = Number(long);
    }
    if (at + header + length > bytes.length) return null;
    const content = bytes.subarray(at + header, at + header + length);
    if (!list && length === 1 && content[0] < 0x80) return null;
    return { list, whole: bytes.subarray(at, at + header + length), content };
  };
  const outer = take(0);
  if (outer === null || !outer.list || outer.whole.length !== bytes.length) return null;
  const items = [];
  for (let at = bytes.length - outer.content.length; at < bytes.length; at += items.at(-1).whole.length) {
    const item = take(at);
    if (item === null) return null;
    items.push(item);
  }
  return items;
}
/// Null for what is no integer of at most `size` bytes without leading zeros.
const rlpInteger = (item, size) => item.list || item.content.length > size || item.content[0] === 0 ? null
  : item.content.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);

const nibblesOf = (bytes) => Array.from(bytes).flatMap((byte) => [byte >> 4, byte & 15]);

/// What the nodes of a Merkle-Patricia trie show under RLP(index), from the root down; null if they show nothing.
function onTriePath(root, index, nodes) {
  const digits = index === 0n ? [] : index < 256n ? [Number(index)] : [Number(index >> 8n), Number(index & 255n)];
  let key = nibblesOf(digits.length === 1 && digits[0] < 0x80 ? digits : [0x80 + digits.length, ...digits]);
  if (nodes.length === 0 || !equal(keccak256(nodes[0]), root)) return null;
  let current = nodes[0], rest = nodes.slice(1);
  while (true) {
    const items = rlpItems(current);
    let below;
    if (items !== null && items.length === 17) {
      if (key.length === 0 || items[16].list || items[16].content.length > 0) return null;
      below = items[key[0]];
      key = key.slice(1);
    } else if (items !== null && items.length === 2 && !items[0].list && items[0].content.length > 0) {
      const [flags, first, ...more] = nibblesOf(items[0].content);
      if (flags > 3 || ((flags & 1) === 0 && first !== 0)) return null;
      const part = (flags & 1) === 1 ? [first, ...more] : more;
      if (part.length > key.length || !part.every((nibble, i) => nibble === key[i])) return null;
      const ends = part.length === key.length;
      if ((flags & 2) === 2) return ends && !items[1].list && rest.length === 0 ? items[1].content : null;
      if (ends || part.length === 0) return null;
      below = items[1];
      key = key.slice(part.length);
    } else {
      return null;
    }
    if (below.list) {
      if (below.whole.length > 31) return null;
      current = below.whole;
    } else {
      if (rest.length === 0 || rest[0].length < 32 || !equal(below.content, keccak256(rest[0]))) return null;
      [current, ...rest] = rest;
    }
  }
}

/// {chain, data} of a raw transaction; chain is undefined where it names none.
function parseTransaction(raw) {
  const malformed = () => refuse('evm_transaction_malformed', 'no transaction of a known type');
  if (raw.length === 0) malformed();
  const legacy = raw[0] >= 0xc0;
  const fields = rlpItems(legacy ? raw : raw.subarray(1));
  const dataAt = legacy ? 5 : [undefined, 6, 7, 7, 7][raw[0]];
  if (dataAt === undefined || fields === null || (legacy ? fields.length !== 9 : fields.length <= dataAt)) malformed();
  const number = rlpInteger(fields[legacy ? 6 : 0], 16), data = fields[dataAt];
  if (number === null || data.list) malformed();
  return { data: data.content, chain: !legacy ? number : number >= 35n ? (number - 35n) / 2n : undefined };
}

/// {number, seconds, hash, transaction} of a token [header, index, [node, ...]].
function verifyInBlock(token) {
  const malformed = () => refuse('evm_token_malformed', 'not a header, an index and the nodes of a trie');
  const parts = token.length <= 128 * 1024 ? rlpItems(token) : null;
  if (parts === null || parts.length !== 3 || !parts[0].list || !parts[2].list || parts[0].whole.length > 8 * 1024) malformed();
  const index = rlpInteger(parts[1], 16), nodes = rlpItems(parts[2].whole);
  if (index === null || index >= 65536n || nodes === null || nodes.length > 7 || !nodes.every((node) => node.list)) malformed();
  const fields = rlpItems(parts[0].whole);
  if (fields === null || fields.length < 15 || fields.some((field) => field.list) || fields[4].content.length !== 32) refuse('evm_header_malformed', 'not the header of a block');
  const number = rlpInteger(fields[8], 8), seconds = rlpInteger(fields[11], 8);
  if (number === null || seconds === null) refuse('evm_header_malformed', 'not the header of a block');
  const raw = onTriePath(fields[4].content, index, nodes.map((node) => node.whole));
  if (raw === null) refuse('evm_inclusion_wrong', 'the nodes lead to no transaction at the index');
  return { number, seconds, hash: '0x' + hex(keccak256(parts[0].whole)), transaction: parseTransaction(raw) };
}

async function checkInBlock(token, imprint, policy) {
  const found = verifyInBlock(token);
  if (!equal(found.transaction.data, imprint)) refuse('evm_calldata_differs', "the transaction's data is not the SHA-256 of this checkpoint's text");
  const { chain } = found.transaction;
  const place = `block ${found.number} (${found.hash}) of ${chain === undefined ? 'a chain that the transaction does not name' : `chain ${chain}`}`;
  const known = policy.evmBlocks.find((block) => block.hash === found.hash && block.number === found.number);
  if (!known) refuse('evm_block_not_in_policy', `it is in ${place}, which the policy does not name`);
  if (chain !== known.chain) refuse('evm_chain_differs', `it is in ${place}, which the policy names as one of chain ${known.chain}`);
  return { name: known.name, seconds: found.seconds, chain, number: known.number, hash: known.hash };
}

// --- the events: deterministic CBOR (RFC 8949 section 4.2) ------------------------------------------------------------------------

/// One item; maps become Map with number keys, byte strings Uint8Array, integers BigInt.
function decodeCbor(bytes) {
  let at = 0;
  const fail = () => refuse('leaf_malformed', 'not deterministic CBOR');
  const head = () => {
    if (at >= bytes.length) fail();
    const major = bytes[at] >> 5, info = bytes[at] & 31;
    ++at;
    if (info < 24) return [major, BigInt(info)];
    if (info > 27) fail();
    const length = 1 << (info - 24);
    if (at + length > bytes.length) fail();
    let value = 0n;
    for (let i = 0; i < length; ++i) value = (value << 8n) | BigInt(bytes[at++]);
    const least = length === 1 ? 24n : 1n << BigInt(4 * length);
    if (value < least) fail();
    return [major, value];
  };
  const take = (length) => {
    if (length > BigInt(bytes.length - at)) fail();
    const part = bytes.subarray(at, at + Number(length));
    at += Number(length);
    return part;
  };
  const item = (depth) => {
    if (depth > 16 || at >= bytes.length) fail();
    if (bytes[at] === 0xf4 || bytes[at] === 0xf5 || bytes[at] === 0xf6) return { 0xf4: false, 0xf5: true, 0xf6: null }[bytes[at++]];
    const [major, value] = head();
    switch (major) {
      case 0: return value;
      case 1: return -1n - value;
      case 2: return take(value);
      case 3: try { return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(take(value)); } catch { return fail(); }
      case 4: return Array.from({ length: Number(value <= BigInt(bytes.length) ? value : fail()) }, () => item(depth + 1));
      case 5: {
        const map = new Map();
        let before = -1n;
        for (let i = 0n; i < value; ++i) {
          const key = item(depth + 1);
          if (typeof key !== 'bigint' || key <= before) fail();
          before = key;
          map.set(Number(key), item(depth + 1));
        }
        return map;
      }
      case 6: {
        if (value !== 2n) fail();
        const big = item(depth + 1);
        if (!(big instanceof Uint8Array) || big.length < 9 || big.length > 16 || big[0] === 0) fail();
        return big.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
      }
      default: return fail();
    }
  };
  const value = item(0);
  if (at !== bytes.length) fail();
  return value;
}

const kinds = {
  assetRegistered: 2n, accountOpened: 3n, transferPosted: 10n, holdPlaced: 11n, holdResolved: 12n, transferRequested: 50n, transferMoved: 51n,
  attemptStarted: 53n, attemptReported: 54n, importReceived: 82n, importMoved: 83n, keyVersionAdded: 86n, keyVersionMoved: 87n,
};

/// The number of the event in `tr_...` or `im_...`; null for anything else.
function parseId(prefix, text) {
  const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
  if (typeof text !== 'string' || !text.startsWith(prefix) || !/^[0-9a-hjkmnp-tv-z]{13}$/.test(text.slice(3))) return null;
  let value = 0n;
  for (const c of text.slice(3)) value = (value << 5n) | BigInt(alphabet.indexOf(c));
  return value < 1n << 64n ? value & ((1n << 48n) - 1n) : null;
}

// --- the bundle --------------------------------------------------------------------------------------------------------------------

const members = (value, names) => value !== null && typeof value === 'object' && !Array.isArray(value) &&
  JSON.stringify(Object.keys(value)) === JSON.stringify(names);
const isList = (value, max) => Array.isArray(value) && value.length <= max;

function parseBundle(bytes) {
  const malformed = (why) => refuse('evidence_malformed', why);
  let text, bundle;
  if (bytes.length > 4 << 20) malformed('larger than 4 MiB');
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    bundle = JSON.parse(text);
  } catch { malformed('not JSON'); }
  // One spelling: what was read, written again.
  if (JSON.stringify(bundle) + '\n' !== text) malformed('another spelling of the same content');
  if (!members(bundle, ['format', 'kind', 'id', 'origin', 'events', 'checkpoint', 'anchors', 'head'])) malformed('other members');
  if (bundle.format !== 'holdfast-evidence/1' || (bundle.kind !== 'transfer' && bundle.kind !== 'import')) malformed('another format or kind');
  for (const name of ['id', 'origin', 'checkpoint', 'head']) if (typeof bundle[name] !== 'string') malformed(name);
  if (!isList(bundle.events, 1024) || !isList(bundle.anchors, 8)) malformed('events or anchors');
  const base64 = (value, size) => {
    const raw = parseBase64(value);
    if (raw === null || (size !== undefined && raw.length !== size)) malformed('a value that is not base64 of its size');
    return raw;
  };
  const events = bundle.events.map((event) => {
    if (!members(event, ['number', 'role', 'leaf', 'proof', 'personal'])) malformed('an event');
    if (!Number.isSafeInteger(event.number) || event.number < 0 || Object.is(event.number, -0)) malformed('a number');
    if ((event.role !== 'item' && event.role !== 'context') || !isList(event.proof, 64) || !isList(event.personal, 4)) malformed('an event');
    return {
      number: BigInt(event.number), item: event.role === 'item', leaf: base64(event.leaf), proof: event.proof.map((hash) => base64(hash, 32)),
      personal: event.personal.map((value) => {
        if (!members(value, ['field', 'salt', 'value']) || typeof value.field !== 'string') malformed('a personal value');
        return { field: value.field, salt: base64(value.salt, 16), value: base64(value.value) };
      }),
    };
  });
  const anchors = bundle.anchors.map((anchor) => {
    if (!members(anchor, ['kind', 'token', 'size', 'root', 'proof']) || typeof anchor.kind !== 'string') malformed('an anchor');
    const { size } = anchor;
    if (!Number.isInteger(size) || size < 0 || size > 2 ** 53 || Object.is(size, -0) || !isList(anchor.proof, 65)) malformed('an anchor');
    return { kind: anchor.kind, token: base64(anchor.token), size: BigInt(size), root: base64(anchor.root, 32), proof: anchor.proof.map((hash) => base64(hash, 32)) };
  });
  const headAt = text.lastIndexOf(',"head":');
  return { ...bundle, events, anchors, body: utf8.encode(text.slice(0, headAt)) };
}

async function checkCheckpoint(bundle, policy) {
  const logs = policy.logs.filter((log) => log.key.name === bundle.origin);
  if (logs.length === 0) refuse('log_not_in_policy', `the policy names no key of the log "${bundle.origin}"`);
  const note = parseNote(bundle.checkpoint, 'note_malformed');
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== bundle.origin) refuse('checkpoint_of_another_log', checkpoint.origin);
  const good = await verifyNote(note, [...logs.map((log) => log.key), ...policy.witnesses.map((witness) => witness.key)]);
  // The first signature of the log's decides, should there be more than one.
  const log = [...good.keys()].map((key) => logs.find((known) => known.key === key)).find((known) => known !== undefined);
  if (!log) refuse('checkpoint_not_signed_by_log', 'witnesses alone are not enough');
  if (log.retiredAt !== undefined && checkpoint.size >= log.retiredAt) refuse('log_key_retired', log.key.text);
  const witnesses = policy.witnesses.filter((witness) => good.has(witness.key)).map((witness) => ({ name: witness.name, seconds: good.get(witness.key) }));
  return { ...checkpoint, key: log.key, witnesses };
}

async function checkHead(bundle, checkpoint) {
  const note = parseNote(bundle.head, 'head_malformed');
  if (note.signatures.length !== 1) refuse('head_malformed', 'it has more than one signature');
  try {
    await verifyNote(note, [checkpoint.key]);
  } catch (error) {
    refuse('head_not_signed_by_log', error.message);
  }
  const hash = toBase64(await sha256(bundle.body));
  let expected = `holdfast item head 1\n${bundle.origin}\n${bundle.kind} ${bundle.id}\nsize ${checkpoint.size}\nbundle ${hash}\n`;
  for (const event of bundle.events) if (event.item) expected += `event ${event.number} ${toBase64(await leafHash(event.leaf))}\n`;
  if (note.text === expected) return;
  if (note.text.replace(/\nbundle [^\n]*\n/, `\nbundle ${hash}\n`) === expected) refuse('evidence_changed', 'the bundle is not the one that the log signed');
  refuse('head_differs', 'the log signed another item, tree or list of events');
}

/// Where events of a kind commit to personal values.
const commitments = {
  1: { tenant_name: 3 }, 3: { account_metadata: 8, account_name: 5, world_account_name: 5 },
  10: { transfer_metadata: 8, transfer_reference: 7 }, 11: { transfer_metadata: 8, transfer_reference: 7 }, 20: { client_name: 6 },
  50: { transfer_beneficiary: 12, transfer_metadata: 14, transfer_reference: 13 }, 54: { rail_reference: 10 }, 56: { vote_reason: 7 },
  62: { statement_name: 6 }, 63: { rail_reference: 15 }, 66: { vote_reason: 8 }, 68: { rail_reference: 8 }, 70: { webhook_url: 6 },
  71: { webhook_url: 5 }, 82: { import_findings: 11, key_certificate: 16, key_responsible: 12 }, 85: { vote_reason: 7 }, 87: { vote_reason: 9 },
};
const commitmentOf = (event, field) => {
  const fields = commitments[event.get(0)] ?? {};
  return Object.hasOwn(fields, field) ? event.get(fields[field]) : undefined;
};

async function checkEvents(bundle, checkpoint) {
  let before = 0n;
  for (const event of bundle.events) {
    if (event.number <= before) refuse('events_out_of_order', `event ${event.number} does not ascend`);
    before = event.number;
    if (event.leaf.length > 65535) refuse('leaf_malformed', `event ${event.number}: too large`);
    const leaf = decodeCbor(event.leaf);
    if (!Array.isArray(leaf) || leaf.length !== 2 || !(leaf[0] instanceof Uint8Array) || leaf[0].length !== 32) refuse('leaf_malformed', `event ${event.number}`);
    await verifyInclusion(await leafHash(event.leaf), event.number - 1n, checkpoint.size, event.proof, checkpoint.root);
    event.content = leaf[1];
    if (!(event.content instanceof Map) || typeof event.content.get(0) !== 'bigint' || typeof event.content.get(1) !== 'bigint') refuse('event_malformed', `event ${event.number}`);
    let last = '';
    for (const value of event.personal) {
      const commitment = commitmentOf(event.content, value.field);
      if (!(commitment instanceof Uint8Array) || !(value.field > last) || !equal(await sha256(value.salt, value.value), commitment)) {
        refuse('personal_value_differs', `event ${event.number} does not commit to the ${value.field} that is shown`);
      }
      last = value.field;
    }
  }
}

const shown = (event, field) => {
  const value = event.personal.find((known) => known.field === field);
  return value === undefined ? '' : new TextDecoder().decode(value.value);
};

const foreign = (event, why) => refuse('event_not_of_this_item', `event ${event.number}: ${why}`);
const saysNothing = 'of a kind that says nothing about this item';

/// The asset or account that a number stands for. False: the event is neither.
function takeMeaning(event, facts, accounts) {
  const what = event.content.get(0);
  if (what === kinds.assetRegistered) {
    if (event.content.get(2) !== facts.assetNumber || facts.asset) foreign(event, 'another asset');
    facts.asset = { code: event.content.get(3)[0], scale: Number(event.content.get(3)[1]) };
    return true;
  }
  if (what !== kinds.accountOpened) return false;
  const named = accounts.find((known) => known.number === event.content.get(2));
  if (!named) foreign(event, 'another account');
  named.name = shown(event, 'account_name') + shown(event, 'world_account_name');
  return true;
}

/// A transfer between accounts.
function movementStory(bundle, created) {
  const account = (field) => ({ number: created.content.get(field).get(5), name: '' });
  const facts = {
    story: 'movement', created, resolved: null, asset: null, assetNumber: created.content.get(3), amount: created.content.get(2) ?? 0n,
    reference: shown(created, 'transfer_reference'), debit: account(4), credit: account(5),
  };
  for (const event of bundle.events) {
    if (event === created) continue;
    if (event.item) {
      const ends = event.content.get(0) === kinds.holdResolved && event.content.get(2) === created.number;
      if (!ends || created.content.get(0) !== kinds.holdPlaced || facts.resolved) foreign(event, 'it does not end this hold');
      facts.resolved = event;
    } else if (!takeMeaning(event, facts, [facts.debit, facts.credit])) {
      foreign(event, saysNothing);
    }
  }
  return facts;
}

/// The transfer over rails that an event is a step of; for a refund that is counted, the original.
const transferOf = (event) => {
  const kind = event.content.get(0);
  if (kind === kinds.transferRequested) return event.number;
  return (kind >= 51n && kind <= 59n) || kind === 61n ? event.content.get(2) : undefined;
};

/// A transfer over rails.
function railStory(bundle, requested) {
  const { content } = requested;
  const facts = {
    story: 'rail', created: requested, asset: null, assetNumber: content.get(4), amount: content.get(5) ?? 0n, account: { number: content.get(3), name: '' },
    beneficiary: shown(requested, 'transfer_beneficiary'), reference: shown(requested, 'transfer_reference'), moves: [], attempts: [],
  };
  const items = bundle.events.filter((event) => event.item);
  const holds = items.filter((event) => event.content.get(0) === kinds.transferMoved).map((event) => event.content.get(8)).filter((hold) => hold !== undefined);
  for (const event of bundle.events) {
    const what = event.content.get(0);
    if (event.item) {
      if (transferOf(event) !== requested.number) foreign(event, 'it is no step of this transfer');
      if (what === kinds.transferMoved) facts.moves.push(event);
      if (what === kinds.attemptStarted) facts.attempts.push({ started: event, reported: null, railReference: '' });
      if (what === kinds.attemptReported) {
        for (const attempt of facts.attempts.filter((known) => known.started.content.get(3) === event.content.get(3))) {
          attempt.reported = event;
          attempt.railReference = shown(event, 'rail_reference') || attempt.railReference;
        }
      }
    } else if (!takeMeaning(event, facts, [facts.account])) {
      const ofHold = (what === kinds.holdPlaced && holds.includes(event.number)) || (what === kinds.holdResolved && holds.includes(event.content.get(2)));
      if (!ofHold) foreign(event, saysNothing);
    }
  }
  return facts;
}

/// An import of a key. What happens to a version names no import: the event that added the version does, and comes before.
function importStory(bundle, received) {
  const facts = { story: 'import', created: received, moved: null, added: null, versionMoves: [], responsible: shown(received, 'key_responsible') };
  const importFields = { 83: 2, 84: 2, 85: 2, 86: 4 };
  for (const event of bundle.events) {
    if (!event.item) foreign(event, saysNothing);
    const kind = event.content.get(0);
    const of = kind === kinds.importReceived ? event.number : event.content.get(importFields[kind] ?? -1);
    const ofVersion = (kind === 87n || kind === 88n) && facts.added !== null && [2, 3].every((field) => event.content.get(field) === facts.added.content.get(field));
    if (of !== received.number && (of !== undefined || !ofVersion)) foreign(event, 'it is no step of this import');
    if (kind === kinds.importMoved) facts.moved = event;
    if (kind === kinds.keyVersionMoved) facts.versionMoves.push(event);
    if (kind === kinds.keyVersionAdded) {
      if (facts.added) foreign(event, 'an import adds one version');
      facts.added = event;
    }
  }
  return facts;
}

function checkRoles(bundle) {
  const isImport = bundle.kind === 'import';
  const number = parseId(isImport ? 'im_' : 'tr_', bundle.id);
  if (number === null) refuse('event_not_of_this_item', `no id of ${isImport ? 'an import' : 'a transfer'}`);
  const created = bundle.events.find((event) => event.number === number);
  if (!created) refuse('event_not_of_this_item', `event ${number}: the item begins with it, and it is missing`);
  if (!created.item) foreign(created, 'the item begins with it, and it is called context');
  const kind = created.content.get(0);
  if (isImport) return kind === kinds.importReceived ? importStory(bundle, created) : foreign(created, 'it receives no import');
  if (kind === kinds.transferPosted || kind === kinds.holdPlaced) return movementStory(bundle, created);
  return kind === kinds.transferRequested ? railStory(bundle, created) : foreign(created, 'it creates no transfer');
}

async function checkAnchor(anchor, bundle, checkpoint, policy) {
  const older = bundle.events.find((event) => event.item && event.number > anchor.size);
  if (older) refuse('anchor_does_not_cover', `the anchored tree of ${anchor.size} leaves is older than event ${older.number}`);
  await verifyConsistency(anchor.size, anchor.root, checkpoint.size, checkpoint.root, anchor.proof);
  const imprint = await sha256(utf8.encode(`${bundle.origin}\n${anchor.size}\n${toBase64(anchor.root)}\n`));
  return { ...(await checkInBlock(anchor.token, imprint, policy)), size: anchor.size };
}

/// An anchor that does not count takes nothing away.
async function countAnchors(bundle, checkpoint, policy, required) {
  const result = { anchors: [], anchorsNotCounted: [], anchorsNotChecked: bundle.anchors.filter((anchor) => anchor.kind === 'rfc3161').length };
  for (const anchor of bundle.anchors.filter((one) => one.kind === 'evm')) {
    try {
      result.anchors.push(await checkAnchor(anchor, bundle, checkpoint, policy));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      result.anchorsNotCounted.push({ kind: anchor.kind, code: error.code, message: error.message });
    }
  }
  const names = new Set(result.anchors.map((anchor) => anchor.name)).size;
  if (names + result.anchorsNotChecked < required) {
    const why = result.anchorsNotCounted.map(({ code, message }) => `; one does not count, ${code}: ${message}`).join('');
    refuse('too_few_anchors', `${names} anchors under different names of the policy, ${required} are required${why}`);
  }
  if (names < required) refuse('anchor_not_checked', 'this verifier does not check time-stamps; holdfast verify does');
  return result;
}

// --- what it says ------------------------------------------------------------------------------------------------------------------

function decimal(amount, scale) {
  if (scale === 0) return amount.toString();
  const digits = amount.toString().padStart(scale + 1, '0');
  return digits.slice(0, -scale) + '.' + digits.slice(-scale);
}
const instant = (ns) => ns > 9000000000n * 1000000000n ? `${ns / 1000000000n}` : new Date(Number(ns / 1000000n)).toISOString();

const states = [
  ['requested', '已受理'], ['reviewing', '人工审核中'], ['held', '资金已冻结'], ['parked', '暂候通道'], ['sending', '发送中'], ['accepted', '通道已受理'],
  ['outcome_unknown', '结果未知'], ['manual_review', '人工核查中'], ['settled', '已结算'], ['failed', '已失败'], ['returned', '已退回'], ['rejected', '已拒绝'],
  ['cancelled', '已取消'], ['reversing', '冲正中'], ['reversed', '已冲正'],
];
const stateText = (number) => states[Number(number) - 1]?.join(' / ') ?? `${number}`;
const results = ['', 'not_sent', 'rejected', 'accepted', 'settled', 'unknown'];
const importStates = ['', 'received', 'inspected', 'waiting', 'tried', 'active', 'rejected', 'manual_review', 'provisional'];
const keyStates = ['', 'next', 'active', 'retiring', 'retired', 'destroyed', 'suspended', 'compromised'];

const amountText = (facts, value) => facts.asset ? `${decimal(value, facts.asset.scale)} ${facts.asset.code}/${facts.asset.scale}` : `${value} (asset not disclosed)`;
const accountText = (side) => side.name === '' ? `#${side.number}` : `"${side.name}" (#${side.number})`;
const at = (event) => instant(event.content.get(1));

function movementLines(id, facts) {
  const ended = facts.resolved && { 1: 'hold captured / 冻结已扣款', 2: 'hold voided / 冻结已撤销', 3: 'hold expired / 冻结已过期' }[Number(facts.resolved.content.get(3))];
  const held = facts.created.content.get(0) === kinds.holdPlaced;
  const lines = [
    ['Transfer', '转账编号', id],
    ['What happened', '结果', ended ?? (held ? 'held, not resolved in this tree / 已冻结，尚未了结' : 'settled at once / 已即时入账')],
    ['Amount', '金额', amountText(facts, facts.amount)],
    ['Debited', '付款方', accountText(facts.debit)],
    ['Credited', '收款方', accountText(facts.credit)],
  ];
  if (facts.reference !== '') lines.push(['Reference', '附言', `"${facts.reference}"`]);
  lines.push(['Recorded at', '记录时间', at(facts.created)]);
  return lines;
}

function railLines(id, facts) {
  const payout = facts.created.content.get(2) === 1n;
  const lines = [
    ['Transfer', '转账编号', id],
    ['Kind', '种类', { 1: 'payout / 出款', 2: 'collect / 收款', 3: 'recall / 追回' }[Number(facts.created.content.get(2))]],
    ['What happened', '结果', stateText(facts.moves.at(-1)?.content.get(4) ?? 1n)],
    ['Amount', '金额', amountText(facts, facts.amount)],
    payout ? ['Debited', '付款方', accountText(facts.account)] : ['Credited', '收款方', accountText(facts.account)],
  ];
  if (facts.beneficiary !== '') lines.push([payout ? 'Beneficiary' : 'Payer', payout ? '收款人' : '付款人', facts.beneficiary]);
  if (facts.reference !== '') lines.push(['Reference', '附言', `"${facts.reference}"`]);
  lines.push(['Requested at', '请求时间', at(facts.created)]);
  for (const { started, reported, railReference } of facts.attempts) {
    const heard = reported ? `; ${at(reported)}: ${results[Number(reported.content.get(6))]}` : '; -';
    lines.push(['Attempt', '发送', `${started.content.get(3)}, rail ${started.content.get(4)}, ${at(started)}${heard}${railReference && `; "${railReference}"`}`]);
  }
  for (const moved of facts.moves) lines.push(['Step', '步骤', `${at(moved)} ${stateText(moved.content.get(3))} → ${stateText(moved.content.get(4))}`]);
  return lines;
}

function importLines(id, facts) {
  const { content } = facts.created;
  const lines = [
    ['Import', '导入编号', id],
    ['What happened', '结果', importStates[Number(facts.moved?.content.get(4) ?? 1n)]],
    ['Key', '密钥', `${content.get(6)}/${content.get(7)}`],
  ];
  if (facts.responsible !== '') lines.push(['Responsible', '负责人', `"${facts.responsible}"`]);
  lines.push(['Received at', '接收时间', at(facts.created)]);
  if (facts.added) lines.push(['Version', '版本', `${facts.added.content.get(3)}, ${facts.added.content.get(5) === true ? 'proven / 已证明持有私钥' : 'not proven / 未经证明'}`]);
  for (const moved of facts.versionMoves) lines.push(['Step', '步骤', `${at(moved)} ${keyStates[Number(moved.content.get(4))]} → ${keyStates[Number(moved.content.get(5))]}`]);
  return lines;
}

/// Lines of [English, 中文, value].
export function summary(result) {
  const lines = { movement: movementLines, rail: railLines, import: importLines }[result.facts.story](result.id, result.facts);
  lines.push(['Log', '审计日志', result.origin], ['Key of the log', '日志密钥', result.logKey], ['Tree', '账簿状态', `${result.size} leaves, root ${result.root}`]);
  for (const witness of result.witnesses) lines.push(['Seen by witness', '见证方', `${witness.name}, ${instant(witness.seconds * 1000000000n)}`]);
  lines.push(['Split view', '分叉视图', result.witnesses.length > 0 ? 'excluded as far as these witnesses are believed / 在信任见证方的前提下已排除' : 'not excluded / 未排除']);
  for (const { name, chain, number, hash, seconds, size } of result.anchors) {
    lines.push(['Anchored on a chain', '链上锚定', `${name}, chain ${chain}, block ${number} (${hash}), at ${instant(seconds * 1000000000n)}: a tree of ${size} leaves`]);
  }
  for (const { code, message } of result.anchorsNotCounted) lines.push(['Anchor on a chain', '链上锚定', `one that does not count / 有一个，但不计入: ${code} (${message})`]);
  if (result.anchorsNotChecked > 0) lines.push(['Time-stamps', '时间戳', `${result.anchorsNotChecked} there, anchor not checked by this verifier / 此验证器未检查`]);
  return lines;
}

export async function checkEvidence(bytes, policyText, required = {}) {
  try {
    const policy = await parsePolicy(policyText);
    const bundle = parseBundle(bytes);
    const checkpoint = await checkCheckpoint(bundle, policy);
    await checkHead(bundle, checkpoint);
    await checkEvents(bundle, checkpoint);
    const facts = checkRoles(bundle);
    const unknown = bundle.anchors.find((anchor) => anchor.kind !== 'rfc3161' && anchor.kind !== 'evm');
    if (unknown) refuse('anchor_kind_unknown', unknown.kind);
    if (checkpoint.witnesses.length < (required.witnesses ?? 0)) refuse('too_few_witnesses', `${checkpoint.witnesses.length} witnesses`);
    const cosigners = new Set(checkpoint.witnesses.map((witness) => witness.name));
    if (policy.quorum !== 'none' && !met(policy, policy.quorum, cosigners)) refuse('quorum_not_met', policy.quorum);
    const anchors = await countAnchors(bundle, checkpoint, policy, required.anchors ?? 0);
    return { verified: true, id: bundle.id, origin: bundle.origin, size: checkpoint.size, root: toBase64(checkpoint.root), logKey: checkpoint.key.text,
             witnesses: checkpoint.witnesses, ...anchors, splitViewExcluded: checkpoint.witnesses.length > 0, facts };
  } catch (error) {
    if (error instanceof Refused) return { verified: false, code: error.code, message: error.message };
    throw error;
  }
}

// A terminal must not be told what to do by a stranger's text.
const printable = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f]/gu, '?');

// --- under Node ------------------------------------------------------------------------------------------------------------------------

async function main(words) {
  const { readFile } = await import('node:fs/promises');
  const options = { files: [], policy: null, json: false, witnesses: 0, anchors: 0 };
  for (let i = 0; i < words.length; ++i) {
    if (words[i] === '--policy') options.policy = words[++i];
    else if (words[i] === '--json') options.json = true;
    else if (words[i] === '--require') {
      for (const part of (words[++i] ?? '').split(',')) {
        const match = /^(witness|anchor):([0-9]{1,6})$/.exec(part);
        if (!match) return 2;
        options[match[1] + (match[1] === 'witness' ? 'es' : 's')] = Number(match[2]);
      }
    } else options.files.push(words[i]);
  }
  if (options.files.length !== 1 || !options.policy) {
    console.error('usage: node verify.mjs EVIDENCE.json --policy FILE [--require witness:N,anchor:K] [--json]');
    return 2;
  }
  const result = await checkEvidence(await readFile(options.files[0]), await readFile(options.policy, 'utf8'), options);
  if (options.json) console.log(JSON.stringify({
    verified: result.verified, code: result.code, message: result.message,
    anchors: result.anchors?.map(({ name, seconds, size, chain, number, hash }) =>
      ({ name, seconds: Number(seconds), size: Number(size), chain_id: `${chain}`, block: `${number}`, block_hash: hash })),
    anchors_not_counted: result.anchorsNotCounted, anchors_not_checked: result.anchorsNotChecked }));
  else if (!result.verified) console.log(`NOT VERIFIED / 不成立: ${printable(result.message)} [${result.code}]`);
  else console.log('VERIFIED / 已验证\n' + summary(result).map((line) => line[0] + ' / ' + line[1] + ': ' + printable(line[2])).join('\n'));
  return result.verified ? 0 : 1;
}

if (typeof process !== 'undefined' && process.argv?.[1] && import.meta.url === (await import('node:url')).pathToFileURL(process.argv[1]).href) {
  process.exitCode = await main(process.argv.slice(2));
}
