// Flips bytes of evidence one at a time and sees to it that none is accepted.
//
//   node flip.mjs POLICY STRIDE EVIDENCE.json...      every STRIDE-th byte, one bit each; exit code 1 if any was accepted
import { readFile } from 'node:fs/promises';
import { checkEvidence } from './verify.mjs';

const [policyFile, stride, ...files] = process.argv.slice(2);
const policy = await readFile(policyFile, 'utf8');
let flips = 0, accepted = 0;
const codes = new Map();
for (const file of files) {
  const bundle = new Uint8Array(await readFile(file));
  const whole = await checkEvidence(bundle, policy);
  if (!whole.verified) { console.log(`${file}: ${whole.message} [${whole.code}]`); process.exit(1); }
  for (let at = 0; at < bundle.length; at += Number(stride)) {
    bundle[at] ^= 1 << (at % 8);
    const result = await checkEvidence(bundle, policy);
    bundle[at] ^= 1 << (at % 8);
    ++flips;
    codes.set(result.code, (codes.get(result.code) ?? 0) + 1);
    if (result.verified) { ++accepted; console.log(`${file}: byte ${at} changed and accepted`); }
  }
}
console.log(`${files.length} bundles, ${flips} flips, ${accepted} accepted: ${[...codes].map(([code, n]) => `${code} ${n}`).join(', ')}`);
process.exit(accepted === 0 ? 0 : 1);
